import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { computeHalfHash } from '../../../src/protocol/jose/token-hash.ts';
import { type IdTokenExpectations, verifyIdToken } from '../../../src/protocol/oidc/id-token.ts';
import {
  buildJwks,
  CLIENT_ID,
  type Claims,
  ISSUER,
  keyFor,
  NOW,
  SECONDS,
  SECRET,
  type Signing,
  sign,
} from '../server-jwts.ts';

const CLAIMS: Claims = { iss: ISSUER, aud: CLIENT_ID, sub: 'user-1', iat: SECONDS, exp: SECONDS + 300 };
const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const CODE = 'Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk';

const verify = async (
  claims: Claims,
  expected: Partial<IdTokenExpectations> = {},
  { alg = 'ES256', ...signing }: Signing = {},
) =>
  verifyIdToken(await sign({ ...CLAIMS, ...claims }, { alg, ...signing }), {
    issuer: ISSUER,
    client_id: CLIENT_ID,
    client_secret: SECRET,
    jwks: await buildJwks(...(alg.startsWith('HS') ? [] : [keyFor(alg)])),
    now: NOW,
    ...expected,
  });

const refused = async (...args: Parameters<typeof verify>): Promise<string> => {
  const error = await verify(...args).then(
    () => expect.fail('it was accepted'),
    (reason: unknown) => reason as Error & { code: string },
  );
  expect(error.code).toBe('id_token_invalid');
  return error.message;
};

describe('the nonce', () => {
  it('is that of the request, or is not looked at where none was sent', async () => {
    expect((await verify({ nonce: 'n-0S6' }, { nonce: 'n-0S6' })).claims.nonce).toBe('n-0S6');
    expect((await verify({ nonce: 'of another time' })).claims.sub).toBe('user-1');
  });

  it('is missed where it is not there', async () => {
    expect(await refused({}, { nonce: 'n-0S6' })).toMatch(/nonce is missing, but one was sent/);
  });

  it.each(['n-0S7', '', 'N-0S6', 'n-0S6 ', null, ['n-0S6'], 1])('is wrong as %j', async (nonce) => {
    const message = await refused({ nonce }, { nonce: 'n-0S6' });
    expect(message).toMatch(/nonce is not the one that was sent/);
    expect(message).not.toContain('n-0S6');
  });
});

describe('the time of the authentication', () => {
  const since = (seconds: number) => ({ auth_time: SECONDS - seconds });

  it.each<[string, Claims, Partial<IdTokenExpectations>]>([
    ['within max_age', since(250), { maxAge: 300 }],
    ['a little beyond it, by clocks that differ', since(350), { maxAge: 300 }],
    ['new, where max_age is 0', since(0), { maxAge: 0 }],
    [
      'within max_age of the request, after a long consent',
      since(900),
      { maxAge: 10, requestedAt: NOW - 900_000 },
    ],
    ['missing, where nobody asked', {}, {}],
  ])('is accepted: %s', async (_what, claims, expected) => {
    expect((await verify(claims, expected)).remarks).toEqual([]);
  });

  it.each<[string, Claims, Partial<IdTokenExpectations>, RegExp]>([
    ['missing', {}, { maxAge: 300 }, /auth_time is missing or not a number, but max_age requires it/],
    ['text', { auth_time: String(SECONDS) }, { maxAge: 300 }, /auth_time is missing or not a number/],
    ['too old', since(400), { maxAge: 300 }, /auth_time is 401 s before .*max_age allows 300 s/],
    ['old, where max_age is 0', since(100), { maxAge: 0 }, /max_age allows 0 s/],
    [
      'too old already at the request',
      since(1000),
      { maxAge: 10, requestedAt: NOW - 900_000 },
      /is 101 s before/,
    ],
    ['in the future', since(-600), { maxAge: 300 }, /auth_time is 599 s in the future/],
  ])('is refused: %s', async (_what, claims, expected, message) => {
    expect(await refused(claims, expected)).toMatch(message);
  });
});

