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
