import { UsageError } from '../errors.ts';
import { readPemFile } from './read-pem.ts';
import type { Session } from './session.ts';

/** `x5t#S256` of the client certificate in use. @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
export async function computeCertificateThumbprint({ ctx, settings }: Session): Promise<string | undefined> {
  const file = settings.get('cert');
  if (file === undefined) return undefined;
  const { X509Certificate } = await import('node:crypto');
  try {
    const { fingerprint256 } = new X509Certificate(await readPemFile(ctx, file));
    return Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  } catch {
    // The transport reports what is wrong with it.
    return undefined;
  }
}

/**
 * Checks that a configured client certificate can be sent to a URL. It can only be sent over TLS.
 * @param url the URL of the request
 * @throws UsageError `client_certificate_unsent`
 */
export function requireTlsForCertificate({ settings }: Session, url: string): void {
  if (settings.get('cert') === undefined || new URL(url).protocol === 'https:') return;
  throw new UsageError('client_certificate_unsent', `the client certificate cannot be sent to ${url}`, {
    hint: 'A client certificate is sent over TLS only, and this is an http URL. Use the https URL of the server, or do not set --cert and --key (also check the environment and the profile).',
  });
}
