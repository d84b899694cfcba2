import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload } from 'jose';
import { ValidationError } from '../errors.ts';
import { parseJsonObject } from './answer.ts';
import { decodeUnverified } from './jwt.ts';

/** Seconds by which a server's clock may be ahead of ours when it says "issued at". */
const ISSUED_AHEAD = 60;
/** Seconds by which an ID token may seem older than the request that it answers. */
const ISSUED_BEFORE = 300;

export interface IdTokenExpectations {
  readonly issuer: string;
  readonly client_id: string;
  readonly jwks: JSONWebKeySet;
  /** Used for HS256 and its kin only. */
  readonly client_secret?: string | undefined;
  /** The client's registered `id_token_signed_response_alg`, when it is known. */
  readonly alg?: string | undefined;
  /** What the metadata lists in `id_token_signing_alg_values_supported`. */
  readonly supportedAlgs?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds since the epoch: when the authentication was asked for, when that is known. */
  readonly requestedAt?: number | undefined;
}

export interface VerifiedIdToken {
  readonly alg: string;
  readonly claims: JWTPayload;
}

/**
 * Validates an ID token that came straight from the token endpoint: algorithm, signature, `iss`, `aud`, `azp`,
 * `exp`, `iat`. Any failed check refuses it.
 * @throws ValidationError `id_token_invalid` that names every claim found wrong, or the algorithm, or the signature
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export async function verifyIdToken(
  idToken: string,
  expected: IdTokenExpectations,
): Promise<VerifiedIdToken> {
  const decoded = decodeUnverified(idToken);
  if (decoded === undefined) throw invalid('it is not a signed JWT that can be read');
  const alg = decoded.header.alg;
  checkAlgorithm(alg, expected);
  const claims = await verifySignature(idToken, alg, expected);
  const wrong = wrongClaims(claims, expected);
  if (wrong.length > 0) throw invalid(wrong.join('; '));
  return { alg, claims };
}

function checkAlgorithm(
  alg: unknown,
  { alg: registered, supportedAlgs }: IdTokenExpectations,
): asserts alg is string {
  if (typeof alg !== 'string' || alg.toLowerCase() === 'none') throw invalid('it is not signed (alg none)');
  if (registered !== undefined && alg !== registered) {
    throw invalid(`its alg is ${alg}, and the client is registered for ${registered}`);
  }
  if (registered === undefined && supportedAlgs !== undefined && !supportedAlgs.includes(alg)) {
    throw invalid(`its alg is ${alg}, which the server's metadata does not list for ID tokens`);
  }
}

async function verifySignature(
  idToken: string,
  alg: string,
  expected: IdTokenExpectations,
): Promise<JWTPayload> {
  try {
    const { payload } = alg.startsWith('HS')
      ? await compactVerify(idToken, new TextEncoder().encode(requireSecret(alg, expected.client_secret)))
      : await compactVerify(idToken, createLocalJWKSet(expected.jwks));
    return (parseJsonObject(new TextDecoder().decode(payload)) ?? {}) as JWTPayload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw invalid('its signature is wrong', error);
    if (error instanceof errors.JWKSNoMatchingKey)
      throw invalid('no key in the JWKS matches its kid and alg', error);
    if (error instanceof ValidationError) throw error;
    // jose's own, or of the runtime for a key that it will not take.
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`its signature cannot be checked: ${why}`, error);
  }
}

function requireSecret(alg: string, secret: string | undefined): string {
  if (secret === undefined)
    throw invalid(`its alg is ${alg}, and there is no client secret to check it with`);
  return secret;
}

function wrongClaims(claims: JWTPayload, expected: IdTokenExpectations): string[] {
  const { iss, sub, aud, exp, iat, azp } = claims;
  const now = expected.now / 1000;
  const audiences = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
  const others = audiences.filter((audience) => audience !== expected.client_id);
  const wrong: string[] = [];
  if (iss !== expected.issuer) wrong.push(`iss is ${show(iss)}, expected ${expected.issuer}`);
  if (typeof sub !== 'string' || sub === '') wrong.push('sub is missing');
  if (!audiences.includes(expected.client_id))
    wrong.push(`aud is ${show(aud)}, expected ${expected.client_id}`);
  else if (others.length > 0) wrong.push(`aud also names ${others.join(', ')}, which is not trusted`);
  if (azp !== undefined && azp !== expected.client_id)
    wrong.push(`azp is ${show(azp)}, expected ${expected.client_id}`);
  if (typeof exp !== 'number') wrong.push('exp is missing or not a number');
  else if (exp <= now) wrong.push(`it expired ${Math.round(now - exp)} s ago`);
  if (typeof iat !== 'number') wrong.push('iat is missing or not a number');
  else if (iat > now + ISSUED_AHEAD) wrong.push(`iat is ${Math.round(iat - now)} s in the future`);
  else if (expected.requestedAt !== undefined && iat < expected.requestedAt / 1000 - ISSUED_BEFORE) {
    wrong.push(`it was issued ${Math.round(expected.requestedAt / 1000 - iat)} s before it was asked for`);
  }
  return wrong;
}

function invalid(what: string, cause?: unknown): ValidationError {
  return new ValidationError('id_token_invalid', `the ID token must not be trusted: ${what}`, {
    hint: 'The server or the client registration is at fault; see the token itself with -v --show-secrets. Nothing was kept.',
    cause,
  });
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
