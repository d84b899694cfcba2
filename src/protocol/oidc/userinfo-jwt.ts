import type { JWTPayload } from 'jose';
import {
  decryptJwe,
  findWrongParties,
  isJwe,
  type JwtKeys,
  type JwtParties,
  openSignedJwt,
} from '../jose/signed-jwt.ts';
import { parseJsonObject } from '../json.ts';
import { invalidUserinfo, type Userinfo } from './userinfo.ts';

/**
 * Reads a UserInfo response that came as a JWT: decryption, signature, `iss`, `aud`, `exp`. One that is encrypted need
 * not be signed, and one that is signed need not say whom it is from and for; that is remarked.
 * @param expected `supportedAlgs` is what the metadata lists in `userinfo_signing_alg_values_supported`
 * @throws ValidationError `userinfo_invalid`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
 */
export async function readUserinfoJwt(jwt: string, expected: JwtKeys & JwtParties): Promise<Userinfo> {
  const decrypted = isJwe(jwt)
    ? await decryptJwe(jwt, expected.decryptionKeys ?? [], invalidUserinfo)
    : undefined;
  const unsigned = decrypted && parseJsonObject(decrypted.content);
  if (unsigned !== undefined) return { json: unsigned, encryption: decrypted?.encryption };
  const { claims, alg } = await openSignedJwt(decrypted?.content ?? jwt, expected, invalidUserinfo);
  const wrong = wrongClaims(claims, expected);
  if (wrong.length > 0) throw invalidUserinfo(wrong.join('; '));
  const missing = ['iss', 'aud'].filter((name) => claims[name] === undefined);
  return {
    json: claims,
    alg,
    encryption: decrypted?.encryption,
    remarks: missing.map((name) => `the signed UserInfo response has no "${name}", which it should have`),
  };
}

function wrongClaims(claims: JWTPayload, expected: JwtParties): string[] {
  const { iss = expected.issuer, aud = expected.client_id, exp } = claims;
  const wrong = findWrongParties({ iss, aud }, expected);
  if (exp !== undefined && !(exp > expected.now / 1000)) wrong.push('it has expired (exp)');
  return wrong;
}
