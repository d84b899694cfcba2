import { describe, expect, it } from 'vitest';
import type { IssuerRequest } from '../../../src/flows/serve/tenant-keys.ts';
import { Tenants } from '../../../src/flows/serve/tenants.ts';
import { parseTenants, type TenantEntry } from '../../../src/flows/serve/tenants-file.ts';
import { withIssuers } from './issuers.ts';

const TEMPLATE = 'https://login.example/{tenantid}/v2.0';
const ONE = 'https://login.example/one/v2.0';
const TWO = 'https://login.example/two/v2.0';

/** A server whose tenants `one` and `two` are on the list, and have their keys in common. */
async function open(more: Partial<TenantEntry> = {}, { jwks = true } = {}) {
  const { issuers, ...world } = await withIssuers(['login']);
  const [login] = issuers;
  const requests: IssuerRequest[] = [];
  const listOf = (entry: Partial<TenantEntry> = {}) =>
    parseTenants(
      {
        tenants: [
          {
            issuer: TEMPLATE,
            audience: 'api',
            allowed_values: ['one', 'two'],
            ...(jwks && { jwks_uri: `${login.url}/jwks` }),
            ...more,
            ...entry,
          },
        ],
      },
      'the list',
    );
  const tenants = new Tenants(world.ctx, listOf(), {
    leeway: 0,
    allowIdToken: false,
    onRequest: (request) => requests.push(request),
  });
  const validate = async (iss: unknown) => tenants.validate(await login.token(world.clock, { iss }));
  return { ...world, login, tenants, requests, listOf, validate };
}

