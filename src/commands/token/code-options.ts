import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import type { RedirectReception } from '../../flows/authorization/authorization-code.ts';
import type {
  AuthorizationDelivery,
  RequestObjectChoice,
} from '../../flows/authorization/authorization-request.ts';
import type { Target } from '../../flows/server/target.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import {
  type AuthorizationRequest,
  RESPONSE_TYPE_WORDS,
  splitResponseType,
} from '../../protocol/oauth/authorization.ts';
import { parseRedirectUri, type RedirectUri } from '../../protocol/oauth/redirect-uri.ts';
import { parseListenAddress } from '../../servers/listen-address.ts';
import { parseBoolean } from '../../session/option-values.ts';
import { readParameters } from '../../session/parameters.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import { readPemFile } from '../../session/read-pem.ts';
import type { Session } from '../../session/session.ts';
import type { TokenFlags } from '../../session/token-request.ts';

/** The options of `token code`. */
export interface AuthorizationFlags extends TokenFlags {
  readonly browser: boolean;
  readonly preflight: boolean;
  readonly deadline?: string;
  readonly failFast?: true;
  readonly listen?: string;
  readonly redirectCert?: string;
  readonly redirectKey?: string;
  readonly paste?: true;
  readonly requestObjectKey?: string;
  readonly requestObjectAlg?: string;
  readonly requestObjectEncryptionAlg?: string;
  readonly requestObjectEncryptionEnc?: string;
  readonly tokenParam?: readonly string[];
  readonly tokenOmit?: readonly string[];
}

/**
 * Reads the parameters of the authorization request. Where an ID token is requested, the scope is at least `openid`.
 * @throws UsageError `response_type_invalid`; as readParameters
 */
export async function readAuthorizationRequest(
  session: Session,
  command: Command,
): Promise<AuthorizationRequest> {
  const { reporter, settings } = session;
  const responseType = settings.require('responseType', 'the response type');
  const types = splitResponseType(responseType);
  const known: readonly string[] = RESPONSE_TYPE_WORDS;
  if (types.length === 0 || types.some((word) => !known.includes(word))) {
    throw new UsageError('response_type_invalid', `"${responseType}" is not a response type`, {
      hint: `It is one or several of ${known.join(', ')}, separated by spaces. Others go by --param response_type=….`,
    });
  }
  if (responseType !== 'code') {
    reporter.warning(
      `the response type "${responseType}" sends tokens through the browser (RFC 9700 §2.1.2): for testing only`,
    );
  }
  const values = await readParameters(session, command, REQUESTS.authorization);
  const scope = values.scope ?? (types.includes('id_token') ? 'openid' : undefined);
  return { ...values, response_type: types.join(' '), scope };
}

/**
 * Decides how the browser's redirect comes back.
 * @throws UsageError `redirect_uri_invalid`, `redirect_not_ours`, `redirect_certificate_incomplete`, `listen_invalid`
 */
export async function readRedirect(
  session: Session,
  flags: AuthorizationFlags,
): Promise<{ redirectUri: RedirectUri; redirect: RedirectReception }> {
  const redirectUri = parseRedirectUri(session.settings.require('redirectUri', 'the redirect URI'));
  const { scheme, host, port = 0, path, isLoopback } = redirectUri;
  const paste = { redirectUri, redirect: { kind: 'paste', read: pasting(session) } as const };
  if (flags.paste) return paste;
  const tls = await readCertificate(session, flags, scheme);
  if (flags.listen !== undefined) {
    return { redirectUri, redirect: { kind: 'listen', listen: parseListenAddress(flags.listen, path), tls } };
  }
  // Only a tunnel of the person's own turns https into http.
  if (isLoopback && (scheme === 'http' || tls !== undefined)) {
    return { redirectUri, redirect: { kind: 'listen', listen: { host, port, path }, tls } };
  }
  if (session.mayAsk) return paste;
  throw new UsageError('redirect_not_ours', `nothing can be listened for at ${redirectUri.text}`, {
    hint:
      'Give --paste, and as standard input the address that the browser ends up at; or --listen HOST:PORT, where what ' +
      'comes there arrives; on this machine, https takes --redirect-cert and --redirect-key.',
  });
}