describe('the acr', () => {
  it.each([{ acr: 'bronze' }, {}, { acr: ['gold'] }])(
    'of %j is refused where another is essential',
    async (claims) => {
      await expect(verify(claims, { essentialAcr: ['gold', 'silver'] })).rejects.toThrow(
        /acr is .*gold or silver was requested as essential/,
      );
    },
  );

  it('is accepted where it is one of the essential ones', async () => {
    expect((await verify({ acr: 'silver' }, { essentialAcr: ['gold', 'silver'] })).claims.acr).toBe('silver');
  });

  it.each(['gold', 'silver'])('is %s, as it was asked for', async (acr) => {
    expect((await verify({ acr }, { acrValues: 'gold  silver' })).remarks).toEqual([]);
  });

  it.each([
    [{ acr: '0' }, 'acr is "0", but acr_values requested gold or silver'],
    [{}, 'acr is missing, but acr_values requested gold or silver'],
    [{ acr: ['gold'] }, 'acr is ["gold"], but acr_values requested gold or silver'],
  ])('of %j is remarked and not refused: acr_values are voluntary', async (claims, remark) => {
    expect((await verify(claims, { acrValues: 'gold silver' })).remarks).toEqual([remark]);
  });

  it('is not looked at where nothing was asked', async () => {
    for (const acrValues of [undefined, '', ' ']) {
      expect((await verify({ acr: '0' }, { acrValues })).remarks).toEqual([]);
    }
  });
});

const ALGS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'HS256', 'HS384', 'HS512'],
];
const signingOf = (alg: string): Signing => (alg.startsWith('HS') ? { alg, key: SECRET } : { alg });

describe('a hash', () => {
  it('is the one of the examples in the specification', async () => {
    expect(await computeHalfHash(ACCESS_TOKEN, 'RS256')).toBe('77QmUPtjPfzWtF2AnpK9RQ');
    expect(await computeHalfHash(CODE, 'RS256')).toBe('LDktKdoQak3Pk0cnXxCltA');
  });

  it.each(ALGS)('with %s is accepted where it is right, and refused where it is not', async (alg) => {
    const hashes = {
      at_hash: await computeHalfHash(ACCESS_TOKEN, alg),
      c_hash: await computeHalfHash(CODE, alg),
      s_hash: await computeHalfHash('the-state', alg),
    };
    const came = { accessToken: ACCESS_TOKEN, code: CODE, state: 'the-state' };
    expect((await verify(hashes, came, signingOf(alg))).claims).toMatchObject(hashes);
    expect(await refused(hashes, { ...came, accessToken: 'x' }, signingOf(alg))).toMatch(
      /: at_hash is not the hash of the access token$/,
    );
    expect(await refused(hashes, { ...came, code: 'x' }, signingOf(alg))).toMatch(
      /: c_hash is not the hash of the code$/,
    );
    expect(await refused(hashes, { ...came, state: 'x' }, signingOf(alg))).toMatch(
      /: s_hash is not the hash of the state$/,
    );
  });

  it('is wrong as the whole hash, as that of another algorithm, and as anything that is no text', async () => {
    const whole = Buffer.from(
      await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ACCESS_TOKEN)),
    ).toString('base64url');
    for (const at_hash of [whole, await computeHalfHash(ACCESS_TOKEN, 'ES384'), '', null, 1, ['x']]) {
      expect(await refused({ at_hash }, { accessToken: ACCESS_TOKEN })).toMatch(/at_hash is not the hash/);
    }
  });

  it('may be missing from the token endpoint, and must not from the browser', async () => {
    const came = { accessToken: ACCESS_TOKEN, code: CODE, state: 'the-state' };
    expect((await verify({}, came)).remarks).toEqual([]);
    expect(await refused({}, { ...came, isFrontChannel: true })).toMatch(
      /: at_hash is missing, but the access token was issued with it; c_hash is missing, but the code was issued with it$/,
    );
    expect((await verify({}, { isFrontChannel: true })).remarks).toEqual([]);
  });

  it('is not looked at where what it is of did not come', async () => {
    expect((await verify({ at_hash: 'x', c_hash: 'x', s_hash: 'x' })).claims.sub).toBe('user-1');
  });

  it('of an algorithm without an agreed hash is no hash at all', async () => {
    for (const alg of ['ML-DSA-44', 'none', 'RS1', 'RS2560', ''])
      expect(await computeHalfHash('x', alg)).toBeUndefined();
  });
});

