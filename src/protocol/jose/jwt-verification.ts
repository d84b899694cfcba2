import { readCompactJws } from './compact-jws.ts';
import { checkClaims } from './jwt-claim-checks.ts';
import { checkSignature } from './jwt-signature.ts';
import { type Check, failed, type JwtExpectations, type JwtVerdict, passed, skipped } from './jwt-verdict.ts';

/**
 * Verifies a signed JWT: its form, `crit`, `alg`, key, signature, `typ` and claims. Every check is made and listed, also
 * after one that failed, as far as the token can be read.
 * @returns a verdict for whatever is given as the token; nothing is thrown but what a key finder throws
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 */
export async function verifyJwt(token: string, expected: JwtExpectations): Promise<JwtVerdict> {
  const { header, claims, signature, flaws } = readCompactJws(token);
  const format: readonly Check[] =
    flaws.length === 0
      ? [passed('format', 'a signed JWT')]
      : flaws.map(({ reason, detail }) => failed('format', reason, detail));
  // jose may read a malformed token differently, so it is not passed on.
  const signed =
    flaws.length === 0 && header !== undefined
      ? await checkSignature({ token, header, signature }, expected)
      : [skipped('signature', 'not checked because of its form')];
  const content =
    header !== undefined && claims !== undefined
      ? await checkClaims(header, claims, expected)
      : [skipped('claims', 'they cannot be read')];
  const checks = [...format, ...signed, ...content];
  const isSigned = signed.some(({ name, outcome }) => name === 'signature' && outcome === 'passed');
  return { valid: isSigned && checks.every(({ outcome }) => outcome !== 'failed'), checks, header, claims };
}
