import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { exportJWK, importPKCS8, importSPKI, importX509, type JWK } from 'jose';
import { UsageError } from '../../errors.ts';

const PRIVATE = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];
const PUBLIC = ['PUBLIC KEY', 'RSA PUBLIC KEY'];
/** Kinds of keys that only newer versions of Node export by themselves. */
const LATE_ALGS = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];

/**
 * Reads the key of a PEM text: the private one (PKCS#8, PKCS#1, SEC1), else the public one (SPKI, PKCS#1), else that of
 * the first certificate.
 * @throws UsageError `key_encrypted`; Error that says why there is no key
 * @see https://www.rfc-editor.org/rfc/rfc7468
 * @see https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1
 * @see https://www.rfc-editor.org/rfc/rfc5915
 */
export async function readPemKey(text: string, name: string): Promise<JWK> {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw new UsageError('key_encrypted', `the key in ${name} is encrypted with a passphrase`, {
      hint: 'Decrypt it into another file: openssl pkcs8 -topk8 -nocrypt -in FILE -out KEY.pem',
    });
  }
  const [privateKey, publicKey, certificate] = [PRIVATE, PUBLIC, ['CERTIFICATE']].map((labels) =>
    findBlock(text, labels),
  );
  const pem = privateKey ?? publicKey ?? certificate;
  if (pem === undefined) throw new Error('its PEM has no complete key or certificate');
  let key: KeyObject | undefined;
  try {
    key = privateKey === undefined ? createPublicKey(pem) : createPrivateKey(pem);
    return key.export({ format: 'jwk' }) as JWK;
  } catch (cause) {
    const late = await readLateKey(pem);
    if (late !== undefined) return late;
    const kind = key?.asymmetricKeyType;
    const why =
      kind === undefined ? 'its PEM cannot be read' : `keys of the kind "${kind}" are not supported`;
    throw new Error(why, { cause });
  }
}

function findBlock(text: string, labels: readonly string[]): string | undefined {
  return labels
    .map((label) => new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0])
    .find((block) => block !== undefined);
}

async function readLateKey(pem: string): Promise<JWK | undefined> {
  for (const alg of LATE_ALGS) {
    try {
      const options = { extractable: true };
      if (pem.includes('PRIVATE KEY')) return await exportJWK(await importPKCS8(pem, alg, options));
      if (pem.includes('PUBLIC KEY')) return await exportJWK(await importSPKI(pem, alg, options));
      return await exportJWK(await importX509(pem, alg, options));
    } catch {
      // It is a key for another algorithm.
    }
  }
  return undefined;
}
