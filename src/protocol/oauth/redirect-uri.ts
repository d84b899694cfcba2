import { UsageError } from '../../errors.ts';
import { isLoopbackHost } from '../loopback.ts';

/** The parts of a redirect URI. */
export interface RedirectUri {
  readonly text: string;
  /** Without the colon: `http`, `https`, or the private scheme of an app. */
  readonly scheme: string;
  /** Without the brackets of IPv6; empty if there is none. */
  readonly host: string;
  /** Undefined if any free port is used: on the loopback interface, without a port or with port 0. */
  readonly port: number | undefined;
  readonly path: string;
  /** Whether it leads to the machine of the browser. */
  readonly isLoopback: boolean;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/**
 * Parses a redirect URI.
 * @throws UsageError `redirect_uri_invalid` unless it is an absolute URI without a fragment
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7
 */
export function parseRedirectUri(text: string): RedirectUri {
  if (!URL.canParse(text)) throw invalid(text, 'it is not an absolute URI');
  if (text.includes('#')) throw invalid(text, 'it has a fragment');
  const { protocol, hostname, pathname, port } = new URL(text);
  const scheme = protocol.slice(0, -1);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isWeb = scheme in DEFAULT_PORTS;
  const isLoopback = isWeb && isLoopbackHost(host);
  // URL drops the default port of a scheme.
  const given = isWeb ? /^[a-z]+:\/\/[^/?]*:(\d+)(?:[/?]|$)/i.exec(text)?.[1] : port;
  const isFree = isLoopback && (given === undefined || Number(given) === 0);
  return {
    text,
    scheme,
    host,
    port: isFree ? undefined : Number(given ?? DEFAULT_PORTS[scheme] ?? 0),
    path: pathname,
    isLoopback,
  };
}

/**
 * Builds the redirect URI that is sent: one for any free port gets the port that was taken. Without `taken` it is built as
 * it is registered, without a port.
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
export function buildRedirectUri({ text, port }: RedirectUri, taken?: number): string {
  if (port !== undefined) return text;
  const authority = taken === undefined ? '$1' : `$1:${taken}`;
  return text.replace(/^([a-z]+:\/\/(?:\[[^\]]*\]|[^/?:]*))(?::\d*)?/i, authority);
}

function invalid(text: string, why: string): UsageError {
  return new UsageError('redirect_uri_invalid', `"${text}" is not a redirect URI: ${why}`, {
    hint: 'Write it as it is registered, for example http://127.0.0.1:8080/callback.',
  });
}