async function readCertificate(
  { ctx }: Session,
  { redirectCert, redirectKey }: AuthorizationFlags,
  scheme: string,
): Promise<{ cert: string; key: string } | undefined> {
  if (redirectCert === undefined && redirectKey === undefined) return undefined;
  if (redirectCert === undefined || redirectKey === undefined || scheme !== 'https') {
    throw new UsageError(
      'redirect_certificate_incomplete',
      '--redirect-cert and --redirect-key belong together, and to a redirect URI of https',
      { hint: 'For example --redirect-uri https://localhost:8443/callback.' },
    );
  }
  return { cert: await readPemFile(ctx, redirectCert), key: await readPemFile(ctx, redirectKey) };
}

function pasting({ ctx, reporter, mayAsk }: Session): (signal: AbortSignal) => Promise<string> {
  return async (signal) => {
    if (!mayAsk) return readLine(ctx.io.stdinChunks(signal));
    const prompt = await ctx.prompt();
    return reporter.undisturbed(() =>
      prompt.text('Paste the address that the browser ended up at:', { signal }),
    );
  };
}

async function readLine(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    if (text.trimStart().includes('\n')) break;
  }
  return text.trim().split('\n')[0] ?? '';
}

/**
 * Decides how the request gets to the server: pushed, signed, or both, as asked for or as the server's metadata requires.
 * @throws UsageError `request_object_key_missing`; as parseKeys and selectSigningKey
 */
export async function readAuthorizationDelivery(
  session: Session,
  flags: AuthorizationFlags,
  target: Target,
): Promise<AuthorizationDelivery> {
  const { metadata } = target;
  const wantsObject = readSwitch(session, 'requestObject') ?? metadata.require_signed_request_object === true;
  const isObject =
    wantsObject ||
    flags.requestObjectKey !== undefined ||
    flags.requestObjectAlg !== undefined ||
    flags.requestObjectEncryptionAlg !== undefined ||
    flags.requestObjectEncryptionEnc !== undefined;
  return {
    pushed: readSwitch(session, 'par') ?? metadata.require_pushed_authorization_requests === true,
    requestObject: isObject ? await readRequestObject(session, flags, target) : undefined,
  };
}

/** @returns undefined where nobody says */
function readSwitch({ settings }: Session, name: 'par' | 'requestObject'): boolean | undefined {
  const value = settings.get(name);
  return value === undefined ? undefined : parseBoolean(value, name, `${name}_invalid`);
}

async function readRequestObject(
  session: Session,
  flags: AuthorizationFlags,
  target: Target,
): Promise<RequestObjectChoice> {
  const { requestObjectEncryptionAlg: alg, requestObjectEncryptionEnc: enc } = flags;
  return {
    key: await readObjectKey(session, flags, target),
    alg: flags.requestObjectAlg,
    encryption: alg === undefined && enc === undefined ? undefined : { alg, enc },
  };
}

async function readObjectKey(
  { ctx, settings, reporter }: Session,
  { requestObjectKey, requestObjectAlg: alg }: AuthorizationFlags,
  { client }: Target,
): Promise<RequestObjectChoice['key']> {
  if (alg === 'none') {
    reporter.warning('the request object is not signed (alg none): anybody may have made it');
    return undefined;
  }
  if (alg?.startsWith('HS')) {
    if (client.client_secret !== undefined) return client.client_secret;
    throw keyMissing(`${alg} is keyed with the client secret, and none is configured`);
  }
  if (requestObjectKey === undefined && client.client_key !== undefined) return client.client_key;
  const file = requestObjectKey ?? settings.get('clientKey');
  if (file === undefined) throw keyMissing('there is no key to sign the request object with');
  const { selectSigningKey } = await import('../../protocol/jose/key.ts');
  return selectSigningKey(await readKeyFile(ctx, file), file, settings.get('kid'));
}

function keyMissing(why: string): UsageError {
  return new UsageError('request_object_key_missing', why, {
    hint: 'Give --request-object-key FILE or --client-key FILE ("oauthctl key generate" makes one), or --request-object-alg HS256 with a client secret.',
  });
}
