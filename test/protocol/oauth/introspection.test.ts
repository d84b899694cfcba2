import { describe, expect, it } from 'vitest';
import { listInactiveReasons } from '../../../src/protocol/oauth/inactive-token.ts';
import { parseIntrospectionAnswer } from '../../../src/protocol/oauth/introspection.ts';
import { readIntrospectionJwt } from '../../../src/protocol/oauth/introspection-jwt.ts';
import {
  buildJwks,
  CLIENT_ID,
  encrypt,
  ISSUER,
  keyFor,
  NOW,
  SECONDS,
  sign,
  unsigned,
} from '../server-jwts.ts';

const answer = (body: string, type = 'application/json', status = 200) => ({
  status,
  headers: { 'content-type': type },
  body,
});

describe('an introspection response', () => {
  it('keeps every member', () => {
    const json = { active: true, scope: 'a b', cnf: { jkt: 'x' }, custom: [1] };
    expect(parseIntrospectionAnswer(answer(JSON.stringify(json)))).toEqual({
      kind: 'introspected',
      introspection: { active: true, token: json, json },
    });
  });

  it.each(['{}', '{"active":"true"}', '{"active":1}', '{"active":null}'])(
    'that does not say active or not is no answer: %s',
    (body) => {
      expect(() => parseIntrospectionAnswer(answer(body))).toThrow(
        /does not say whether the token is active/,
      );
    },
  );

  it.each([
    ['application/token-introspection+jwt', 'eyJhbGciOiJFUzI1NiJ9.e30.x'],
    ['application/jwt', 'eyJhbGciOiJFUzI1NiJ9.e30.x'],
    ['text/plain', ' eyJhbGciOiJFUzI1NiJ9.e30.x\n'],
  ])('that is a JWT is not read before it is verified: %s', (type, body) => {
    expect(parseIntrospectionAnswer(answer(body, type))).toEqual({
      kind: 'signed',
      jwt: 'eyJhbGciOiJFUzI1NiJ9.e30.x',
    });
  });

  it('that is a page or an error is neither', () => {
    expect(parseIntrospectionAnswer(answer('<html>', 'text/html')).kind).toBe('foreign');
    expect(parseIntrospectionAnswer(answer('{"error":"invalid_client"}', undefined, 401)).kind).toBe(
      'refused',
    );
  });
});

describe('a signed introspection response', () => {
  const TYP = { typ: 'token-introspection+jwt' };
  const CLAIMS = {
    iss: ISSUER,
    aud: CLIENT_ID,
    iat: SECONDS,
    token_introspection: { active: true, sub: 'u' },
  };
  const read = async (jwt: string) =>
    readIntrospectionJwt(jwt, {
      issuer: ISSUER,
      client_id: CLIENT_ID,
      jwks: await buildJwks(keyFor('ES256')),
      decryptionKeys: [await keyFor('ECDH-ES')],
      now: NOW,
    });

  it('brings what it says of the token, and all its claims', async () => {
    expect(await read(await sign(CLAIMS, { header: TYP }))).toEqual({
      active: true,
      token: { active: true, sub: 'u' },
      json: CLAIMS,
      alg: 'ES256',
    });
  });

  it('is decrypted first where it is encrypted', async () => {
    const jwe = await encrypt(await sign(CLAIMS, { header: TYP }), await keyFor('ECDH-ES'));
    expect((await read(jwe)).active).toBe(true);
  });

  it('may write its type in full', async () => {
    const header = { typ: 'application/token-introspection+JWT' };
    expect((await read(await sign(CLAIMS, { header }))).active).toBe(true);
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }, TYP, /iss is "https:\/\/other/],
    ['for another client', { aud: ['other'] }, TYP, /aud is \["other"\]/],
    ['without iat', { iat: undefined }, TYP, /iat is missing/],
    ['from the future', { iat: SECONDS + 120 }, TYP, /s in the future/],
    [
      'without token_introspection',
      { token_introspection: undefined, active: true },
      TYP,
      /token_introspection/,
    ],
    ['whose token_introspection is a list', { token_introspection: [true] }, TYP, /token_introspection/],
    ['without active', { token_introspection: { sub: 'u' } }, TYP, /does not say whether/],
    ['without typ', {}, {}, /typ is missing/],
    ['that is an access token', {}, { typ: 'at+jwt' }, /typ is "at\+jwt"/],
  ])('%s is refused', async (_what, claims, header, why) => {
    const jwt = await sign({ ...CLAIMS, ...claims }, { header });
    await expect(read(jwt)).rejects.toMatchObject({ code: 'introspection_response_invalid', exitCode: 4 });
    await expect(read(jwt)).rejects.toThrow(why);
  });

  it('that is not signed, or by another key, is refused', async () => {
    await expect(read(unsigned({ alg: 'none', ...TYP }, CLAIMS))).rejects.toThrow(/not signed/);
    const key = { ...(await keyFor('ES256', 'other')), kid: 'ES256' };
    await expect(read(await sign(CLAIMS, { key, header: TYP }))).rejects.toThrow(/signature is wrong/);
  });
});

describe('why a token is inactive', () => {
  const inquiry = { issuer: ISSUER, client_id: CLIENT_ID, now: NOW };
  const alive = { iss: ISSUER, aud: CLIENT_ID, exp: SECONDS + 60, typ: 'Bearer' };
  const reasons = (claims: object, hint?: string, isKeycloak?: boolean) =>
    listInactiveReasons(unsigned({ alg: 'RS256' }, { ...alive, ...claims }, 'x'), {
      ...inquiry,
      isKeycloak,
      token_type_hint: hint,
    }).join(' ');

  it('is certain for an expired token, one of another issuer and one that is not valid yet', () => {
    expect(reasons({ exp: SECONDS - 10 })).toBe('It expired 11 s ago (exp).');
    expect(reasons({ iss: 'https://other.example' })).toMatch(
      /^It is of another issuer: "https:\/\/other[^ ]+/,
    );
    expect(reasons({ nbf: SECONDS + 61 })).toBe('It is not valid for another 60 s (nbf).');
    expect(reasons({ exp: SECONDS - 10, iss: 'x' })).toMatch(/another issuer.*expired/);
  });

  it('may be that the client is not in aud, or that the session ended', () => {
    expect(reasons({ aud: ['account'] })).toMatch(
      /test-client is not in its aud, which is account:.* Or it was revoked/,
    );
    expect(reasons({ aud: undefined })).toMatch(/which is empty/);
    expect(reasons({})).toMatch(/^By its claims it is valid, so it was revoked/);
  });

  it('may be the hint that a refresh token needs on Keycloak 26, whose aud is the realm', () => {
    const refresh = { typ: 'Refresh', aud: ISSUER };
    expect(reasons(refresh)).toContain('--token-type-hint refresh_token');
    expect(reasons(refresh, 'refresh_token')).toMatch(/^By its claims/);
  });

  it('names Keycloak and its settings only where the server is Keycloak', () => {
    for (const claims of [{ aud: ['account'] }, { typ: 'Refresh', aud: ISSUER }]) {
      expect(reasons(claims)).not.toMatch(/keycloak|mapper/i);
      expect(reasons(claims, undefined, true)).toContain('Keycloak 26');
    }
    expect(reasons({ aud: ['account'] }, undefined, true)).toContain('audience mapper for test-client');
  });

  it('is unknown for what cannot be read', () => {
    for (const token of ['opaque', 'a.b.c', 'eyJ.eyJ.x', '']) {
      expect(listInactiveReasons(token, inquiry)).toEqual([
        expect.stringMatching(/^The token cannot be decoded here/),
      ]);
    }
  });
});
