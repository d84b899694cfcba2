import type { JWK } from 'jose';
import { UsageError } from '../../errors.ts';
import { HMAC_ALGS } from './jwt-signature.ts';
import { shown, type VerificationKeys } from './jwt-verdict.ts';

/**
 * Reads the shared secret of a symmetric JWK, which may say what it is for.
 * @throws UsageError `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-4
 */
export function readOctKey({ k, use, key_ops, alg }: JWK, path: string): VerificationKeys {
  const isHmac = alg === undefined || (HMAC_ALGS as readonly string[]).includes(alg);
  const canVerify = !Array.isArray(key_ops) || key_ops.includes('verify') || key_ops.includes('sign');
  if ((use !== undefined && use !== 'sig') || !canVerify || !isHmac) {
    const says = Object.entries({ use, key_ops, alg }).filter(([, value]) => value !== undefined);
    const members = says.map(([name, value]) => `${name} ${shown(value)}`).join(', ');
    throw new UsageError('key_unfit', `the secret in ${path} is not for signatures: it has ${members}`, {
      hint: `A secret verifies ${HMAC_ALGS.join(', ')}; its "use" is "sig" and its "key_ops" are "sign" or "verify", if it has them.`,
    });
  }
  return { secret: Buffer.from(String(k), 'base64url'), ...(alg !== undefined && { alg }) };
}
