import { ValidationError } from '../../errors.ts';
import {
  CLOCK_AHEAD,
  findWrongParties,
  type JwtKeys,
  type JwtParties,
  type JwtRefusal,
  openSignedJwt,
  show,
} from '../jose/signed-jwt.ts';
import { isJsonObject } from '../json.ts';
import { type Introspection, readActive, SIGNED_INTROSPECTION } from './introspection.ts';

/**
 * Verifies an introspection response that came as a JWT: decryption, signature, `typ`, `iss`, `aud`, `iat`. Any failed
 * check is an error.
 * @param expected `supportedAlgs` is what the metadata lists in `introspection_signing_alg_values_supported`
 * @throws ValidationError `introspection_response_invalid` that names every wrong claim, or the flaw that was found before the claims
 * @see https://www.rfc-editor.org/rfc/rfc9701#section-5
 */
export async function readIntrospectionJwt(
  jwt: string,
  expected: JwtKeys & JwtParties,
): Promise<Introspection> {
  const { claims, alg, typ } = await openSignedJwt(jwt, expected, invalid);
  const { iat, token_introspection: token } = claims;
  const wrong = findWrongParties(claims, expected);
  // It tells a response from other JWTs of the server, such as access tokens, which have the same issuer.
  if (typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase()))
    wrong.push(`typ is ${show(typ)}, expected token-introspection+jwt`);
  if (typeof iat !== 'number') wrong.push('iat is missing or not a number');
  else if (iat > expected.now / 1000 + CLOCK_AHEAD)
    wrong.push(`iat is ${Math.round(iat - expected.now / 1000)} s in the future`);
  if (!isJsonObject(token)) wrong.push('token_introspection is missing or not an object');
  if (wrong.length > 0 || !isJsonObject(token)) throw invalid(wrong.join('; '));
  return { active: readActive(token), token, json: claims, alg };
}

const TYPES: readonly string[] = [
  SIGNED_INTROSPECTION,
  // RFC 7515, section 4.1.9: "application/" may be omitted.
  SIGNED_INTROSPECTION.replace('application/', ''),
];

const invalid: JwtRefusal = (what, details) =>
  new ValidationError(
    'introspection_response_invalid',
    `the signed introspection response must not be trusted: ${what}`,
    {
      hint: 'The server or the client registration is at fault (RFC 9701 §5): look at the exchange with -v --show-secrets.',
      ...details,
    },
  );
