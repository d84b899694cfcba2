import {
  decodeJwt,
  decodeProtectedHeader,
  EmbeddedJWK,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { generateKey, isPrivate } from '../../../src/protocol/jose/key.ts';
import { parseKeys } from '../../../src/protocol/jose/key-file.ts';
import {
  buildDpopProof,
  type DpopKey,
  generateDpopKey,
  selectDpopKey,
} from '../../../src/protocol/oauth/dpop.ts';
import { parseDpopNonce, wantsDpopNonce } from '../../../src/protocol/oauth/dpop-nonce.ts';

const URL_OF_REQUEST = 'https://rs.example/api?page=2#top';

const proofOf = (key: DpopKey, more: object = {}) =>
  buildDpopProof({
    key,
    method: 'GET',
    url: URL_OF_REQUEST,
    now: Date.now(),
    jti: crypto.randomUUID(),
    ...more,
  });

/** What oauth4webapi sends with a request for the same resource. */
async function theirs(accessToken: string): Promise<string> {
  let dpop: string | undefined;
  await oauth.protectedResourceRequest(accessToken, 'GET', new URL(URL_OF_REQUEST), undefined, undefined, {
    DPoP: oauth.DPoP({}, await oauth.generateKeyPair('ES256')),
    [oauth.customFetch]: async (_url: string, init: { headers: Record<string, string> }) => {
      dpop = init.headers.dpop;
      return new Response('{}');
    },
  });
  return dpop ?? expect.fail('it sent no proof');
}

const serverKeys = generateKeyPair('ES256');

/** Lets oauth4webapi, as a resource server, judge the proof that comes with a token which is bound to a key. */
async function judge(key: DpopKey, prove: (accessToken: string) => Promise<string>): Promise<unknown> {
  const { publicKey, privateKey } = await serverKeys;
  const issuer = 'https://as.example';
  const token = await new SignJWT({ client_id: 'a', cnf: { jkt: key.jkt } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
    .setIssuer(issuer)
    .setSubject('u')
    .setAudience('https://rs.example')
    .setIssuedAt()
    .setJti('j')
    .setExpirationTime('1 min')
    .sign(privateKey);
  const headers = { authorization: `DPoP ${token}`, dpop: await prove(token) };
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  return oauth.validateJwtAccessToken(
    { issuer, jwks_uri: `${issuer}/jwks` },
    new Request(URL_OF_REQUEST, { headers }),
    'https://rs.example',
    { [oauth.customFetch]: async () => Response.json({ keys: [jwk] }) },
  );
}

describe('a DPoP proof', () => {
  it('says what that of oauth4webapi says, and no more', async () => {
    const accessToken = 'the-access-token';
    const [ours, other] = [
      await proofOf(await generateDpopKey(), { accessToken }),
      await theirs(accessToken),
    ];
    expect(Object.keys(decodeProtectedHeader(ours)).sort()).toEqual(
      Object.keys(decodeProtectedHeader(other)).sort(),
    );
    expect(Object.keys(decodeProtectedHeader(ours).jwk ?? {}).sort()).toEqual(
      Object.keys(decodeProtectedHeader(other).jwk ?? {}).sort(),
    );
    const [claims, expected] = [decodeJwt(ours), decodeJwt(other)];
    expect(Object.keys(claims).sort()).toEqual(Object.keys(expected).sort());
    for (const name of ['htm', 'htu', 'ath']) expect(claims[name]).toBe(expected[name]);
  });

  it.each(['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA', 'Ed25519'])(
    'with %s is accepted by oauth4webapi as a resource server',
    async (alg) => {
      const key = await generateDpopKey(alg);
      await expect(judge(key, (accessToken) => proofOf(key, { accessToken }))).resolves.toMatchObject({
        sub: 'u',
      });
    },
  );

  it('is not accepted for another key, address, method, time or token', async () => {
    const [key, other] = [await generateDpopKey(), await generateDpopKey()];
    const flaws = [
      { key: other },
      { url: 'https://rs.example/other' },
      { method: 'POST' },
      { now: Date.now() - 3_600_000 },
      { accessToken: 'another' },
    ];
    for (const flaw of flaws) {
      const judged = judge(key, (accessToken) => proofOf(key, { accessToken, ...flaw }));
      await expect(judged, JSON.stringify(flaw)).rejects.toThrow();
    }
  });

  it('carries the nonce where there is one, and the claims of the person in place of its own', async () => {
    const key = await generateDpopKey();
    expect(decodeJwt(await proofOf(key))).not.toHaveProperty('nonce');
    expect(decodeJwt(await proofOf(key, { nonce: 'n-1' }))).toMatchObject({ nonce: 'n-1' });
    const claims = decodeJwt(
      await proofOf(key, { claims: { htu: 'https://other.example', jti: undefined, iat: 1 } }),
    );
    expect(claims).toMatchObject({ htm: 'GET', htu: 'https://other.example', iat: 1 });
    expect(claims).not.toHaveProperty('jti');
  });

  it('shows the public key alone, without the name that its owner gave it', async () => {
    const { jwk } = await generateKey('RS256', 'the-name');
    const key = await selectDpopKey(await parseKeys(JSON.stringify(jwk), 'key.json'), 'key.json');
    const header = decodeProtectedHeader(await proofOf(key)).jwk ?? {};
    expect(Object.keys(header).sort()).toEqual(['e', 'kty', 'n']);
    expect(isPrivate(header)).toBe(false);
    expect((await jwtVerify(await proofOf(key), EmbeddedJWK)).protectedHeader.alg).toBe('RS256');
    expect(key).toMatchObject({ isOwn: true, jkt: expect.stringMatching(/^[\w-]{43}$/) });
  });
});

describe('the algorithm of a proof', () => {
  it.each([
    [undefined, undefined, 'ES256'],
    [undefined, ['PS256', 'ES256'], 'ES256'],
    [undefined, ['HS256', 'PS384', 'RS256'], 'PS384'],
    ['EdDSA', ['ES256'], 'EdDSA'],
  ])('is, for the wish %s and a server that lists %j, %s', async (wanted, supported, alg) => {
    expect((await generateDpopKey(wanted, supported)).alg).toBe(alg);
  });

  it.each([
    ['HS256', undefined],
    ['none', undefined],
    [undefined, ['HS256']],
  ])('is never symmetric or none: %s, %j', async (wanted, supported) => {
    await expect(generateDpopKey(wanted, supported)).rejects.toMatchObject({
      code: 'dpop_alg_unfit',
      exitCode: 2,
    });
  });

  it('of a key of one’s own must be one that the key can and the server lists', async () => {
    const { jwk } = await generateKey('ES384');
    const file = { keys: [jwk], isSet: false };
    expect((await selectDpopKey(file, 'k')).alg).toBe('ES384');
    const two = { keys: [jwk, jwk], isSet: true };
    await expect(selectDpopKey(two, 'k')).rejects.toMatchObject({ code: 'key_ambiguous' });
    await expect(selectDpopKey(file, 'k', undefined, ['ES256'])).rejects.toMatchObject({
      code: 'signing_alg_unfit',
      hint: expect.stringContaining('--dpop-alg'),
    });
  });
});

describe('the nonce of a server', () => {
  it.each([
    ['eyJ7S_zG.eyJH0-Z.HX4w-7v', true],
    ['!#[]~', true],
    [undefined, false],
    ['', false],
    ['a b', false],
    ['a, b', false],
    ['a"b', false],
    ['a\\b', false],
    ['é', false],
  ])('%j is one: %s', (nonce, isOne) => {
    const headers = nonce === undefined ? {} : { 'dpop-nonce': nonce };
    expect(parseDpopNonce({ headers })).toBe(isOne ? nonce : undefined);
  });

  const body = JSON.stringify({ error: 'use_dpop_nonce' });
  const challenge = { 'www-authenticate': 'Bearer, dpop error="use_dpop_nonce"' };
  it.each([
    [400, {}, body, true],
    [401, {}, body, true],
    [401, challenge, '', true],
    [200, challenge, body, false],
    [500, {}, body, false],
    [400, {}, '{"error":"invalid_request"}', false],
    [401, { 'www-authenticate': 'Bearer error="use_dpop_nonce"' }, '', false],
    [401, { 'www-authenticate': 'DPoP error="invalid_token"' }, '', false],
  ])('is wanted by %s %j %s: %s', (status, headers, text, isWanted) => {
    expect(wantsDpopNonce({ status, headers, body: text })).toBe(isWanted);
  });
});
