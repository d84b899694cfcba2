import { parseJsonObject } from '../json.ts';
import type { RawAnswer } from './answer.ts';
import { parseChallenges } from './challenge.ts';

/** The characters of a nonce, NQCHAR of RFC 6749; anything else is none. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads the nonce that a server wants in the next proof.
 * @returns undefined where there is none, or more than one
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
 */
export function parseDpopNonce({ headers }: Pick<RawAnswer, 'headers'>): string | undefined {
  const nonce = headers['dpop-nonce'];
  // Repeated headers are joined with a comma, and a nonce may hold one.
  return nonce !== undefined && NONCE.test(nonce) ? nonce : undefined;
}

/**
 * Says whether a server refused a proof for want of its nonce: an authorization server in the body, a resource server
 * in its challenge.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-9
 */
export function wantsDpopNonce(answer: RawAnswer): boolean {
  if (answer.status !== 400 && answer.status !== 401) return false;
  if (parseJsonObject(answer.body)?.error === USE_DPOP_NONCE) return true;
  return parseChallenges(answer.headers['www-authenticate']).some(
    ({ scheme, parameters }) => scheme.toLowerCase() === 'dpop' && parameters.error === USE_DPOP_NONCE,
  );
}

const USE_DPOP_NONCE = 'use_dpop_nonce';
