// The bearer of Keycloak's delegation: a JWT of the realm that stands for one authentication request.
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { ValidationError } from '../../errors.ts';
import { readCompactJws } from '../jose/compact-jws.ts';
import { decodeUnverified } from '../jose/jwt.ts';
import { readBearer } from './keycloak-ciba.ts';

/**
 * Checks that a bearer is a live JWT, signed by this realm and naming it as its issuer.
 * @param now milliseconds since the epoch
 * @throws ValidationError `bearer_invalid`
 */
export async function verifyBearer(
  bearer: string,
  expected: { readonly issuer: string; readonly jwks: JSONWebKeySet; readonly now: number },
): Promise<void> {
  const claims = readBearer(bearer);
  if (claims === undefined) throw invalid('it is not a JWT');
  if (claims.iss !== expected.issuer)
    throw invalid(`its issuer is ${claims.iss ?? 'missing'}, not ${expected.issuer}`);
  checkForm(bearer, expected.now);
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
    // jose's own, or of the runtime for a key that it will not take.
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

/** Seconds. A request that lives longer is no authentication that somebody waits for. */
const LONGEST_LIFE = 7 * 86_400;

/**
 * Checks that a bearer is written in the one way there is, and that it is a delegation's: no ID token, no access token of
 * RFC 9068, no logout token.
 */
function checkForm(bearer: string, now: number): void {
  const { header, claims, flaws } = readCompactJws(bearer);
  const [flaw] = flaws;
  if (flaw !== undefined) throw invalid(flaw.detail);
  const { typ } = header ?? {};
  if (typ !== undefined && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ)))
    throw invalid(`its header says typ ${JSON.stringify(typ)}, and a delegation's says JWT`);
  const { typ: kind, jti, exp, azp } = claims ?? {};
  if (kind !== 'Bearer') throw invalid(`its claim typ is ${JSON.stringify(kind) ?? 'missing'}, not "Bearer"`);
  if (typeof jti !== 'string' || jti === '') throw invalid('it has no jti');
  if (typeof azp !== 'string' || azp === '') throw invalid('it has no azp, which names the client');
  if (!Number.isSafeInteger(exp)) throw invalid('its exp is not a whole number of seconds');
  if ((exp as number) - now / 1000 > LONGEST_LIFE) throw invalid('its exp is more than a week away');
}

/**
 * Names what a bearer is known by: its `jti` at its issuer, and what is signed. Another encoding of the same bearer has
 * the same names.
 */
export function identifyBearer(bearer: string): readonly string[] {
  const { iss, jti } = decodeUnverified(bearer)?.claims ?? {};
  const signed = bearer.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString('base64url'));
  return [signed.join('.'), ...(typeof jti === 'string' ? [JSON.stringify([iss, jti])] : [])];
}

/**
 * Checks that a bearer of any issuer at least says where its result goes.
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

/** Says whether newer keys might make the bearer good. */
export function isUnknownKey(error: unknown): boolean {
  return error instanceof ValidationError && error.code === 'bearer_key_unknown';
}

function invalid(why: string, cause?: unknown, unknownKey = false): ValidationError {
  return new ValidationError(
    unknownKey ? 'bearer_key_unknown' : 'bearer_invalid',
    `the bearer is not trusted: ${why}`,
    {
      hint: 'The delegation must come from the issuer of the profile, by the same host name. For tests, --any-issuer accepts delegations of every issuer.',
      cause,
    },
  );
}
