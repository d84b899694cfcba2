import { parseJsonObject } from '../json.ts';
import type { RawAnswer } from './answer.ts';
import { parseChallenges } from './challenge.ts';

/** The characters of a nonce: NQCHAR of RFC 6749. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads the nonce that the server requires in the next proof.
 * @returns undefined if there is none, or more than one
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
 */
export function parseDpopNonce({ headers }: Pick<RawAnswer, 'headers'>): string | undefined {
  const nonce = headers['dpop-nonce'];
  // Repeated headers are joined with ", ", and the space is not allowed in a nonce.
  return nonce !== undefined && NONCE.test(nonce) ? nonce : undefined;
}

/**
 * Says whether the server refused a proof because it lacks a nonce: an authorization server says so in the body, a
 * resource server in its challenge.
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
