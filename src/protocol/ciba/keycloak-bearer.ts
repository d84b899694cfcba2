// The bearer of Keycloak's delegation: a JWT of the realm that stands for one authentication request.
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { ValidationError } from '../../errors.ts';
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
  try {
    await jwtVerify(bearer, createLocalJWKSet(expected.jwks), {
      issuer: expected.issuer,
      audience: expected.issuer,
      currentDate: new Date(expected.now),
      requiredClaims: ['exp'],
    });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey)
      throw invalid('no key of the realm matches it', error, true);
    // jose's own, or of the runtime for a key that it will not take.
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

/**
 * Checks that a bearer of any issuer at least says where its result goes.
 * @throws ValidationError `bearer_invalid`
 */
export function requireIssuerUrl(bearer: string): void {
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
      hint: 'The delegation must come from the realm of the profile, by the same host name; --any-issuer takes any (in a laboratory).',
      cause,
    },
  );
}
