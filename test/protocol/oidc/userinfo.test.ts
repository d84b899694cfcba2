import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { checkSubject, parseUserinfoAnswer } from '../../../src/protocol/oidc/userinfo.ts';
import { readUserinfoJwt } from '../../../src/protocol/oidc/userinfo-jwt.ts';
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

const CLAIMS = { iss: ISSUER, aud: CLIENT_ID, sub: 'user-1', name: 'Taro' };

const read = async (jwt: string, supportedAlgs?: string[]) =>
  readUserinfoJwt(jwt, {
    issuer: ISSUER,
    client_id: CLIENT_ID,
    jwks: await buildJwks(keyFor('ES256')),
    supportedAlgs,
    decryptionKeys: [await keyFor('ECDH-ES')],
    now: NOW,
  });

describe('the kind of a UserInfo response', () => {
  const jwt = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.c2ln`;

  it.each([
    ['application/jwt', jwt],
    ['application/jwt;charset=utf-8', `${jwt}\n`],
    ['application/json', jwt],
    ['text/plain', jwt],
    ['text/html', jwt],
    ['', jwt],
    ['application/json', `"${jwt}"`],
    ['application/jwt', `\ufeff${jwt.replace('.', '.\n')}`],
  ])('is a JWT by what it is, as %j', (type, body) => {
    const headers = type === '' ? {} : { 'content-type': type };
    expect(parseUserinfoAnswer({ status: 200, headers, body })).toEqual({ kind: 'jwt', jwt });
  });

  it('is JSON by what it is, also where it is called a JWT', () => {
    const answer = { status: 200, headers: { 'content-type': 'application/jwt' }, body: '{"sub":"a"}' };
    expect(parseUserinfoAnswer(answer)).toEqual({ kind: 'claims', json: { sub: 'a' } });
  });
});

describe('a UserInfo response in a JWT', () => {
  it('is verified, and keeps every claim', async () => {
    expect(await read(await sign(CLAIMS))).toEqual({ json: CLAIMS, alg: 'ES256', remarks: [] });
  });

  it('is decrypted, whether there is a signature inside or not', async () => {
    const key = await keyFor('ECDH-ES');
    const encryption = { alg: 'ECDH-ES', enc: 'A128GCM' };
    expect(await read(await encrypt(await sign(CLAIMS), key))).toMatchObject({
      json: CLAIMS,
      alg: 'ES256',
      encryption,
    });
    const { json, alg } = await read(await encrypt(JSON.stringify(CLAIMS), key));
    expect({ json, alg }).toEqual({ json: CLAIMS, alg: undefined });
  });

  it('that does not say whom it is from and for is taken, with a remark', async () => {
    const { remarks } = await read(await sign({ sub: 'user-1' }));
    expect(remarks).toEqual([expect.stringContaining('"iss"'), expect.stringContaining('"aud"')]);
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }, /iss is/],
    ['for another client', { aud: 'other' }, /aud is/],
    ['that has expired', { exp: SECONDS }, /expired/],
    ['with an exp that is no number', { exp: 'soon' }, /expired/],
  ])('%s is refused', async (_what, claims, why) => {
    const jwt = await sign({ ...CLAIMS, ...claims });
    await expect(read(jwt)).rejects.toMatchObject({ code: 'userinfo_invalid', exitCode: 4 });
    await expect(read(jwt)).rejects.toThrow(why);
  });

  it('that is not signed, by another key or by an algorithm that is not listed is refused', async () => {
    await expect(read(unsigned({ alg: 'none' }, CLAIMS), ['none', 'ES256'])).rejects.toThrow(/not signed/);
    await expect(read(await sign(CLAIMS), ['RS256'])).rejects.toThrow(/does not list/);
    const key = { ...(await keyFor('ES256', 'other')), kid: 'ES256' };
    await expect(read(await sign(CLAIMS, { key }))).rejects.toThrow(/signature is wrong/);
  });
});

describe('the subject of a UserInfo response', () => {
  it('must be there, and that of the ID token', () => {
    expect(() => checkSubject({ sub: 'a' }, 'a')).not.toThrow();
    expect(() => checkSubject({ sub: 'a' }, undefined)).not.toThrow();
    expect(() => checkSubject({ name: 'Taro' }, undefined)).toThrow(/no "sub"/);
    expect(() => checkSubject({ sub: 7 }, undefined)).toThrow(/no "sub"/);
    expect(() => checkSubject({ sub: 'a' }, 'A')).toThrow(/its sub is "a".*"A"/);
  });

  it.each([
    [{ sub: 'user-1' }, 'user-1'],
    [{ sub: 'user-1' }, 'user-2'],
    [{ name: 'x' }, 'user-1'],
    [{ sub: '' }, 'user-1'],
  ])('is judged as oauth4webapi judges it: %j for %s', async (json, sub) => {
    const theirs = await oauth
      .processUserInfoResponse({ issuer: ISSUER }, { client_id: CLIENT_ID }, sub, Response.json(json))
      .then(() => true)
      .catch(() => false);
    const ours = () => {
      const parsed = parseUserinfoAnswer({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(json),
      });
      if (parsed.kind !== 'claims') throw new Error(parsed.kind);
      checkSubject(parsed.json, sub);
    };
    if (theirs) expect(ours).not.toThrow();
    else expect(ours).toThrow();
  });
});
