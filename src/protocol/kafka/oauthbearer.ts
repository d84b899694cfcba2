import { UsageError } from '../../errors.ts';
import { parseJsonObject } from '../json.ts';

/** The mechanism's name at SaslHandshake. */
export const OAUTHBEARER = 'OAUTHBEARER';

/** The message that RFC 7628 requires after a failure; the server then ends the authentication. */
export const DUMMY_CLIENT_MESSAGE = '\x01';

/** Name and value of a SASL extension. */
export type SaslExtension = readonly [name: string, value: string];

const SEPARATOR = '\x01';

/**
 * Builds the client's first and only message.
 * @param token the access token; other characters than printable ASCII would break the message
 * @param extensions further values for the broker, such as `logicalCluster`
 * @throws UsageError `sasl_extension_invalid`, `token_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7628#section-3.1
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-342
 */
export function buildClientMessage(token: string, extensions: readonly SaslExtension[] = []): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(
      'token_unfit',
      'the token has spaces, control characters or characters outside ASCII, which SASL does not allow',
    );
  }
  for (const [name, value] of extensions) checkExtension(name, value);
  const pairs = [['auth', `Bearer ${token}`], ...extensions].map(([name, value]) => `${name}=${value}`);
  return `n,,${SEPARATOR}${pairs.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`;
}

function checkExtension(name: string, value: string): void {
  if (name === 'auth')
    throw new UsageError('sasl_extension_invalid', 'the SASL extension "auth" is the token itself');
  if (!/^[A-Za-z]+$/.test(name))
    throw new UsageError(
      'sasl_extension_invalid',
      `"${name}" is not the name of a SASL extension: only letters are allowed`,
    );
  if (!/^[\x21-\x7e \t\r\n]+$/.test(value))
    throw new UsageError(
      'sasl_extension_invalid',
      `the value of the SASL extension ${name} must be printable ASCII and not empty`,
    );
}

/** The challenge that a server sends when it refuses a token. */
export interface OauthbearerChallenge {
  /** The unchanged text. */
  readonly text: string;
  /** For example `invalid_token`; undefined if the text is not as specified. */
  readonly status?: string;
  readonly scope?: string;
  readonly openidConfiguration?: string;
}

/**
 * Reads the challenge of a failed authentication.
 * @returns undefined for an empty answer, which means success
 * @see https://www.rfc-editor.org/rfc/rfc7628#section-3.2.2
 */
export function parseOauthbearerChallenge(text: string): OauthbearerChallenge | undefined {
  if (text === '') return undefined;
  const json = parseJsonObject(text);
  const member = (name: string) => (typeof json?.[name] === 'string' ? (json[name] as string) : undefined);
  const [status, scope, openidConfiguration] = ['status', 'scope', 'openid-configuration'].map(member);
  return {
    text,
    ...(status !== undefined && { status }),
    ...(scope !== undefined && { scope }),
    ...(openidConfiguration !== undefined && { openidConfiguration }),
  };
}

/** Where a broker listens. */
export interface BrokerName {
  readonly host: string;
  readonly port: number;
}

/** Whether a text can be the host name or address of a broker. */
export function isHost(text: string): boolean {
  return /^[\p{L}\p{N}._-]+$/u.test(text) || (text.includes(':') && /^[0-9a-f:.]+$/i.test(text));
}

/**
 * Reads a list of brokers.
 * @param text `HOST:PORT`, joined by commas; an IPv6 address in brackets; a protocol in front is ignored
 * @throws UsageError `bootstrap_invalid`
 */
export function parseBootstrap(text: string): readonly BrokerName[] {
  return text.split(',').map((part) => {
    const found = /^(?:[A-Z_]+:\/\/)?(?:\[([0-9a-f:.]+)\]|([^\s:]+)):(\d{1,5})$/i.exec(part.trim());
    const host = found?.[1] ?? found?.[2];
    const port = Number(found?.[3]);
    if (host === undefined || !isHost(host) || port < 1 || port > 65_535) {
      throw new UsageError('bootstrap_invalid', `"${part.trim()}" is not HOST:PORT`, {
        hint: 'Give one or more brokers as HOST:PORT,HOST:PORT; 9092 is the usual port of Kafka.',
      });
    }
    return { host, port };
  });
}

/** Renders host and port as in a list of brokers. */
export function renderBroker({ host, port }: BrokerName): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
