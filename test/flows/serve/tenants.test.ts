import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/exact-json.ts';
import type { IssuerRequest } from '../../../src/flows/serve/tenant-keys.ts';
import { Tenants, type TenantsOptions } from '../../../src/flows/serve/tenants.ts';
import { parseTenants, parseTenantsText, type TenantEntry } from '../../../src/flows/serve/tenants-file.ts';
import { withIssuers } from './issuers.ts';

type Conditions = Omit<Partial<TenantEntry>, 'issuer'>;

const INTROSPECTED: Conditions = {
  validation: 'introspection',
  client_id: 'api',
  client_secret: 'env:CLIENT_SECRET',
};

/** Two issuers on the list, `a` and `b`, and a third one, `c`, that is not. */
async function open(conditions: Conditions = {}, options: Partial<TenantsOptions> = {}) {
  const world = await withIssuers(['a', 'b', 'c']);
  const requests: IssuerRequest[] = [];
  const [a, b, c] = world.issuers;
  const listOf = (...entries: TenantEntry[]) => parseTenants({ tenants: entries }, 'the list');
  const entry = (issuer: { url: string }, more: Conditions = conditions): TenantEntry => ({
    issuer: issuer.url,
    ...(more.any_audience ? {} : { audience: 'api' }),
    ...more,
  });
  const tenants = new Tenants(world.ctx, listOf(entry(a), entry(b)), {
    leeway: 0,
    allowIdToken: false,
    onRequest: (request) => requests.push(request),
    ...options,
  });
  return { ...world, a, b, c, tenants, requests, listOf, entry };
}