describe('what oauth4webapi says of the same ID token beside a code', () => {
  const now = Math.floor(Date.now() / 1000);
  const STATE = 'the-state';

  const agreement = async (alg: string, claims: Claims, maxAge?: number) => {
    const changed = { ...CLAIMS, iat: now, exp: now + 300, nonce: 'n', ...claims };
    const idToken = await sign(changed, { alg });
    const jwks = await buildJwks(keyFor(alg));
    const ours = verifyIdToken(idToken, {
      issuer: ISSUER,
      client_id: CLIENT_ID,
      jwks,
      alg,
      now: Date.now(),
      nonce: 'n',
      maxAge,
      code: CODE,
      state: STATE,
      isFrontChannel: true,
    });
    const theirs = oauth.validateCodeIdTokenResponse(
      // A new one each time: it remembers the keys by it.
      { issuer: ISSUER, jwks_uri: 'https://as.example/jwks' },
      { client_id: CLIENT_ID, id_token_signed_response_alg: alg },
      new URL(
        `https://client.example/cb#${new URLSearchParams({ code: CODE, id_token: idToken, state: STATE })}`,
      ),
      'n',
      STATE,
      maxAge,
      { [oauth.customFetch]: async () => Response.json(jwks) },
    );
    const [mine, other] = await Promise.allSettled([ours, theirs]);
    expect(mine.status, JSON.stringify([mine, String(Reflect.get(other, 'reason'))])).toBe(other.status);
    return mine.status === 'fulfilled';
  };

  it.each(ALGS.filter((alg) => !alg.startsWith('HS')))('with %s is the same', async (alg) => {
    const c_hash = await computeHalfHash(CODE, alg);
    expect(await agreement(alg, { c_hash })).toBe(true);
    expect(await agreement(alg, { c_hash: await computeHalfHash('x', alg) })).toBe(false);
  });

  it.each<[string, Claims, number | undefined, boolean]>([
    ['no c_hash', { c_hash: undefined }, undefined, false],
    ['no nonce', { nonce: undefined }, undefined, false],
    ['another nonce', { nonce: 'm' }, undefined, false],
    ['another iss', { iss: 'https://evil.example' }, undefined, false],
    ['another aud', { aud: 'another' }, undefined, false],
    ['no sub', { sub: undefined }, undefined, false],
    ['no auth_time, where max_age was sent', {}, 300, false],
    ['an auth_time too old', { auth_time: now - 1000 }, 300, false],
    ['a recent auth_time', { auth_time: now - 100 }, 300, true],
    ['an exp long past', { exp: now - 1000 }, undefined, false],
    ['an nbf far ahead', { nbf: now + 1000 }, undefined, false],
    ['a wrong s_hash', { s_hash: 'x' }, undefined, false],
  ])('for %s', async (_what, claims, maxAge, accepted) => {
    const c_hash = await computeHalfHash(CODE, 'ES256');
    expect(await agreement('ES256', { c_hash, ...claims }, maxAge)).toBe(accepted);
  });

  it('for a right s_hash', async () => {
    const hashes = {
      c_hash: await computeHalfHash(CODE, 'ES256'),
      s_hash: await computeHalfHash(STATE, 'ES256'),
    };
    expect(await agreement('ES256', hashes)).toBe(true);
  });
});

