import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactEncrypt, CompactSign, exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { JwtExpectations, JwtVerdict } from '../../../src/protocol/jose/jwt-verdict.ts';
import { verifyJwt } from '../../../src/protocol/jose/jwt-verification.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const ISSUER = 'https://as.example/realms/one';
const CLAIMS = {
  iss: ISSUER,
  aud: ['api', 'account'],
  sub: 'taro',
  client_id: 'app',
  jti: 'one',
  iat: SECONDS - 10,
  exp: SECONDS + 300,
};

type Json = Readonly<Record<string, unknown>>;

let rsa: { publicKey: KeyObject; privateKey: KeyObject };
let p256: { publicKey: KeyObject; privateKey: KeyObject };
let p384: { publicKey: KeyObject; privateKey: KeyObject };
let stranger: { publicKey: KeyObject; privateKey: KeyObject };
let jwks: JSONWebKeySet;

beforeAll(async () => {
  rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  jwks = {
    keys: [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
      { ...(await exportJWK(p256.publicKey)), kid: 'p256' },
      { ...(await exportJWK(p384.publicKey)), kid: 'p384' },
      {
        ...(await exportJWK(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)),
        kid: 'enc',
        use: 'enc',
      },
    ],
  };
});

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');

/** Signs whatever text stands for header and claims, with no opinion about it. */
function signed(header: Json | string, claims: Json | string, key: KeyObject = rsa.privateKey): string {
  const text = (value: Json | string) => encode(typeof value === 'string' ? value : JSON.stringify(value));
  const input = `${text(header)}.${text(claims)}`;
  return `${input}.${encode(sign('sha256', Buffer.from(input), key))}`;
}

const rs256 = { alg: 'RS256', kid: 'rsa', typ: 'at+jwt' };

function verify(token: string, more: Partial<JwtExpectations> = {}): Promise<JwtVerdict> {
  return verifyJwt(token, { keys: jwks, issuer: ISSUER, audience: ['api'], now: NOW, ...more });
}

/** Every check that failed, as `name reason`. */
const failures = ({ checks }: JwtVerdict) =>
  checks.filter(({ outcome }) => outcome === 'failed').map(({ name, reason }) => `${name} ${reason}`);

async function refused(token: string, more?: Partial<JwtExpectations>): Promise<string[]> {
  const verdict = await verify(token, more);
  expect(verdict.valid).toBe(false);
  return failures(verdict);
}

describe('a token that nothing is wrong with', () => {
  it('is valid, and every check says so', async () => {
    const verdict = await verify(signed(rs256, CLAIMS), { profile: 'access_token' });
    expect(failures(verdict)).toEqual([]);
    expect(verdict.valid).toBe(true);
    expect(verdict.claims).toEqual(CLAIMS);
  });

  it('may name a key that it would like, as long as the trusted one made the signature', async () => {
    const verdict = await verify(signed({ ...rs256, jku: 'https://evil.example/jwks' }, CLAIMS));
    expect(verdict.valid).toBe(true);
    expect(verdict.checks.find(({ name }) => name === 'key')?.detail).toContain('jku is not used');
  });
});

