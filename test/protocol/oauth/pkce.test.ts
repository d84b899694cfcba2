import { calculatePKCECodeChallenge } from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../../src/process-parts.ts';
import { computeCodeChallenge, makeProofKey } from '../../../src/protocol/oauth/pkce.ts';

describe('a proof key', () => {
  it('has the challenge that RFC 7636, appendix B, computes', async () => {
    expect(await computeCodeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('has a verifier of 43 characters, another one every time, and the challenge that oauth4webapi computes', async () => {
    const [one, other] = [await makeProofKey(systemRandom), await makeProofKey(systemRandom)];
    expect(one.code_verifier).toMatch(/^[\w-]{43}$/);
    expect(one.code_verifier).not.toBe(other.code_verifier);
    expect(one.code_challenge).toBe(await calculatePKCECodeChallenge(one.code_verifier));
    expect(one.code_challenge_method).toBe('S256');
  });
});