describe('further audiences', () => {
  const aud = [CLIENT_ID, 'https://api.example'];
  const trustedAudiences = ['https://api.example', 'other'];

  it('are accepted where they were named and azp is the client', async () => {
    expect((await verify({ aud, azp: CLIENT_ID }, { trustedAudiences })).claims.aud).toEqual(aud);
  });

  it.each<[string, Claims, Partial<IdTokenExpectations>, RegExp]>([
    [
      'were not named',
      { aud, azp: CLIENT_ID },
      {},
      /aud also names https:\/\/api\.example, which is not trusted/,
    ],
    [
      'were named in part',
      { aud: [...aud, 'x'], azp: CLIENT_ID },
      { trustedAudiences },
      /aud also names x, which/,
    ],
    ['come without azp', { aud }, { trustedAudiences }, /azp is missing; with several audiences/],
    [
      'come with the azp of another',
      { aud, azp: 'other' },
      { trustedAudiences },
      /azp is "other", expected test-client/,
    ],
    [
      'come without the client',
      { aud: ['https://api.example'], azp: CLIENT_ID },
      { trustedAudiences },
      /aud is \["https/,
    ],
  ])('are refused where they %s', async (_why, claims, expected, message) => {
    expect(await refused(claims, expected)).toMatch(message);
  });

  it('are refused with the remedy where trusting them would do', async () => {
    await expect(verify({ aud, azp: CLIENT_ID })).rejects.toMatchObject({
      hint: expect.stringContaining('--trust-audience "https://api.example"'),
    });
    await expect(verify({ aud, azp: 'other' })).rejects.toMatchObject({
      hint: expect.not.stringContaining('--trust-audience'),
    });
  });
});

describe('the leeway', () => {
  it.each<[Claims, number, boolean]>([
    [{ exp: SECONDS - 30, iat: SECONDS - 90 }, 0, false],
    [{ exp: SECONDS - 30, iat: SECONDS - 90 }, 29, false],
    [{ exp: SECONDS - 30, iat: SECONDS - 90 }, 60, true],
    [{ iat: SECONDS + 100 }, 0, false],
    [{ iat: SECONDS + 100 }, 120, true],
    [{ nbf: SECONDS + 100 }, 0, false],
    [{ nbf: SECONDS + 100 }, 120, true],
  ])('with %j and %d s the ID token is accepted: %s', async (claims, leeway, isAccepted) => {
    const verified = verify(claims, { leeway });
    if (isAccepted) expect((await verified).claims.sub).toBe('user-1');
    else await expect(verified).rejects.toMatchObject({ hint: expect.stringContaining('--leeway SECONDS') });
  });
});

describe('a time in milliseconds', () => {
  it.each(['exp', 'iat', 'nbf'])('as %s is refused as such', async (name) => {
    const time = NOW + 60_000;
    expect(await refused({ [name]: time })).toContain(`${name} is ${time}, which is in milliseconds`);
  });
});

describe('an ID token of a refresh', () => {
  const original = { ...CLAIMS, azp: CLIENT_ID, auth_time: SECONDS - 60, nonce: 'n' };

  it.each<[string, Claims]>([
    ['the same claims', original],
    ['no nonce and no auth_time', { azp: CLIENT_ID }],
    ['another time of issue', { ...original, iat: SECONDS - 1, exp: SECONDS + 900, sid: 'x' }],
  ])('with %s is accepted', async (_what, claims) => {
    expect((await verify(claims, { original })).claims.sub).toBe('user-1');
  });

  it.each<[string, Claims]>([
    ['sub', { ...original, sub: 'user-2' }],
    ['azp', { ...original, azp: undefined }],
    ['auth_time', { ...original, auth_time: SECONDS }],
    ['nonce', { ...original, nonce: 'other' }],
  ])('with another %s is refused', async (name, claims) => {
    expect(await refused(claims, { original })).toMatch(
      new RegExp(`${name} is .*, but in the original ID token it is`),
    );
  });

  it('with other audiences or another issuer is refused', async () => {
    const aud = [CLIENT_ID, 'api'];
    const expected = { trustedAudiences: ['api'], original: { ...original, aud } };
    expect((await verify({ ...original, aud: ['api', CLIENT_ID] }, expected)).claims.sub).toBe('user-1');
    expect(await refused(original, expected)).toContain('aud is "test-client", but in the original');
    const elsewhere = { original: { ...original, iss: 'https://other.example' } };
    expect(await refused(original, elsewhere)).toContain(`iss is "${ISSUER}", but in the original`);
  });

  it('without an azp before and now is accepted, and with one now refused', async () => {
    const { azp: _none, ...bare } = original;
    expect((await verify(bare, { original: bare })).claims.sub).toBe('user-1');
    expect(await refused(original, { original: bare })).toContain(
      'azp is "test-client", but in the original',
    );
  });
});

describe('an encoding that is not to the letter', () => {
  it.each<[string, (jwt: string) => string]>([
    [
      'padding',
      (jwt) =>
        jwt
          .split('.')
          .map((part) => part + '='.repeat(-part.length & 3))
          .join('.'),
    ],
    ['line breaks', (jwt) => jwt.replace(/.{40}/g, '$&\r\n')],
  ])('%s is left out before the signature is verified, and that is said', async (_what, spoil) => {
    const repairs: string[] = [];
    const keys = { issuer: ISSUER, client_id: CLIENT_ID, jwks: await buildJwks(keyFor('ES256')), now: NOW };
    const jwt = spoil(await sign({ ...CLAIMS, pad: 'x' }));
    const { claims } = await verifyIdToken(jwt, { ...keys, onRepair: (what) => repairs.push(what) });
    expect(claims.sub).toBe('user-1');
    expect(repairs).toHaveLength(1);
    const altered = spoil(`${(await sign(CLAIMS)).slice(0, -4)}AAAA`);
    await expect(verifyIdToken(altered, keys)).rejects.toMatchObject({ code: 'id_token_invalid' });
  });
});
