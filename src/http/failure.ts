import { type OauthctlError, TimeoutError } from '../errors.ts';
import {
  buildNetworkError,
  type ExchangeFailure,
  type FailedExchange,
  readFailure,
  renderHost,
} from './failed-exchange.ts';
import { describeCertificateHint, describeTlsFailure } from './tls-failure.ts';

/**
 * Turns what undici or Node threw into an error that names host, port and cause.
 * @param error what was thrown, possibly wrapped in `cause` or an AggregateError
 */
export function describeFailure(error: unknown, failed: FailedExchange): OauthctlError {
  const failure = readFailure(error, failed);
  const { where, fault } = failure;
  return (
    describeRefusedTunnel(failure) ??
    describeConnectFailure(failure) ??
    describeUnfinishedAnswer(failure) ??
    describeClosedConnection(failure) ??
    describeTlsFailure(failure) ??
    describeForeignProtocol(failure) ??
    buildNetworkError(
      failure,
      'network',
      `the exchange with ${where} failed: ${fault.message || fault.code}`,
      undefined,
      true,
    )
  );
}

function describeRefusedTunnel(failure: ExchangeFailure): OauthctlError | undefined {
  const { proxy, fault, hop, url } = failure;
  const refused = proxy && /^Proxy (?:response \((\d+)\)|Authentication Required)/.exec(fault.message);
  if (!refused) return undefined;
  const status = refused[1] ?? '407';
  return buildNetworkError(
    failure,
    'proxy_refused',
    `${hop} refused the exchange with ${renderHost(url)} (status ${status})`,
    status === '407'
      ? 'The proxy requires credentials: --proxy http://USER:PASSWORD@HOST:PORT.'
      : 'Check that the proxy allows that host and port, or exempt the host with NO_PROXY.',
  );
}

function describeConnectFailure(failure: ExchangeFailure): OauthctlError | undefined {
  const { fault, hop, proxy, url } = failure;
  switch (fault.code) {
    case 'ECONNREFUSED':
      return buildNetworkError(
        failure,
        'connection_refused',
        `${hop} refused the connection`,
        'No process listens there: check that the server runs, and its host and port.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return buildNetworkError(
        failure,
        'dns',
        `the host name ${(proxy ?? url).hostname} could not be resolved (${fault.code})`,
        'Check the spelling of the host name, and the DNS settings of this machine.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return buildNetworkError(
        failure,
        'unreachable',
        `${hop} is unreachable (${fault.code})`,
        'Check the network, the VPN and the proxy.',
      );
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return buildNetworkError(
        failure,
        'connect_timeout',
        `${hop} did not accept the connection in time`,
        'Check host and port; a firewall may drop the packets.',
      );
    default:
      return undefined;
  }
}

/** Describes an answer that took too long or is too large. */
function describeUnfinishedAnswer(failure: ExchangeFailure): OauthctlError | undefined {
  const { fault, where, answering, timeoutMs, thrown } = failure;
  switch (fault.code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'OAUTHCTL_DEADLINE':
      return new TimeoutError(
        'answer_timeout',
        `${where} did not ${answering ? 'finish its answer' : 'answer'} within ${timeoutMs / 1000} s`,
        { hint: 'Allow more time with --timeout SECONDS.', cause: thrown },
      );
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'OAUTHCTL_TOO_LARGE':
      return buildNetworkError(
        failure,
        'answer_too_large',
        `the answer of ${where} is larger than oauthctl reads`,
        undefined,
        true,
      );
    default:
      return undefined;
  }
}

function describeClosedConnection(failure: ExchangeFailure): OauthctlError | undefined {
  const { fault, where, answering, url } = failure;
  if (!['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(fault.code)) return undefined;
  if (/TLS connection was established|secure TLS/i.test(fault.message)) {
    return buildNetworkError(
      failure,
      'tls',
      `${where} closed the connection during the TLS handshake`,
      `Check that the port speaks HTTPS. ${describeCertificateHint(failure)}`,
    );
  }
  const reasons = 'The server may have crashed, or a proxy in between closed the connection';
  const beforeAnswer =
    url.protocol === 'https:'
      ? `${reasons}. ${describeCertificateHint(failure)}`
      : `${reasons}, or the port speaks HTTPS.`;
  return buildNetworkError(
    failure,
    'connection_reset',
    `${where} closed the connection ${answering ? 'in the middle of its answer' : 'without an answer'}`,
    answering ? `${reasons}.` : beforeAnswer,
    true,
  );
}

function describeForeignProtocol(failure: ExchangeFailure): OauthctlError | undefined {
  const { fault, where } = failure;
  if (fault.name !== 'HTTPParserError') return undefined;
  return buildNetworkError(
    failure,
    'not_http',
    `the answer of ${where} is not HTTP (${fault.code || fault.message})`,
    'Check the port, and whether it requires https:// instead of http://.',
    true,
  );
}
