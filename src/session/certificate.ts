import { UsageError } from '../errors.ts';
import { readPemFile } from './read-pem.ts';
import type { Session } from './session.ts';

/** `x5t#S256` of the client certificate in use. @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
export async function certificateThumbprint({ ctx, settings }: Session): Promise<string | undefined> {
  const file = settings.get('cert');
  if (file === undefined) return undefined;
  const { X509Certificate } = await import('node:crypto');
  try {
    const { fingerprint256 } = new X509Certificate(await readPemFile(ctx, file));
    return Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  } catch {
    // The transport says what is wrong with it.
    return undefined;
  }
}

/**
 * Checks that a client certificate that is configured can be sent: it is part of TLS.
 * @param url the address that it is for
 * @throws UsageError `client_certificate_unsent`
 */
export function checkCertificateTravels({ settings }: Session, url: string): void {
  if (settings.get('cert') === undefined || new URL(url).protocol === 'https:') return;
  throw new UsageError('client_certificate_unsent', `the client certificate cannot be sent to ${url}`, {
    hint: 'A certificate travels by TLS, and this address is http. Use the https address of the server, or leave --cert and --key out (environment and profile may hold them).',
  });
}
