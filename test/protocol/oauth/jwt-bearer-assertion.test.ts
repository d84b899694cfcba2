import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateKey, pickPublicPart } from '../../../src/protocol/jose/key.ts';
import {
  buildJwtBearerAssertion,
  type JwtBearerAssertion,
} from '../../../src/protocol/oauth/jwt-bearer-assertion.ts';

const NOW = 1_700_000_000_500;

const build = async (changes: Partial<JwtBearerAssertion> = {}) =>
  buildJwtBearerAssertion({
    issuer: 'https://partner.example',
    subject: 'taro',
    audience: 'https://as.example',
    now: NOW,
    lifetime: 60,
    jti: 'once',
    claims: {},
    key: (await generateKey('ES256', 'key-1')).jwk,
    ...changes,
  });

describe('an assertion', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES512', 'EdDSA'])('by a key for %s is verified by it', async (alg) => {
    const { jwk } = await generateKey(alg, 'key-1');
    const { payload, protectedHeader } = await jwtVerify(
      await build({ key: jwk }),
      await importJWK(pickPublicPart(jwk), alg),
      { currentDate: new Date(NOW), issuer: 'https://partner.example', audience: 'https://as.example' },
    );
    expect(protectedHeader).toEqual({ alg, kid: 'key-1' });
    expect(payload).toEqual({
      iss: 'https://partner.example',
      sub: 'taro',
      aud: 'https://as.example',
      jti: 'once',
      iat: 1_700_000_000,
      exp: 1_700_000_060,
    });
  });

  it('holds further claims, and others in the place of the usual ones', async () => {
    const claims = { aud: ['a', 'b'], exp: 1, scope: 'x', act: { sub: 'y' } };
    expect(decodeJwt(await build({ claims }))).toMatchObject(claims);
  });

  it('lacks the claims that are left out', async () => {
    const claims = decodeJwt(await build({ subject: undefined, claims: { jti: null, iat: null } }));
    expect(Object.keys(claims)).toEqual(['iss', 'aud', 'exp']);
  });

  it('lives at least as long as it is told, in whole seconds', async () => {
    expect(decodeJwt(await build({ lifetime: 0.5 })).exp).toBe(1_700_000_001);
  });

  it('is signed with the algorithm that the person names', async () => {
    const { jwk } = await generateKey('RS256');
    const { alg: _alg, ...key } = jwk;
    expect(decodeProtectedHeader(await build({ key, alg: 'PS384' }))).toMatchObject({ alg: 'PS384' });
    await expect(build({ key, alg: 'ES256' })).rejects.toMatchObject({
      code: 'signing_alg_unfit',
      exitCode: 2,
    });
  });
});