describe('an issuer template', () => {
  it('accepts the tokens of every allowed value, by keys that are fetched once', async () => {
    const { validate, sent, requests } = await open();
    for (const issuer of [ONE, TWO])
      expect(await validate(issuer)).toMatchObject({ outcome: 'accepted', tenant: issuer });
    expect(sent.map(({ url }) => url)).toEqual(['https://login.example/jwks']);
    expect(requests).toEqual([{ type: 'jwks', issuer: TEMPLATE, succeeded: true }]);
  });

  it.each([
    ['a value that is not allowed', 'https://login.example/three/v2.0'],
    ['the template itself', TEMPLATE],
    ['a step up', 'https://login.example/one/../two/v2.0'],
    ['an escaped value', 'https://login.example/%6Fne/v2.0'],
    ['another case', 'https://login.example/ONE/v2.0'],
    ['another host', 'https://evil.example/one/v2.0'],
    ['a host in the value', 'https://login.example/one@evil.example/v2.0'],
    ['a slash more', `${ONE}/`],
    ['a line end', `${ONE}\n`],
    ['a list', [ONE]],
    ['no text', 1],
  ])('refuses %s, and requests nothing', async (_what, iss) => {
    const { validate, sent } = await open({}, { jwks: false });
    expect(await validate(iss)).toMatchObject({ outcome: 'invalid_token' });
    expect(sent).toEqual([]);
  });

  it('takes keys and metadata of each value where their addresses differ', async () => {
    const { validate, login, sent } = await open({ jwks_uri: 'https://login.example/{tenantid}/keys' });
    expect(await validate(ONE)).toMatchObject({ outcome: 'unavailable', tenant: ONE });
    expect(sent.map(({ url }) => url)).toEqual([`${login.url}/one/keys`]);
  });

  it('asks the metadata of a value for its keys where no address is given', async () => {
    const { validate, login, sent } = await open({}, { jwks: false });
    login.claimedIssuer = ONE;
    expect(await validate(ONE)).toMatchObject({ outcome: 'accepted', tenant: ONE });
    expect(sent.map(({ url }) => url)).toEqual([
      `${ONE}/.well-known/openid-configuration`,
      'https://login.example/jwks',
    ]);
  });

  it('compares iss with the issuer of access tokens where that is another one', async () => {
    const { validate, tenants } = await open({ access_token_issuer: 'https://sts.example/{tenantid}/' });
    const sts = 'https://sts.example/one/';
    expect(await validate(sts)).toMatchObject({ outcome: 'accepted', tenant: sts });
    expect(await validate(ONE)).toMatchObject({ reason: 'issuer_not_listed' });
    expect(tenants.list.map(({ issuer }) => issuer)).toEqual([ONE, TWO]);
  });

  it.each([
    ['the template', TEMPLATE, 'accepted'],
    ['the tenant', ONE, 'accepted'],
    ['another tenant', TWO, 'invalid_token'],
    ['nothing that is text', 5, 'accepted'],
  ])('a key that names as its issuer %s counts for that only', async (_what, issuer, outcome) => {
    const { validate, login } = await open();
    login.furtherKeyMembers = { issuer };
    expect(await validate(ONE)).toMatchObject({ outcome });
  });

  it('says which values came and went, and keeps the keys', async () => {
    const { tenants, validate, listOf, sent } = await open();
    await validate(ONE);
    expect(tenants.has(TEMPLATE)).toBe(true);
    expect(tenants.replace(listOf({ allowed_values: ['two', 'three'] }))).toEqual({
      added: ['https://login.example/three/v2.0'],
      removed: [ONE],
      changed: [],
    });
    expect(await validate(ONE)).toMatchObject({ reason: 'issuer_not_listed' });
    expect(await validate(TWO)).toMatchObject({ outcome: 'accepted' });
    expect(sent).toHaveLength(1);
    tenants.replace([]);
    expect(tenants.has(TEMPLATE)).toBe(false);
  });

  it('other keys are fetched where their address has changed', async () => {
    const { tenants, validate, listOf, sent } = await open();
    await validate(ONE);
    const change = tenants.replace(listOf({ jwks_uri: 'https://login.example/{tenantid}/jwks' }));
    expect(change.changed).toEqual([ONE, TWO]);
    await validate(ONE);
    expect(sent.map(({ url }) => url)).toEqual([
      'https://login.example/jwks',
      'https://login.example/one/jwks',
    ]);
  });

  it('is introspected at the address that the metadata of the value names', async () => {
    const { validate, login, sent } = await open({
      validation: 'introspection',
      client_id: 'api',
      client_secret: 'env:CLIENT_SECRET',
    });
    login.claimedIssuer = TWO;
    login.introspection = { active: true, iss: TWO, aud: 'api' };
    expect(await validate(TWO)).toMatchObject({ outcome: 'accepted', tenant: TWO });
    expect(sent.map(({ url }) => url)).toEqual([
      `${TWO}/.well-known/openid-configuration`,
      'https://login.example/introspect',
    ]);
  });
});

it('metadata with members that are null, empty or relative stops no validation that does not use them', async () => {
  const { validate, login } = await open({}, { jwks: false });
  login.claimedIssuer = ONE;
  login.furtherMetadata = {
    token_endpoint: null,
    authorization_endpoint: '',
    userinfo_endpoint: '/userinfo',
    introspection_endpoint: 5,
    revocation_endpoint: [],
    end_session_endpoint: 'urn:x',
    scopes_supported: null,
    mtls_endpoint_aliases: null,
  };
  expect(await validate(ONE)).toMatchObject({ outcome: 'accepted' });
});

it.each([
  [null, 'endpoint_missing'],
  ['', 'endpoint_missing'],
  ['/keys', 'metadata_invalid'],
  ['http://login.example/jwks', 'endpoint_insecure'],
])('metadata whose jwks_uri is %j says so when the keys are needed', async (jwks_uri, reason) => {
  const { validate, login } = await open({}, { jwks: false });
  login.claimedIssuer = ONE;
  login.furtherMetadata = { jwks_uri };
  expect(await validate(ONE)).toMatchObject({ outcome: 'unavailable', reason });
});
