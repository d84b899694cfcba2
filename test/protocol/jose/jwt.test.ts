import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { decodeUnverified } from '../../../src/protocol/jose/jwt.ts';

describe('a JWT that is only read', () => {
  it('has the header and the claims that jose reads', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ sub: 'é 漢字', 'not-before-policy': 0, nested: { a: [null] } })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'JWT' })
      .sign(privateKey);
    expect(decodeUnverified(token)).toEqual({
      header: decodeProtectedHeader(token),
      claims: decodeJwt(token),
    });
  });

  it('may be unsecured', () => {
    expect(decodeUnverified(new UnsecuredJWT({ sub: 'a' }).encode())).toEqual({
      header: { alg: 'none' },
      claims: { sub: 'a' },
    });
  });

  it.each([
    ['', 'nothing'],
    ['opaque', 'an opaque token'],
    ['a.b.c', 'three parts that are no JSON'],
    ['e30.e30', 'two parts'],
    ['eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn', 'a JWE'],
    ['W10.W10.', 'arrays'],
    ['bnVsbA.bnVsbA.', 'nulls'],
  ])('is not %j: %s', (token) => {
    expect(decodeUnverified(token)).toBeUndefined();
  });
});
