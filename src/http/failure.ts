import type { X509Certificate } from 'node:crypto';
import { NetworkError, type OauthctlError, TimeoutError } from '../errors.ts';

interface Fault {
  name: string;
  code: string;
  message: string;
  /** Whether bytes of the request may have reached the server. */
  sent: boolean;
}

const TLS_REASONS: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain ends in a self-signed certificate that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not trusted',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate has been revoked',
};

/** Alerts that speak of the client's certificate. @see https://www.rfc-editor.org/rfc/rfc8446#section-6.2 */
const CERTIFICATE_ALERT = /certificate|unknown ca/i;

const CLIENT_CERTIFICATE_HINT =
  'The server may ask for a client certificate (--cert, --key) or another version of TLS.';
const CERTIFICATE_HINT = 'Name the authority with --ca-cert FILE, or accept any certificate with --insecure.';

export interface FailedExchange {
  readonly url: URL;
  /** The deadline that was in force, in milliseconds. */
  readonly timeoutMs: number;
  /** What was to carry the exchange, where it was not to go straight. */
  readonly proxy?: URL | undefined;
  /** The head of an answer was there already. */
  readonly answering?: boolean | undefined;
  /** What TLS said after the connection had been made. */
  readonly tlsFailure?: Error | undefined;
  /** The client certificate that was at hand. */
  readonly certificate?: X509Certificate | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: number | undefined;
}

/**
 * Turns what undici or Node threw into an error that names host, port and cause.
 * @param error what was thrown, possibly wrapped in `cause` or an AggregateError
 */
