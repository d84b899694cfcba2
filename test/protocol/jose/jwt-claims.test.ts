import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JwtExpectations } from '../../../src/protocol/jose/jwt-verdict.ts';
import { verifyJwt } from '../../../src/protocol/jose/jwt-verification.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const ISSUER = 'https://as.example';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

type Claims = Readonly<Record<string, unknown>>;

let jwks: JSONWebKeySet;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  privateKey = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k' }] };
});

async function check(claims: Claims, more: Partial<JwtExpectations>, typ?: string) {
  const header = { alg: 'ES256', kid: 'k', ...(typ !== undefined && { typ }) };
  const token = await new SignJWT({ ...claims }).setProtectedHeader(header).sign(privateKey);
  const { checks, valid } = await verifyJwt(token, { keys: jwks, issuer: ISSUER, now: NOW, ...more });
  const of = (outcome: string) => checks.filter((one) => one.outcome === outcome);
  return {
    valid,
    checks,
    failed: of('failed').map(({ name, reason }) => `${name} ${reason}`),
    passed: of('passed').map(({ name }) => name),
    skipped: of('skipped').map(({ name }) => name),
  };
}

const hashOf = (value: string) =>
  createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');

const without = (claims: Claims, ...names: string[]) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

describe('as an access token of RFC 9068', () => {
  const CLAIMS = {
    ...{ iss: ISSUER, sub: 's', aud: 'api', client_id: 'app', jti: 'j' },
    ...{ iat: SECONDS - 1, exp: SECONDS + 60 },
  };
  const expected = { profile: 'access_token', audience: ['api'] } as const;

  it('a complete one is valid', async () => {
    expect(await check(CLAIMS, expected, 'at+jwt')).toMatchObject({ valid: true, failed: [] });
  });

  it.each(['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'])('%s must be there', async (name) => {
    const { failed } = await check(without(CLAIMS, name), expected, 'at+jwt');
    expect(failed).toEqual([
      { iss: 'iss issuer_missing', aud: 'aud audience_missing' }[name] ?? `${name} claim_missing`,
    ]);
  });

  it.each([undefined, 'JWT', 'jwt', 'application/x/at+jwt'])('typ %s is refused', async (typ) => {
    expect((await check(CLAIMS, expected, typ)).failed).toEqual(['typ type_unexpected']);
  });

  it('typ may be loosened for a server that does not keep to it', async () => {
    expect((await check(CLAIMS, { ...expected, types: ['JWT'] }, 'JWT')).failed).toEqual([]);
  });

  it.each([
    ['sub', ''],
    ['jti', 5],
    ['client_id', ['app']],
  ])('%s must be a string: %j', async (name, value) => {
    expect((await check({ ...CLAIMS, [name]: value }, expected, 'at+jwt')).failed).toEqual([
      `${name} claim_malformed`,
    ]);
  });
});

describe('as an ID token', () => {
  const CLAIMS = { iss: ISSUER, sub: 's', aud: 'app', iat: SECONDS - 1, exp: SECONDS + 60 };
  const expected = { profile: 'id_token', clientId: 'app' } as const;

  it('a plain one is valid, and what could not be checked is told', async () => {
    const { failed, skipped } = await check(CLAIMS, expected);
    expect(failed).toEqual([]);
    expect(skipped).toEqual(['nbf', 'azp', 'nonce', 'at_hash', 'c_hash']);
  });

  it('binds access token, code and nonce', async () => {
    const claims = { ...CLAIMS, at_hash: hashOf('access'), c_hash: hashOf('code'), nonce: 'n', azp: 'app' };
    const bound = { ...expected, accessToken: 'access', code: 'code', nonce: 'n' };
    const { failed, passed } = await check(claims, bound, 'JWT');
    expect(failed).toEqual([]);
    expect(passed).toEqual(expect.arrayContaining(['at_hash', 'c_hash', 'nonce', 'azp']));
    const others = { ...expected, accessToken: 'access2', code: 'code2', nonce: 'n2', clientId: 'app' };
    expect((await check(claims, others)).failed).toEqual([
      'nonce nonce_mismatch',
      'at_hash hash_mismatch',
      'c_hash hash_mismatch',
    ]);
  });

  it('must have the nonce that was sent', async () => {
    expect((await check(CLAIMS, { ...expected, nonce: 'n' })).failed).toEqual(['nonce nonce_mismatch']);
  });

  it('of another client, or for others as well, is refused', async () => {
    expect((await check({ ...CLAIMS, aud: 'other' }, expected)).failed).toEqual(['aud audience_mismatch']);
    expect((await check({ ...CLAIMS, azp: 'other' }, expected)).failed).toEqual(['azp azp_mismatch']);
    const shared = { ...CLAIMS, aud: ['app', 'api'], azp: 'app' };
    expect((await check(shared, expected)).failed).toEqual(['aud audience_untrusted']);
    expect((await check(shared, { ...expected, audience: ['api'] })).failed).toEqual([]);
  });

  it.each(['at+jwt', 'logout+jwt', 'dpop+jwt'])('with typ %s is something else', async (typ) => {
    expect((await check(CLAIMS, expected, typ)).failed).toEqual(['typ type_unexpected']);
  });

  it('has its age from auth_time', async () => {
    expect((await check(CLAIMS, { ...expected, maxAge: 60 })).failed).toEqual(['max_age age_unknown']);
    const old = { ...CLAIMS, auth_time: SECONDS - 61 };
    expect((await check(old, { ...expected, maxAge: 60 })).failed).toEqual(['max_age too_old']);
    expect((await check(old, { ...expected, maxAge: 60, leeway: 1 })).failed).toEqual([]);
  });
});

