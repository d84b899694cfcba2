import type { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { UsageError } from '../errors.ts';
import type { TransportOptions } from './types.ts';

export interface TlsOptions extends SecureContextOptions {
  rejectUnauthorized?: boolean;
  /** The client certificate, where there is one. */
  certificate?: X509Certificate;
}

/** Builds the TLS options and checks them before anything is sent. @throws UsageError `certificate_unusable` */
export async function buildTlsOptions({ ca, cert, key, insecure }: TransportOptions): Promise<TlsOptions> {
  if (ca === undefined && cert === undefined && key === undefined) {
    return insecure ? { rejectUnauthorized: false } : {};
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('certificate_unusable', 'a client certificate and its private key belong together', {
      hint: 'Give both --cert FILE and --key FILE.',
    });
  }
  const [{ createSecureContext, rootCertificates }, { X509Certificate }] = await Promise.all([
    import('node:tls'),
    import('node:crypto'),
  ]);
  try {
    if (ca !== undefined) new X509Certificate(ca);
  } catch (cause) {
    throw new UsageError('certificate_unusable', 'the file of --ca-cert contains no certificate in PEM', {
      cause,
    });
  }
  const options = {
    ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
    ...(cert !== undefined && { cert, key }),
    ...(insecure && { rejectUnauthorized: false }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^.*::/, '');
    throw new UsageError('certificate_unusable', `the client certificate cannot be used: ${reason}`, {
      hint: 'Give --cert and --key in PEM, the key without a passphrase and belonging to the certificate.',
      cause,
    });
  }
  return { ...options, ...(cert !== undefined && { certificate: new X509Certificate(cert) }) };
}