describe('the algorithm', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', ' none', 'none\u0000', 'none '])('%j is refused', async (alg) => {
    for (const signature of ['', encode('x'), signed(rs256, CLAIMS).split('.')[2]]) {
      const token = `${encode(JSON.stringify({ alg }))}.${encode(JSON.stringify(CLAIMS))}.${signature}`;
      expect(await refused(token)).toEqual([alg.includes('\u0000') ? 'alg alg_unknown' : 'alg alg_none']);
    }
  });

  it('none is refused although it is allowed by name', async () => {
    const token = `${encode('{"alg":"none"}')}.${encode(JSON.stringify(CLAIMS))}.`;
    expect(await refused(token, { algs: ['none', 'RS256'] })).toEqual(['alg alg_none']);
  });

  it.each([[undefined], [null], [''], [5], [['RS256']], [{}]])('%j is refused as missing', async (alg) => {
    expect(await refused(signed({ ...rs256, alg }, CLAIMS))).toEqual(['alg alg_missing']);
  });

  it('in other letters is refused as unknown', async () => {
    expect(await refused(signed({ ...rs256, alg: 'rs256' }, CLAIMS))).toEqual(['alg alg_unknown']);
  });

  it.each(['HS256', 'HS384', 'HS512'])(
    '%s with the public key as the secret is refused, in every form of the key',
    async (alg) => {
      const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
      for (const secret of [pem, pem.trim(), der, JSON.stringify(jwks.keys[0])]) {
        const input = `${encode(JSON.stringify({ alg, kid: 'rsa' }))}.${encode(JSON.stringify(CLAIMS))}`;
        const token = `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest('base64url')}`;
        expect(await refused(token)).toEqual(['alg alg_confusion']);
        expect(await refused(token, { algs: [alg] })).toEqual(['alg alg_confusion']);
        const [key] = jwks.keys;
        if (key) expect(await refused(token, { keys: { key } })).toEqual(['alg alg_confusion']);
      }
    },
  );

  it('of a key that belongs to no allowed algorithm is refused', async () => {
    expect(await refused(signed(rs256, CLAIMS), { algs: ['ES256'] })).toEqual(['alg alg_not_allowed']);
  });

  it('of public keys is refused where a secret is shared', async () => {
    expect(await refused(signed(rs256, CLAIMS), { keys: { secret: 's'.repeat(32) } })).toEqual([
      'alg alg_unfit',
    ]);
  });

  it('that the key is not registered for is refused', async () => {
    expect(await refused(signed({ ...rs256, alg: 'PS256' }, CLAIMS))).toEqual(['alg alg_unfit']);
  });

  it('of another curve than the key’s is refused', async () => {
    const token = signed({ alg: 'ES256', kid: 'p384' }, CLAIMS, p384.privateKey);
    expect(await refused(token)).toEqual(['key key_unfit']);
  });
});

