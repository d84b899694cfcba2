import { ValidationError } from '../../errors.ts';
import {
  findWrongCommonClaims,
  type JwtKeys,
  type JwtParties,
  type JwtRefusal,
  openSignedJwt,
} from '../jose/signed-jwt.ts';
import type { JsonObject } from '../json.ts';

/**
 * What an authorization response in a JWT is checked against: `alg` is the client's registered
 * `authorization_signed_response_alg`, `supportedAlgs` the metadata's `authorization_signing_alg_values_supported`.
 */
export interface AuthorizationJwtExpectations extends JwtKeys, JwtParties {}

/**
 * Reads an authorization response that came as a JWT (the parameter `response`), refusals of the server included:
 * decryption, algorithm, signature, `iss`, `aud`, `exp`. The caller has to check `state`.
 * @returns all claims: the parameters of the response, and those of the JWT itself
 * @throws ValidationError `authorization_response_invalid` that names every wrong claim, or the flaw that was found before the claims
 * @see https://openid.net/specs/oauth-v2-jarm.html#section-2.4
 */
export async function readAuthorizationJwt(
  jwt: string,
  expected: AuthorizationJwtExpectations,
): Promise<JsonObject> {
  // Keycloak 26 writes iss twice: the parameter of RFC 9207 and the claim of the JWT.
  const { claims } = await openSignedJwt(jwt, expected, invalid, true);
  const wrong = findWrongCommonClaims(claims, expected);
  if (wrong.length > 0) throw invalid(wrong.join('; '));
  return claims;
}

const invalid: JwtRefusal = (what, details) =>
  new ValidationError(
    'authorization_response_invalid',
    `the authorization response must not be trusted: ${what}`,
    {
      hint: 'The server or the client registration is at fault, or the response is from another server. Its code was not used.',
      ...details,
    },
  );