describe('as a logout token', () => {
  const CLAIMS = {
    ...{ iss: ISSUER, aud: 'app', jti: 'j', sid: 'session', iat: SECONDS - 1, exp: SECONDS + 60 },
    events: { [EVENT]: {} },
  };
  const expected = { profile: 'logout_token', clientId: 'app' } as const;

  it.each([undefined, 'logout+jwt', 'JWT'])('a complete one is valid with typ %s', async (typ) => {
    expect((await check(CLAIMS, expected, typ)).failed).toEqual([]);
  });

  it.each([
    [without(CLAIMS, 'events'), 'events event_missing'],
    [{ ...CLAIMS, events: { other: {} } }, 'events event_missing'],
    [{ ...CLAIMS, events: { [EVENT]: true } }, 'events event_missing'],
    [{ ...CLAIMS, events: [EVENT] }, 'events event_missing'],
    [without(CLAIMS, 'sid'), 'sid subject_missing'],
    [without(CLAIMS, 'jti'), 'jti claim_missing'],
    [without(CLAIMS, 'iat'), 'iat claim_missing'],
    [without(CLAIMS, 'exp'), 'exp claim_missing'],
    [{ ...CLAIMS, nonce: 'n' }, 'nonce nonce_present'],
    [{ ...CLAIMS, aud: 'other' }, 'aud audience_mismatch'],
  ])('%j is refused', async (claims, failure) => {
    expect((await check(claims, expected)).failed).toEqual([failure]);
  });

  it('may say who instead of which session', async () => {
    expect((await check({ ...without(CLAIMS, 'sid'), sub: 's' }, expected)).failed).toEqual([]);
  });
});

describe('a claim', () => {
  const CLAIMS = {
    'https://example.com/tier': 'gold',
    realm_access: { roles: ['admin', 'user'] },
    scope: 'openid profile',
    level: 3,
    admin: false,
    empty: null,
    nested: { a: { b: 1, c: [1, { d: 2 }] } },
  };

  it.each([
    ['level', 3],
    ['admin', false],
    ['empty', null],
    ['https://example.com/tier', 'gold'],
    ['realm_access.roles', 'admin'],
    ['realm_access.roles', ['admin', 'user']],
    ['realm_access.roles.1', 'user'],
    ['scope', 'profile'],
    ['scope', 'openid profile'],
    ['nested.a', { c: [1, { d: 2 }], b: 1 }],
  ])('%s holds %j', async (name, value) => {
    expect((await check(CLAIMS, { issuer: undefined, claims: [{ name, values: [value] }] })).failed).toEqual(
      [],
    );
  });

  it.each([
    ['level', '3', 'mismatch'],
    ['admin', 0, 'mismatch'],
    ['realm_access.roles', 'adm', 'mismatch'],
    ['realm_access.roles', ['user', 'admin'], 'mismatch'],
    ['scope', 'prof', 'mismatch'],
    ['nested.a', { b: 1 }, 'mismatch'],
    ['nested.x', 1, 'missing'],
    ['constructor', 'x', 'missing'],
    ['nested.__proto__', {}, 'missing'],
    ['level.toFixed', 'x', 'missing'],
  ])('%s does not hold %j', async (name, value, what) => {
    expect((await check(CLAIMS, { issuer: undefined, claims: [{ name, values: [value] }] })).failed).toEqual([
      `claim ${name} claim_${what}`,
    ]);
  });

  it('may be anything where it need only be there', async () => {
    const claims = ['admin', 'missing'].map((name) => ({ name, values: [] }));
    expect((await check(CLAIMS, { issuer: undefined, claims })).failed).toEqual([
      'claim missing claim_missing',
    ]);
  });
});