describe('a key that the token brings along', () => {
  it('as jwk is never used', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    expect(await refused(signed({ alg: 'RS256', kid: 'mine', jwk }, CLAIMS, stranger.privateKey))).toEqual([
      'key jwk_not_trusted',
    ]);
    expect(await refused(signed({ ...rs256, jwk }, CLAIMS, stranger.privateKey))).toEqual([
      'signature jwk_not_trusted',
    ]);
  });

  it.each(['jku', 'x5u'])('by %s is never fetched', async (name) => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.end(JSON.stringify({ keys: [] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    const token = signed({ alg: 'RS256', kid: 'mine', [name]: url }, CLAIMS, stranger.privateKey);
    expect(await refused(token)).toEqual([`key ${name}_not_trusted`]);
    expect(requests).toBe(0);
    // The listener does count.
    await fetch(url);
    expect(requests).toBe(1);
  });

  it('as x5c is never used', async () => {
    const x5c = [stranger.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')];
    expect(await refused(signed({ ...rs256, x5c }, CLAIMS, stranger.privateKey))).toEqual([
      'signature x5c_not_trusted',
    ]);
  });
});

describe('the kid', () => {
  it.each([
    '../../../../dev/null',
    '/etc/passwd',
    "x' UNION SELECT 'secret' --",
    'rsa\u0000',
    '| id',
    '__proto__',
    '',
    'RSA',
    'enc',
    0,
    null,
    ['rsa'],
    { kid: 'rsa' },
  ])('%j is the name of no key', async (kid) => {
    expect(await refused(signed({ ...rs256, kid }, CLAIMS))).toEqual(['key key_unknown']);
  });

  it('may be missing: every key that fits is tried', async () => {
    const verdict = await verify(signed({ alg: 'RS256' }, CLAIMS));
    expect(verdict.valid).toBe(true);
  });
});

describe('critical extensions', () => {
  it.each([
    [{ crit: ['exp'], exp: 1 }, 'crit crit_unknown'],
    [{ crit: ['urn:example:unknown'], 'urn:example:unknown': true }, 'crit crit_unknown'],
    [{ crit: [] }, 'crit crit_malformed'],
    [{ crit: 'exp' }, 'crit crit_malformed'],
    [{ crit: [1] }, 'crit crit_malformed'],
    [{ crit: null }, 'crit crit_malformed'],
    [{ crit: ['b64'], b64: false }, 'crit b64_false'],
    [{ b64: false }, 'crit b64_false'],
  ])('%j are refused', async (parameters, failure) => {
    expect(await refused(signed({ ...rs256, ...parameters }, CLAIMS))).toEqual([failure]);
  });

  it('with b64 false over the bare payload are refused', async () => {
    const header = encode(JSON.stringify({ ...rs256, crit: ['b64'], b64: false }));
    const payload = 'not-encoded';
    const signature = encode(sign('sha256', Buffer.from(`${header}.${payload}`), rsa.privateKey));
    expect(await refused(`${header}.${payload}.${signature}`)).toEqual(['format not_base64url']);
  });
});

describe('duplicate members', () => {
  it.each([
    ['{"alg":"none","alg":"RS256","kid":"rsa"}', 'format header_duplicate_member'],
    ['{"alg":"RS256","\\u0061lg":"none","kid":"rsa"}', 'format header_duplicate_member'],
  ])('of the header %s are refused', async (header, failure) => {
    expect(await refused(signed(header, CLAIMS))).toEqual([failure]);
  });

  it.each([
    `{"sub":"admin",${JSON.stringify(CLAIMS).slice(1)}`,
    `${JSON.stringify(CLAIMS).slice(0, -1)},"realm_access":{"roles":[],"roles":["admin"]}}`,
    `${JSON.stringify(CLAIMS).slice(0, -1)},"list":[{"a":[1,"]{,"],"a":2}]}`,
  ])('of the claims %s are refused', async (claims) => {
    expect(await refused(signed(rs256, claims))).toEqual(['format claims_duplicate_member']);
  });

  it('are none where the same name stands in different objects, or in a string', async () => {
    const claims = { ...CLAIMS, a: { sub: 1 }, b: [{ sub: 1 }, { sub: 2 }], c: '{"c":1,"c":"\\"', 'a"b': 1 };
    expect((await verify(signed(rs256, claims))).valid).toBe(true);
  });
});

describe('the signature', () => {
  it.each([
    [64, 'signature signature_zero'],
    [63, 'signature signature_zero'],
    [0, 'signature signature_missing'],
  ])('of ECDSA that is %i zeros is refused', async (length, failure) => {
    const [header, claims] = signed({ alg: 'ES256', kid: 'p256' }, CLAIMS).split('.');
    expect(await refused(`${header}.${claims}.${encode(Buffer.alloc(length))}`)).toEqual([failure]);
  });

  it('of ECDSA with r or s zero is refused', async () => {
    const [header, claims] = signed({ alg: 'ES256', kid: 'p256' }, CLAIMS).split('.');
    for (const zeros of [0, 32]) {
      const forged = Buffer.alloc(64, 7).fill(0, zeros, zeros + 32);
      expect(await refused(`${header}.${claims}.${encode(forged)}`)).toEqual(['signature signature_zero']);
    }
  });

  it('of ECDSA in DER is refused', async () => {
    expect(await refused(signed({ alg: 'ES256', kid: 'p256' }, CLAIMS, p256.privateKey))).toEqual([
      'signature signature_length',
    ]);
  });

  it('that is cut short is refused', async () => {
    expect(await refused(signed(rs256, CLAIMS).slice(0, -42))).toEqual(['signature signature_length']);
  });

  it('of other claims is refused', async () => {
    const [header, , signature] = signed(rs256, CLAIMS).split('.');
    const claims = encode(JSON.stringify({ ...CLAIMS, sub: 'admin' }));
    expect(await refused(`${header}.${claims}.${signature}`)).toEqual(['signature signature_wrong']);
  });

  it('by a key for encryption is refused', async () => {
    const verdict = await verify(signed({ ...rs256, kid: 'enc' }, CLAIMS));
    expect(failures(verdict)).toEqual(['key key_unknown']);
  });

  it('of an RSA key that is too short is refused', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const keys = { keys: [{ ...(await exportJWK(short.publicKey)), kid: 'rsa' }] };
    expect(await refused(signed(rs256, CLAIMS, short.privateKey), { keys })).toEqual([
      'signature key_unusable',
    ]);
  });
});

describe('the form', () => {
  it.each([
    ['', 'format not_a_jwt'],
    ['.', 'format not_a_jwt'],
    ['..', 'format header_not_json'],
    ['opaque', 'format not_a_jwt'],
    ['a.b.c.d', 'format not_a_jwt'],
    ['a.b.c.d.e.f', 'format not_a_jwt'],
    [`${encode('[]')}.${encode('{}')}.AA`, 'format header_not_json'],
    [`${encode('{"alg":"RS256"}')}.${encode('null')}.AA`, 'format claims_not_json'],
    [
      `${encode('{"alg":"RS256"}')}.${encode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))}.AA`,
      'format claims_not_json',
    ],
  ])('%j is refused', async (token, failure) => {
    expect(await refused(token)).toContain(failure);
  });

  it('that is truncated says so', async () => {
    const [header, claims] = signed(rs256, CLAIMS).split('.');
    for (const token of [header, `${header}.`, `${header}.${claims}`, `${header}.${claims?.slice(0, 20)}`])
      expect(await refused(token ?? '')).toContain('format truncated');
  });

  it.each([
    ['padding', (token: string) => `${token}==`],
    ['a line break', (token: string) => `${token}\n`],
    ['base64 instead of base64url', (token: string) => `${token.slice(0, -4)}+/+/`],
    ['stray bits', (token: string) => `${token.slice(0, -1)}${token.endsWith('R') ? 'S' : 'R'}`],
  ])('with %s is refused', async (_what, alter) => {
    expect(await refused(alter(signed(rs256, CLAIMS)))).toEqual(['format not_base64url']);
  });

  it('of 10 MB is refused without being read', async () => {
    const token = signed(rs256, { ...CLAIMS, filler: 'x'.repeat(10 * 1024 * 1024) });
    const verdict = await verify(token);
    expect(failures(verdict)).toEqual(['format too_large']);
    expect(verdict.header).toBeUndefined();
  });

  it.each(['[', '{"a":'])('of deep JSON is refused: %s', async (open) => {
    const close = open === '[' ? ']' : '}';
    const deep = `{"sub":${open.repeat(20_000)}1${close.repeat(20_000)}}`;
    expect(await refused(signed(rs256, deep))).toEqual(['format claims_too_deep']);
    expect(await refused(signed(deep, CLAIMS))).toEqual(['format header_too_deep']);
  });
});

describe('a JWE', () => {
  it('is refused, for nothing is decrypted here', async () => {
    const { publicKey } = await generateKeyPair('RSA-OAEP-256');
    const token = await new CompactEncrypt(new TextEncoder().encode(signed(rs256, CLAIMS)))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
      .encrypt(publicKey);
    expect(await refused(token)).toEqual(['format encrypted']);
  });

  it('that would inflate to a bomb is refused unread', async () => {
    const header = encode(JSON.stringify({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }));
    expect(await refused(`${header}..${encode('iv')}.${encode('x'.repeat(1000))}.${encode('tag')}`)).toEqual([
      'format compressed',
    ]);
  });
});

describe('times', () => {
  it.each([
    [{ exp: String(SECONDS + 300) }, 'exp time_not_a_number'],
    [{ exp: null }, 'exp time_not_a_number'],
    [{ exp: [SECONDS + 300] }, 'exp time_not_a_number'],
    [{ exp: true }, 'exp time_not_a_number'],
    [{ exp: -1 }, 'exp time_out_of_range'],
    [{ exp: 1e300 }, 'exp time_out_of_range'],
    [{ exp: (SECONDS + 300) * 1000 }, 'exp time_out_of_range'],
    [{ exp: SECONDS }, 'exp expired'],
    [{ exp: SECONDS - 1 }, 'exp expired'],
    [{ nbf: SECONDS + 1 }, 'nbf not_yet_valid'],
    [{ nbf: 'now' }, 'nbf time_not_a_number'],
    [{ iat: SECONDS + 1 }, 'iat issued_in_future'],
    [{ iat: '0' }, 'iat time_not_a_number'],
  ])('%j is refused', async (claims, failure) => {
    expect(await refused(signed(rs256, { ...CLAIMS, ...claims }))).toEqual([failure]);
  });

  it('that overflow to infinity are refused', async () => {
    const claims = JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e400');
    expect(await refused(signed(rs256, claims))).toEqual(['exp time_out_of_range']);
  });

  it('may differ by the leeway and no more', async () => {
    const token = signed(rs256, { ...CLAIMS, exp: SECONDS - 5, nbf: SECONDS + 5, iat: SECONDS + 5 });
    expect((await verify(token, { leeway: 6 })).valid).toBe(true);
    expect(await refused(token, { leeway: 4 })).toEqual([
      'exp expired',
      'nbf not_yet_valid',
      'iat issued_in_future',
    ]);
    expect(await refused(token, { leeway: 5 })).toEqual(['exp expired']);
  });

  it('that are missing never expire, which is told, and refused where exp is required', async () => {
    const { exp: _exp, ...claims } = CLAIMS;
    const token = signed(rs256, claims);
    expect((await verify(token)).valid).toBe(true);
    expect(await refused(token, { required: ['exp'] })).toEqual(['exp claim_missing']);
    expect(await refused(token, { profile: 'access_token' })).toEqual(['exp claim_missing']);
  });
});

describe('issuer and audience', () => {
  it.each([
    [`${ISSUER}/`, 'a trailing slash only'],
    [ISSUER.replace('https', 'http'), 'http and https only'],
    [ISSUER.replace('as.example', 'localhost'), 'host name only'],
    [ISSUER.replace('as.example', 'as.example:8443'), 'port only'],
    [ISSUER.toUpperCase(), 'upper and lower case only'],
    [`${ISSUER.replace('as.example', 'as.example:443')}`, 'spelling only'],
  ])('%s is another issuer, and the difference is told', async (iss, difference) => {
    const verdict = await verify(signed(rs256, { ...CLAIMS, iss }));
    expect(failures(verdict)).toEqual(['iss issuer_mismatch']);
    expect(verdict.checks.find(({ name }) => name === 'iss')?.detail).toContain(difference);
  });

  it.each([
    [{ iss: undefined }, 'iss issuer_missing'],
    [{ iss: [ISSUER] }, 'iss issuer_mismatch'],
    [{ aud: undefined }, 'aud audience_missing'],
    [{ aud: ['account', 'other'] }, 'aud audience_mismatch'],
    [{ aud: 'api2' }, 'aud audience_mismatch'],
    [{ aud: 'API' }, 'aud audience_mismatch'],
    [{ aud: [] }, 'aud audience_malformed'],
    [{ aud: { api: true } }, 'aud audience_malformed'],
    [{ aud: ['api', 5] }, 'aud audience_malformed'],
  ])('%j is refused', async (claims, failure) => {
    expect(await refused(signed(rs256, { ...CLAIMS, ...claims }))).toEqual([failure]);
  });
});

describe('another kind of token', () => {
  it.each([
    [{ typ: 'ID' }, 'JWT'],
    [{ typ: 'Refresh' }, 'JWT'],
    [{ at_hash: 'x' }, 'JWT'],
    [{ nonce: 'n' }, 'JWT'],
    [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, 'JWT'],
  ])('%j is no access token', async (claims, typ) => {
    const token = signed({ ...rs256, typ }, { ...CLAIMS, ...claims });
    expect(await refused(token, { accessTokenOnly: true })).toEqual(['kind not_an_access_token']);
    expect(await refused(token, { profile: 'access_token' })).toEqual([
      'typ type_unexpected',
      'kind not_an_access_token',
    ]);
  });

  it('is told from an access token of Keycloak, which may hold a nonce', async () => {
    const token = signed({ ...rs256, typ: 'JWT' }, { ...CLAIMS, typ: 'Bearer', nonce: 'n' });
    expect((await verify(token, { accessTokenOnly: true })).valid).toBe(true);
  });

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt'])(
    'typ %s is an access token, and no ID token',
    async (typ) => {
      const token = signed({ ...rs256, typ }, CLAIMS);
      expect((await verify(token, { profile: 'access_token' })).valid).toBe(true);
      expect(await refused(token, { profile: 'id_token', clientId: 'api', audience: ['account'] })).toEqual([
        'typ type_unexpected',
        'azp azp_missing',
      ]);
    },
  );
});

