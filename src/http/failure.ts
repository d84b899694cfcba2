import { NetworkError, type OauthctlError, TimeoutError } from '../errors.ts';

interface Fault {
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

const CERTIFICATE_HINT = 'Name the authority with --ca-cert FILE, or accept any certificate with --insecure.';

/**
 * Turns what undici or Node threw into an error that names host, port and cause.
 * @param error what was thrown, possibly wrapped in `cause` or an AggregateError
 * @param url the absolute URL that was asked for
 * @param timeoutMs the deadline that was in force
 */
export function describeFailure(error: unknown, url: string, timeoutMs: number): OauthctlError {
  const target = new URL(url);
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  const where = `${target.hostname}:${port}`;
  const fault = innermost(error);
  const network = (code: string, message: string, hint?: string, maybeHandled = false) =>
    new NetworkError(code, message, { hint, cause: error, maybeHandled });

  switch (fault.code) {
    case 'ECONNREFUSED':
      return network(
        'connection_refused',
        `${where} refused the connection`,
        'Nothing listens there: check that the server runs, and its host and port.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return network(
        'dns',
        `the host name ${target.hostname} could not be resolved (${fault.code})`,
        'Check the spelling of the host name, and the name servers of this machine.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return network(
        'unreachable',
        `${where} is unreachable (${fault.code})`,
        'Check the network, a VPN or a proxy.',
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return network(
        'connect_timeout',
        `${where} did not accept the connection in time`,
        'A firewall that drops packets looks like this; check host and port.',
      );
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'OAUTHCTL_DEADLINE':
      return new TimeoutError('answer_timeout', `${where} did not answer within ${timeoutMs / 1000} s`, {
        hint: 'Give it longer with --timeout SECONDS.',
        cause: error,
      });
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
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
          'Check that the port speaks HTTPS, and whether the server asks for a client certificate (--cert, --key).',
        );
      }
      return network(
        'connection_reset',
        `${where} closed the connection without an answer`,
        'A proxy in between, a crash, or HTTP spoken to an HTTPS port looks like this.',
        true,
      );
  }
  if (TLS_REASONS[fault.code]) {
    return network(
      'tls',
      `the TLS connection to ${where} failed: ${TLS_REASONS[fault.code]}`,
      CERTIFICATE_HINT,
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
    const reason = /alert ([a-z ]+)/i.exec(fault.message)?.[1] ?? fault.message;
    return network('tls', `the TLS connection to ${where} failed: ${reason}`, CERTIFICATE_HINT);
  }
  if (fault.code.startsWith('HPE_')) {
    return network(
      'not_http',
      `what ${where} answered is not HTTP (${fault.code})`,
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
  let best: Fault = { code: '', message: String(error), sent: true };
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const code = (current as { code?: unknown }).code;
    best = { code: typeof code === 'string' ? code : best.code, message: current.message, sent: true };
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  return best;
}