describe('the tenants of a resource server', () => {
  it('accepts a token of each issuer on the list, by its own keys', async () => {
    const { tenants, clock, a, b } = await open();
    for (const issuer of [a, b]) {
      expect(await tenants.validate(await issuer.token(clock))).toMatchObject({
        outcome: 'accepted',
        tenant: issuer.url,
        claims: { sub: 'user-1' },
      });
    }
  });

  it('asks nobody before the first token, and never an issuer that is not on the list', async () => {
    const { tenants, clock, c, sent } = await open();
    expect(sent).toEqual([]);
    expect(await tenants.validate(await c.token(clock))).toMatchObject({
      outcome: 'invalid_token',
      reason: 'issuer_not_listed',
    });
    expect(await tenants.validate(await c.token(clock, { iss: undefined }))).toMatchObject({
      reason: 'issuer_missing',
    });
    for (const iss of [
      ['https://a.example'],
      { toString: 'https://a.example' },
      '__proto__',
      'https://a.example/',
    ])
      expect(await tenants.validate(await c.token(clock, { iss }))).toMatchObject({
        outcome: 'invalid_token',
      });
    expect(await tenants.validate('opaque')).toMatchObject({ reason: 'opaque_token' });
    expect(sent).toEqual([]);
  });

  it('compares the numbers of claims as they are written, in tokens and in a list that changes', async () => {
    const { tenants, clock, a, entry } = await open();
    const listOf = (uid: string) => {
      const claims = { uid: 0 };
      return parseTenantsText(
        JSON.stringify({ tenants: [entry(a, { claims })] }).replace('"uid":0', `"uid":${uid}`),
        'the list',
      );
    };
    const holder = (uid: string) => parseJson(`{"uid":${uid}}`) as Record<string, unknown>;
    tenants.replace(listOf('12345678901234567999'));
    const validate = async (uid: string) => tenants.validate(await a.token(clock, holder(uid)));
    expect(await validate('12345678901234567999')).toMatchObject({ outcome: 'accepted' });
    expect(await validate('12345678901234567890')).toMatchObject({ reason: 'claim_mismatch' });
    expect(tenants.replace(listOf('12345678901234567890')).changed).toEqual([a.url]);
    expect(await validate('12345678901234567999')).toMatchObject({ reason: 'claim_mismatch' });
    expect(await validate('12345678901234567890')).toMatchObject({ outcome: 'accepted' });
  });

  it('does not take one tenant’s token by another tenant’s keys', async () => {
    const { tenants, clock, a, b } = await open();
    expect(await tenants.validate(await b.token(clock, { iss: a.url }))).toMatchObject({
      outcome: 'invalid_token',
      tenant: a.url,
      reason: 'key_unknown',
    });
  });

  it('fetches metadata and keys once for a hundred tokens at once', async () => {
    const { tenants, clock, a, requests } = await open();
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, jti) => a.token(clock, { jti: `${jti}` })),
    );
    const verdicts = await Promise.all(tokens.map((token) => tenants.validate(token)));
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    expect(a.requests).toEqual(['metadata', 'jwks']);
    expect(requests).toEqual([
      { type: 'metadata', issuer: a.url, succeeded: true },
      { type: 'jwks', issuer: a.url, succeeded: true },
    ]);
  });

  it('fetches the keys once more when an issuer has changed them, however many tokens show it', async () => {
    const { tenants, clock, a } = await open();
    await tenants.validate(await a.token(clock));
    await a.rotate();
    const token = await a.token(clock);
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => tenants.validate(token)));
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    expect(a.asked('jwks')).toBe(2);
  });

  it('looks for unknown keys once in half a minute, whatever tokens say', async () => {
    const { tenants, clock, a } = await open();
    await tenants.validate(await a.token(clock));
    for (let index = 0; index < 50; index += 1) {
      const verdict = await tenants.validate(await a.token(clock, {}, { kid: `random-${index}` }));
      expect(verdict).toMatchObject({ reason: 'key_unknown' });
    }
    expect(a.asked('jwks')).toBe(2);
    clock.pass(30_000);
    await tenants.validate(await a.token(clock, {}, { kid: 'one-more' }));
    expect(a.asked('jwks')).toBe(3);
  });

  it('makes no request for a token that condemns itself by its alg', async () => {
    const { tenants, a, sent } = await open();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ iss: a.url, aud: 'api', exp: 9e9 })}.`;
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'invalid_token', reason: 'alg_none' });
    expect(sent).toEqual([]);
  });

  it('says of an issuer that is down when to come back, asks it seldom, and finds it again by itself', async () => {
    const { tenants, clock, a, b } = await open();
    a.isDown = true;
    const token = await a.token(clock);
    for (let index = 0; index < 10; index += 1) {
      expect(await tenants.validate(token)).toMatchObject({
        outcome: 'unavailable',
        tenant: a.url,
        reason: 'connection_refused',
        retryAfter: 2,
      });
    }
    expect(a.requests).toEqual(['metadata']);
    expect(await tenants.validate(await b.token(clock))).toMatchObject({ outcome: 'accepted' });
    a.isDown = false;
    clock.pass(1_999);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'unavailable', retryAfter: 1 });
    clock.pass(1);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
  });

  it('does not call a token wrong while its key cannot be looked for', async () => {
    const { tenants, clock, a } = await open();
    const known = await a.token(clock);
    await tenants.validate(known);
    await a.rotate();
    const unknown = await a.token(clock);
    a.isDown = true;
    expect(await tenants.validate(unknown)).toMatchObject({ outcome: 'unavailable' });
    expect(await tenants.validate(known)).toMatchObject({ outcome: 'accepted' });
    a.isDown = false;
    clock.pass(2_000);
    expect(await tenants.validate(unknown)).toMatchObject({ outcome: 'accepted' });
  });

  it('fetches keys anew after five minutes without waiting, and uses none that are older than ten', async () => {
    const { tenants, clock, a } = await open();
    const token = await a.token(clock, { exp: Math.floor(clock.now() / 1000) + 3600 });
    await tenants.validate(token);
    await a.rotate();
    a.isDown = true;
    clock.pass(5 * 60_000);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
    clock.pass(5 * 60_000 - 1);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
    clock.pass(2_001);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'unavailable' });
    a.isDown = false;
    clock.pass(2_000);
    // Its key is withdrawn.
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'invalid_token', reason: 'key_unknown' });
  });

  it('overlooks what is no key in a JWKS', async () => {
    const { tenants, clock, a } = await open();
    a.strangeKeys = [null, 'key', 1, [], {}, { kty: 'oct', k: 'AAAA', kid: 'x' }];
    expect(await tenants.validate(await a.token(clock))).toMatchObject({ outcome: 'accepted' });
    expect(await tenants.validate(await a.token(clock, {}, { kid: 'x' }))).toMatchObject({
      outcome: 'invalid_token',
    });
  });

  it('does not take metadata that is of another issuer', async () => {
    const { tenants, clock, a, b } = await open();
    a.claimedIssuer = b.url;
    expect(await tenants.validate(await a.token(clock))).toMatchObject({
      outcome: 'unavailable',
      reason: 'issuer_mismatch',
    });
    expect(a.asked('jwks')).toBe(0);
  });

  it.each([
    ['for somebody else', { aud: 'other' }, {}, 'audience_mismatch'],
    ['for nobody', { aud: undefined }, {}, 'audience_missing'],
    ['that expired this second', { exp: 1_767_225_600 }, {}, 'expired'],
    ['without an end', { exp: undefined }, {}, 'claim_missing'],
    ['that is valid later', { nbf: 1_767_225_601 }, {}, 'not_yet_valid'],
    ['that is an ID token, by its typ', { typ: 'ID' }, {}, 'not_an_access_token'],
    ['that is an ID token, by its hash', { at_hash: 'x' }, {}, 'not_an_access_token'],
    ['that is an ID token, by its nonce', { nonce: 'x' }, {}, 'not_an_access_token'],
    [
      'that is a permission ticket',
      { permissions: [{ rsid: 'r', scopes: ['view'] }] },
      {},
      'not_an_access_token',
    ],
    ['that is a security event token', { events: { 'urn:example:event': {} } }, {}, 'not_an_access_token'],
    ['that has an event that is no object', { events: ['x'] }, {}, 'not_an_access_token'],
    ['that calls itself a security event token', {}, { typ: 'secevent+jwt' }, 'type_unexpected'],
    ['that calls itself a logout token', {}, { typ: 'logout+jwt' }, 'type_unexpected'],
    ['that is bound to a key', { cnf: { jkt: 'x' } }, {}, 'sender_constrained'],
  ])('refuses a token %s', async (_what, claims, header, reason) => {
    const { tenants, clock, a } = await open();
    const verdict = await tenants.validate(await a.token(clock, claims, header));
    expect(verdict).toMatchObject({ outcome: 'invalid_token', tenant: a.url, reason });
  });

  it.each([
    ...['Refresh', 'Offline', 'Logout', 'Serialized-ID', 'InitialAccessToken', 'RegistrationAccessToken'],
    ...['reset-credentials', 'execute-actions', 'verify-email', 'update-email', 'ORGIVT', 'id', 'REFRESH'],
  ])('refuses a token whose claim typ is %s', async (typ) => {
    const { tenants, clock, a } = await open();
    expect(await tenants.validate(await a.token(clock, { typ }))).toMatchObject({
      outcome: 'invalid_token',
      reason: 'not_an_access_token',
    });
  });

  it('takes an access token by its media type, and one of Keycloak with a nonce', async () => {
    const { tenants, clock, a } = await open();
    for (const token of [
      await a.token(clock, {}, { typ: 'at+jwt' }),
      await a.token(clock, {}, { typ: 'application/AT+JWT' }),
      await a.token(clock, { typ: 'Bearer', nonce: 'x' }, { typ: 'JWT' }),
      await a.token(clock, { aud: ['other', 'api'] }),
    ])
      expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
  });

  it('can be told to be less strict', async () => {
    const { tenants, clock, a } = await open({ any_audience: true }, { leeway: 60, allowIdToken: true });
    const now = Math.floor(clock.now() / 1000);
    const token = await a.token(clock, { aud: 'other', exp: now - 59, typ: 'ID' });
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
    const late = await a.token(clock, { exp: now - 60 });
    expect(await tenants.validate(late)).toMatchObject({ reason: 'expired' });
  });

  it('demands the scopes and claims of the tenant', async () => {
    const { tenants, clock, a } = await open({
      scopes: ['read', 'write'],
      claims: { plan: 'gold', level: 3 },
    });
    const judge = async (claims: object) => tenants.validate(await a.token(clock, { ...claims }));
    const good = { plan: ['silver', 'gold'], level: 3 };
    expect(await judge({ ...good, scope: 'write read more' })).toMatchObject({ outcome: 'accepted' });
    expect(await judge({ ...good, scp: ['read', 'write'] })).toMatchObject({ outcome: 'accepted' });
    expect(await judge({ ...good, scope: 'read writes' })).toEqual({
      outcome: 'insufficient_scope',
      tenant: a.url,
      scopes: ['read', 'write'],
      description: 'the token lacks the scope write',
    });
    for (const wrong of [{ plan: 'gold' }, { ...good, level: '3' }, { ...good, plan: 'silver' }])
      expect(await judge({ ...wrong, scope: 'read write' })).toMatchObject({ outcome: 'invalid_token' });
  });

  it('changes the list from one token to the next, and forgets nothing of an issuer that stays', async () => {
    const { tenants, clock, a, b, c, listOf, entry } = await open();
    const [ofA, ofB, ofC] = await Promise.all([a, b, c].map((issuer) => issuer.token(clock)));
    await tenants.validate(String(ofA));
    const underWay = tenants.validate(String(ofB));
    expect(tenants.replace(listOf(entry(a, { scopes: ['read'] }), entry(c)))).toEqual({
      added: [c.url],
      removed: [b.url],
      changed: [a.url],
    });
    expect(await underWay).toMatchObject({ outcome: 'accepted' });
    expect(await tenants.validate(String(ofB))).toMatchObject({ reason: 'issuer_not_listed' });
    expect(await tenants.validate(String(ofC))).toMatchObject({ outcome: 'accepted' });
    expect(await tenants.validate(String(ofA))).toMatchObject({ outcome: 'insufficient_scope' });
    expect(a.requests).toEqual(['metadata', 'jwks']);
    expect(tenants.list.map(({ issuer }) => issuer)).toEqual([a.url, c.url]);
  });
});

describe('a tenant that is checked by introspection', () => {
  it('is asked about every token, with the client’s credentials', async () => {
    const { tenants, clock, a, sent } = await open(INTROSPECTED);
    a.introspection = { active: true, iss: a.url, aud: ['api'], sub: 'user-1' };
    const token = await a.token(clock);
    for (let count = 1; count <= 2; count += 1) {
      expect(await tenants.validate(token)).toMatchObject({
        outcome: 'accepted',
        validation: 'introspection',
        claims: { sub: 'user-1' },
      });
      expect(a.asked('introspection')).toBe(count);
    }
    const basic = Buffer.from('api:the-client-secret').toString('base64');
    expect(sent.at(-1)?.headers?.authorization).toBe(`Basic ${basic}`);
    expect(a.asked('jwks')).toBe(0);
  });

  it.each([
    ['inactive', { active: false }, 'token_inactive'],
    ['for somebody else', { active: true, aud: 'other' }, 'audience_mismatch'],
    ['for nobody that is named', { active: true }, 'audience_missing'],
    ['of another issuer', { active: true, aud: 'api', iss: 'https://b.example' }, 'issuer_mismatch'],
    ['an ID token', { active: true, aud: 'api', typ: 'ID' }, 'not_an_access_token'],
    ['bound to a key', { active: true, aud: 'api', cnf: { jkt: 'x' } }, 'sender_constrained'],
  ])('refuses a token that the issuer calls %s', async (_what, introspection, reason) => {
    const { tenants, clock, a } = await open(INTROSPECTED);
    a.introspection = introspection;
    expect(await tenants.validate(await a.token(clock))).toMatchObject({ outcome: 'invalid_token', reason });
  });

  it('is asked about an opaque token where it is the only one', async () => {
    const { tenants, a, b, sent, listOf, entry } = await open(INTROSPECTED);
    a.introspection = { active: true, aud: 'api' };
    expect(await tenants.validate('opaque-token')).toMatchObject({ reason: 'opaque_token' });
    expect(sent).toEqual([]);
    tenants.replace(listOf(entry(a), entry(b, {})));
    expect(await tenants.validate('opaque-token')).toMatchObject({ outcome: 'accepted', tenant: a.url });
  });

  it('is left alone for a moment when it is down, and found again', async () => {
    const { tenants, clock, a } = await open(INTROSPECTED);
    a.introspection = { active: true, aud: 'api' };
    const token = await a.token(clock);
    await tenants.validate(token);
    a.isDown = true;
    for (let index = 0; index < 5; index += 1)
      expect(await tenants.validate(token)).toMatchObject({ outcome: 'unavailable', retryAfter: 2 });
    expect(a.asked('introspection')).toBe(2);
    a.isDown = false;
    clock.pass(2_000);
    expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
  });

  it('is asked about the next token, whatever it answered to one', async () => {
    const { tenants, clock, a } = await open(INTROSPECTED);
    const token = await a.token(clock);
    for (const introspection of [{ error: 'invalid_request' }, { active: 'yes' }, []]) {
      a.introspection = introspection;
      expect(await tenants.validate(token)).toMatchObject({ outcome: 'unavailable' });
      a.introspection = { active: true, aud: 'api' };
      expect(await tenants.validate(token)).toMatchObject({ outcome: 'accepted' });
    }
  });

  it('cannot be asked without its secret, which is looked for again', async () => {
    const { tenants, clock, a } = await open({ ...INTROSPECTED, client_secret: 'env:NO_SUCH_SECRET' });
    const verdict = await tenants.validate(await a.token(clock));
    expect(verdict).toMatchObject({ outcome: 'unavailable', reason: 'secret_unavailable' });
    expect(a.asked('introspection')).toBe(0);
  });
});
