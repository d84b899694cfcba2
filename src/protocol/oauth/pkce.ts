import { sha256 } from '../jose/token-hash.ts';
import { makeRandomText, type Random } from '../unguessable.ts';

/** A proof key: the challenge is sent through the browser, the verifier directly to the server. */
export interface ProofKey {
  readonly code_verifier: string;
  readonly code_challenge: string;
  readonly code_challenge_method: 'S256';
}

/** Random bytes of a verifier, which are 43 characters in base64url. */
const VERIFIER_BYTES = 32;

/**
 * Makes a proof key for one authorization request.
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.1
 */
export async function makeProofKey(random: Random): Promise<ProofKey> {
  const code_verifier = makeRandomText(random, VERIFIER_BYTES);
  return {
    code_verifier,
    code_challenge: await computeCodeChallenge(code_verifier),
    code_challenge_method: 'S256',
  };
}

/** Computes the S256 challenge of a verifier. @see https://www.rfc-editor.org/rfc/rfc7636#section-4.2 */
export function computeCodeChallenge(verifier: string): Promise<string> {
  return sha256(verifier);
}
