import type { NetworkError } from '../errors.ts';
import { buildNetworkError, type ExchangeFailure, type FailedExchange } from './failed-exchange.ts';

const CERTIFICATE_REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain ends in a self-signed certificate that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not trusted',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate has been revoked',
};

/** Alerts about the client's certificate. @see https://www.rfc-editor.org/rfc/rfc8446#section-6.2 */
const CERTIFICATE_ALERT = /certificate|unknown ca/i;

const CLIENT_CERTIFICATE_HINT =
  'The server may require a client certificate (--cert, --key) or another version of TLS.';
const CERTIFICATE_HINT =
  'Name the certificate authority with --ca-cert FILE, or accept any certificate with --insecure.';

/** Describes a failure of TLS; undefined where it was none. */
export function describeTlsFailure(failure: ExchangeFailure): NetworkError | undefined {
  const { where, fault } = failure;
  const reason = CERTIFICATE_REASONS[fault.code];
  if (reason !== undefined) {
    return buildNetworkError(
      failure,
      'tls',
      `the TLS connection to ${where} failed: ${reason}`,
      fault.code.startsWith('CERT_')
        ? "The server's administrator has to replace it; --insecure accepts it as it is."
        : CERTIFICATE_HINT,
    );
  }
  if (fault.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return buildNetworkError(
      failure,
      'tls',
      `the TLS connection to ${where} failed: its certificate is for another name (${fault.message})`,
      'Use a host name that the certificate contains.',
    );
  }
  if (
    /WRONG_VERSION_NUMBER|wrong version number|packet length too long/i.test(`${fault.code} ${fault.message}`)
  )
    return buildNetworkError(
      failure,
      'tls',
      `${where} does not speak TLS on this port`,
      'Check the port. A server on this machine that speaks plain HTTP is addressed by http://.',
    );
  if (/^ERR_SSL|^ERR_TLS|^EPROTO$|^ERR_OSSL/.test(fault.code)) return describeAlert(failure);
  return undefined;
}

/** Describes a TLS handshake that the server or the TLS library ended. */
function describeAlert(failure: ExchangeFailure): NetworkError {
  const { where, fault, certificate, tlsFailure } = failure;
  const alert = /alert ([a-z ]+)/i.exec(fault.message)?.[1];
  if (alert && CERTIFICATE_ALERT.test(alert)) {
    const verdict = certificate ? 'does not accept the client certificate' : 'requires a client certificate';
    return buildNetworkError(
      failure,
      'client_certificate_refused',
      `${where} ${verdict} (${alert})`,
      describeCertificateHint(failure),
    );
  }
  return buildNetworkError(
    failure,
    'tls',
    `the TLS connection to ${where} failed: ${alert ?? fault.message}`,
    alert ? describeCertificateHint(failure) : CERTIFICATE_HINT,
    tlsFailure !== undefined,
  );
}

/** Says what may be wrong with the client certificate, from its own validity and issuer. */
export function describeCertificateHint({ certificate, now = 0 }: FailedExchange): string {
  if (certificate === undefined) return CLIENT_CERTIFICATE_HINT;
  const { validFrom, validTo } = certificate;
  const [subject, issuer] = [certificate.subject, certificate.issuer].map((name) =>
    name.split('\n').join(', '),
  );
  if (Date.parse(validTo) < now) return `The client certificate of ${subject} expired on ${validTo}.`;
  if (Date.parse(validFrom) > now)
    return `The client certificate of ${subject} is not valid before ${validFrom}.`;
  return subject === issuer
    ? `The client certificate of ${subject} is self-signed: the server has to trust the certificate itself.`
    : `The server has to trust ${issuer}, which issued the client certificate of ${subject}.`;
}