describe('several failures', () => {
  it('are all listed, after a wrong signature too', async () => {
    const claims = { iss: `${ISSUER}/`, aud: 'other', exp: SECONDS - 60, nbf: SECONDS + 60 };
    expect(await refused(signed(rs256, claims, stranger.privateKey))).toEqual([
      'signature signature_wrong',
      'iss issuer_mismatch',
      'aud audience_mismatch',
      'exp expired',
      'nbf not_yet_valid',
    ]);
  });

  it('never leave a token valid whose signature was not checked', async () => {
    const verdict = await verify(signed(rs256, CLAIMS), { keys: async () => undefined });
    expect(verdict.valid).toBe(false);
    expect(failures(verdict)).toEqual(['key key_unknown']);
  });

  it('are told in short, whatever a token holds', async () => {
    const { checks } = await verify(signed(rs256, { ...CLAIMS, iss: 'x'.repeat(100_000) }));
    expect(checks).not.toEqual([]);
    for (const { detail } of checks) expect(detail.length).toBeLessThan(1000);
  });
});

describe('keys that are strange', () => {
  it('do not keep the right one from being found', async () => {
    const keys = {
      keys: [
        null,
        5,
        {},
        { kty: 'oct', k: 'AAAA', kid: 'rsa' },
        { kty: 'OKP', crv: 'X448', x: 'AA' },
        ...jwks.keys,
      ],
    } as unknown as JSONWebKeySet;
    expect((await verify(signed(rs256, CLAIMS), { keys })).valid).toBe(true);
  });

  it('are told when they are broken', async () => {
    const keys = { keys: [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'p256' }] };
    const token = `${encode('{"alg":"ES256","kid":"p256"}')}.${encode(JSON.stringify(CLAIMS))}.${encode(Buffer.alloc(64, 9))}`;
    expect(await refused(token, { keys })).toEqual(['signature key_unusable']);
  });

  it('may be private: their public part is used', async () => {
    const keys = { keys: [{ ...(await exportJWK(rsa.privateKey)), kid: 'rsa' }] };
    expect((await verify(signed(rs256, CLAIMS), { keys })).valid).toBe(true);
  });
});

describe('what jose signs', () => {
  it.each(['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA', 'Ed25519'])('with %s is valid', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ alg, kid: 'k' })
      .sign(privateKey);
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] };
    expect(failures(await verify(token, { keys }))).toEqual([]);
  });

  it('with a shared secret is valid by that secret alone', async () => {
    const secret = 'a-shared-secret-of-some-length-at-least';
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(CLAIMS)))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect((await verify(token, { keys: { secret } })).valid).toBe(true);
    expect(await refused(token, { keys: { secret: `${secret}!` } })).toEqual(['signature signature_wrong']);
    expect(await refused(token, { keys: { secret: '' } })).toHaveLength(1);
  });
});
