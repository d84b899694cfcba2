import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { readAuthorizationJwt } from '../../../src/protocol/oauth/jarm.ts';
import { buildJwks, CLIENT_ID, type Claims, ISSUER, keyFor, sign, signText } from '../server-jwts.ts';

const now = Math.floor(Date.now() / 1000);
const STATE = 'the-state';
const CLAIMS = { iss: ISSUER, aud: CLIENT_ID, exp: now + 300, iat: now, code: 'the-code', state: STATE };

const read = async (jwt: string, alg?: string) =>
  readAuthorizationJwt(jwt, {
    issuer: ISSUER,
    client_id: CLIENT_ID,
    jwks: await buildJwks(keyFor('ES256'), keyFor('RS256')),
    alg,
    now: Date.now(),
  });

describe('an authorization response in a JWT', () => {
  it('is returned with all that it says', async () => {
    const claims = { ...CLAIMS, session_state: 's', 'not-before-policy': 0, deep: { a: [1] } };
    expect(await read(await sign(claims))).toEqual(claims);
  });

  it('is returned as well where it is a refusal, which may name no state', async () => {
    const { code: _code, state: _state, ...others } = CLAIMS;
    const claims = { ...others, error: 'access_denied', error_description: 'no' };
    expect(await read(await sign(claims))).toEqual(claims);
  });

  it('for several audiences is for this client too', async () => {
    expect(await read(await sign({ ...CLAIMS, aud: ['other', CLIENT_ID] }))).toMatchObject({
      code: 'the-code',
    });
  });

  const withMember = (member: string) => signText(JSON.stringify(CLAIMS).replace(/\}$/, `,${member}}`));

  it('may name its issuer twice, as Keycloak 26 does, where it is the same one', async () => {
    expect(await read(await withMember(`"iss":"${ISSUER}"`))).toEqual(CLAIMS);
  });

  it.each([
    ['another issuer', '"iss":"https://evil.example"', /"iss" occurs twice/],
    ['another code', '"code":"another"', /"code" occurs twice/],
    ['the issuer again, and another state', `"iss":"${ISSUER}","state":"x"`, /"state" occurs twice/],
    ['what is no string', `"exp":${CLAIMS.exp}`, /"exp" occurs twice/],
    ['a longer string', `"code":"${CLAIMS.code}\\""`, /"code" occurs twice/],
  ])('must not say twice: %s', async (_what, member, message) => {
    await expect(read(await withMember(member))).rejects.toThrow(message);
  });

  it('needs no iat, which the specification does not ask for', async () => {
    const { iat: _iat, ...claims } = CLAIMS;
    expect(await read(await sign(claims))).toEqual(claims);
  });
});

describe('what oauth4webapi says of the same authorization response', () => {
  const server: oauth.AuthorizationServer = { issuer: ISSUER, jwks_uri: 'https://as.example/jwks' };

  const agreement = async (jwt: string, alg: string): Promise<boolean> => {
    const jwks = await buildJwks(keyFor('ES256'), keyFor('RS256'));
    const theirs = oauth.validateJwtAuthResponse(
      server,
      { client_id: CLIENT_ID, authorization_signed_response_alg: alg },
      new URLSearchParams({ response: jwt }),
      STATE,
      { [oauth.customFetch]: async () => Response.json(jwks) },
    );
    const [mine, other] = await Promise.allSettled([read(jwt, alg), theirs]);
    expect(mine.status, JSON.stringify([mine, String(Reflect.get(other, 'reason'))])).toBe(other.status);
    if (mine.status !== 'fulfilled' || other.status !== 'fulfilled') return false;
    const { aud: _aud, exp: _exp, iat: _iat, nbf: _nbf, ...parameters } = mine.value;
    expect(parameters).toEqual(Object.fromEntries(other.value));
    return true;
  };

  it.each<[string, Claims, boolean]>([
    ['a good one', {}, true],
    ['several audiences', { aud: ['x', CLIENT_ID] }, true],
    ['another iss', { iss: 'https://evil.example' }, false],
    ['no iss', { iss: undefined }, false],
    ['another aud', { aud: 'another' }, false],
    ['no aud', { aud: undefined }, false],
    ['an exp long past', { exp: now - 1000 }, false],
    ['no exp', { exp: undefined }, false],
    ['an nbf far ahead', { nbf: now + 1000 }, false],
    ['an nbf in the past', { nbf: now - 1000 }, true],
  ])('for %s', async (_what, changes, accepted) => {
    for (const alg of ['ES256', 'RS256']) {
      expect(await agreement(await sign({ ...CLAIMS, ...changes }, { alg }), alg)).toBe(accepted);
    }
  });

  it('for another key, another algorithm and a changed payload', async () => {
    const foreign = { ...(await keyFor('ES256', '-attacker')), kid: 'ES256' };
    expect(await agreement(await sign(CLAIMS, { key: foreign }), 'ES256')).toBe(false);
    expect(await agreement(await sign(CLAIMS), 'RS256')).toBe(false);
    const [header, , signature] = (await sign(CLAIMS)).split('.');
    const other = (await sign({ ...CLAIMS, code: 'injected' })).split('.')[1];
    expect(await agreement(`${header}.${other}.${signature}`, 'ES256')).toBe(false);
  });
});
