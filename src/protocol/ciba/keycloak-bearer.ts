// The bearer token of a delegation of Keycloak: a JWT of the realm that identifies one authentication request.
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { ValidationError } from '../../errors.ts';
import { type CompactJws, describeCritical, readCompactJws } from '../jose/compact-jws.ts';
import { decodeUnverified } from '../jose/jwt.ts';
import { readBearer } from './keycloak-ciba.ts';

/**
 * Checks that a bearer token is a valid JWT of the issuer: signature, iss, aud and exp.
 * @param now milliseconds since the epoch
 * @throws ValidationError `bearer_invalid`
 */
export async function verifyBearer(
  bearer: string,
  expected: { readonly issuer: string; readonly jwks: JSONWebKeySet; readonly now: number },
): Promise<void> {
  const claims = readBearer(bearer);
  if (claims === undefined) throw invalid('it is not a JWT');
  const jws = readCompactJws(bearer);
  // Where a claim is there twice, nobody can say which one counts.
  const [flaw] = jws.flaws;
  if (flaw !== undefined) throw invalid(flaw.detail);
  if (claims.iss !== expected.issuer)
    throw invalid(`its issuer is ${claims.iss ?? 'missing'}, not ${expected.issuer}`);
  checkKind(jws, expected.now);
  try {
    await jwtVerify(bearer, createLocalJWKSet(expected.jwks), {
      issuer: expected.issuer,
      audience: expected.issuer,
      currentDate: new Date(expected.now),
      requiredClaims: ['exp'],
    });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey)
      throw invalid('no key of the issuer matches it', error, true);
    // An error of jose, or of the runtime for a key that it rejects.
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

/** Seconds; no authentication request lives longer. */
const LONGEST_LIFE = 7 * 86_400;

/**
 * Checks that a bearer token is strictly encoded, and that it is of the kind of a delegation: no ID token, access token of
 * RFC 9068 or logout token.
 */
function checkKind({ header, claims }: CompactJws, now: number): void {
  const critical = header && describeCritical(header);
  if (critical !== undefined) throw invalid(critical);
  const { typ } = header ?? {};
  if (typ !== undefined && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ)))
    throw invalid(`typ in its header is ${JSON.stringify(typ)}, not "JWT"`);
  const { typ: kind, jti, exp, azp } = claims ?? {};
  if (kind !== 'Bearer') throw invalid(`its claim typ is ${JSON.stringify(kind) ?? 'missing'}, not "Bearer"`);
  if (typeof jti !== 'string' || jti === '') throw invalid('it has no jti');
  if (typeof azp !== 'string' || azp === '') throw invalid('it has no azp, which names the client');
  if (!Number.isSafeInteger(exp)) throw invalid('its exp is not a whole number of seconds');
  if ((exp as number) - now / 1000 > LONGEST_LIFE) throw invalid('its exp is more than a week away');
}

/**
 * Returns identifiers of a bearer token: its `jti` at its issuer, and its signed content. Another encoding of the same
 * token has the same identifiers.
 */
export function identifyBearer(bearer: string): readonly string[] {
  const { iss, jti } = decodeUnverified(bearer)?.claims ?? {};
  const signed = bearer.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString('base64url'));
  return [signed.join('.'), ...(typeof jti === 'string' ? [JSON.stringify([iss, jti])] : [])];
}

/**
 * Checks that a bearer token of any issuer says where the result is sent.
 * @throws ValidationError `bearer_invalid`
 */
export function requireIssuerUrl(bearer: string): void {
  const [flaw] = readCompactJws(bearer).flaws;
  if (flaw !== undefined) throw invalid(flaw.detail);
  const issuer = readBearer(bearer)?.iss ?? '';
  if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) {
    throw invalid('it is not a JWT that names its issuer by URL');
  }
}

/** Says whether the bearer token may be valid with newer keys. */
export function isUnknownKey(error: unknown): boolean {
  return error instanceof ValidationError && error.code === 'bearer_key_unknown';
}

function invalid(why: string, cause?: unknown, unknownKey = false): ValidationError {
  return new ValidationError(
    unknownKey ? 'bearer_key_unknown' : 'bearer_invalid',
    `the bearer token is not trusted: ${why}`,
    {
      hint: 'The delegation must come from the issuer of the profile, by the same host name. For tests, --any-issuer accepts delegations of every issuer.',
      cause,
    },
  );
}