export function describeFailure(error: unknown, failed: FailedExchange): OauthctlError {
  const { url, timeoutMs, proxy, answering = false, certificate } = failed;
  // What is connected to is the proxy; the server behind it speaks TLS and HTTP.
  const hop = proxy ? `the proxy ${hostAndPort(proxy)}` : hostAndPort(url);
  const where = proxy ? `${hostAndPort(url)} (through ${hop})` : hop;
  const fault = innermost(error);
  const network = (code: string, message: string, hint?: string, maybeHandled = false) =>
    new NetworkError(code, message, { hint, cause: error, maybeHandled });

  const refusedTunnel = proxy && /^Proxy (?:response \((\d+)\)|Authentication Required)/.exec(fault.message);
  if (refusedTunnel) {
    const status = refusedTunnel[1] ?? '407';
    return network(
      'proxy_refused',
      `${hop} did not let the exchange with ${hostAndPort(url)} through (status ${status})`,
      status === '407'
        ? 'It wants credentials: --proxy http://USER:PASSWORD@HOST:PORT.'
        : 'Check that the proxy may reach that host and port, or exempt the host with NO_PROXY.',
    );
  }
  switch (fault.code) {
    case 'ECONNREFUSED':
      return network(
        'connection_refused',
        `${hop} refused the connection`,
        'Nothing listens there: check that the server runs, and its host and port.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return network(
        'dns',
        `the host name ${(proxy ?? url).hostname} could not be resolved (${fault.code})`,
        'Check the spelling of the host name, and the name servers of this machine.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return network(
        'unreachable',
        `${hop} is unreachable (${fault.code})`,
        'Check the network, a VPN or a proxy.',
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return network(
        'connect_timeout',
        `${hop} did not accept the connection in time`,
        'A firewall that drops packets looks like this; check host and port.',
      );
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'OAUTHCTL_DEADLINE':
      return new TimeoutError(
        'answer_timeout',
        `${where} did not ${answering ? 'finish its answer' : 'answer'} within ${timeoutMs / 1000} s`,
        { hint: 'Give it longer with --timeout SECONDS.', cause: error },
      );
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'OAUTHCTL_TOO_LARGE':
      return network(
        'answer_too_large',
        `the answer of ${where} is larger than oauthctl reads`,
        undefined,
        true,
      );
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      if (/TLS connection was established|secure TLS/i.test(fault.message)) {
        return network(
          'tls',
          `${where} closed the connection during the TLS handshake`,
          `Check that the port speaks HTTPS. ${certificateHint(failed)}`,
        );
      }
      return network(
        'connection_reset',
        `${where} closed the connection ${answering ? 'in the middle of its answer' : 'without an answer'}`,
        answering ? 'A crash or a proxy in between looks like this.' : closedHint(failed),
        true,
      );
  }
  if (TLS_REASONS[fault.code]) {
    return network(
      'tls',
      `the TLS connection to ${where} failed: ${TLS_REASONS[fault.code]}`,
      /^CERT_/.test(fault.code)
        ? "The server's administrator has to replace it; --insecure goes on all the same."
        : CERTIFICATE_HINT,
    );
  }
  if (fault.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return network(
      'tls',
      `the TLS connection to ${where} failed: its certificate is for another name (${fault.message})`,
      'Use the name that the certificate carries.',
    );
  }
  if (
    /WRONG_VERSION_NUMBER|wrong version number|packet length too long/i.test(`${fault.code} ${fault.message}`)
  ) {
    return network('tls', `${where} does not speak TLS on this port`, 'Try http:// instead of https://.');
  }
  if (/^ERR_SSL|^ERR_TLS|^EPROTO$|^ERR_OSSL/.test(fault.code)) {
    // An alert is the server's verdict about us.
    const alert = /alert ([a-z ]+)/i.exec(fault.message)?.[1];
    if (alert && CERTIFICATE_ALERT.test(alert)) {
      const verdict = certificate ? 'does not accept the client certificate' : 'wants a client certificate';
      return network('client_certificate_refused', `${where} ${verdict} (${alert})`, certificateHint(failed));
    }
    return network(
      'tls',
      `the TLS connection to ${where} failed: ${alert ?? fault.message}`,
      alert ? certificateHint(failed) : CERTIFICATE_HINT,
      failed.tlsFailure !== undefined,
    );
  }
  if (fault.name === 'HTTPParserError') {
    return network(
      'not_http',
      `what ${where} answered is not HTTP (${fault.code || fault.message})`,
      'Check the port, and whether it wants https:// instead of http://.',
      true,
    );
  }
  return network(
    'network',
    `the exchange with ${where} failed: ${fault.message || fault.code}`,
    undefined,
    fault.sent,
  );
}

/** Follows `cause` and AggregateError to the error that carries a code of the system, TLS or undici. */
function innermost(error: unknown): Fault {
  let current = error;
  let best: Fault = { name: '', code: '', message: String(error), sent: true };
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const code = (current as { code?: unknown }).code;
    best = {
      name: current.name,
      code: typeof code === 'string' ? code : best.code,
      message: current.message,
      sent: true,
    };
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  return best;
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

function closedHint(failed: FailedExchange): string {
  return failed.url.protocol === 'https:'
    ? `A crash or a proxy in between looks like this. ${certificateHint(failed)}`
    : 'A crash, a proxy in between, or HTTP spoken to an HTTPS port looks like this.';
}

/** What may be wrong with the client certificate: what it says of itself tells most. */
function certificateHint({ certificate, now = 0 }: FailedExchange): string {
  if (certificate === undefined) return CLIENT_CERTIFICATE_HINT;
  const { validFrom, validTo } = certificate;
  const [subject, issuer] = [certificate.subject, certificate.issuer].map((name) =>
    name.split('\n').join(', '),
  );
  if (Date.parse(validTo) < now) return `The client certificate of ${subject} expired on ${validTo}.`;
  if (Date.parse(validFrom) > now)
    return `The client certificate of ${subject} is valid from ${validFrom} on.`;
  return subject === issuer
    ? `The client certificate of ${subject} is self-signed: the server has to trust the certificate itself.`
    : `The server has to trust ${issuer}, which issued the client certificate of ${subject}.`;
}
