import { describe, expect, it } from 'vitest';
import {
  ageResponse,
  computeLifetimes,
  describeRequest,
  findMismatch,
  type KeptTokens,
} from '../../../src/flows/token/kept-tokens.ts';
import { CLIENT_CREDENTIALS_GRANT } from '../../../src/protocol/definitions/grants/client-credentials.ts';
import { EXCHANGE_GRANT } from '../../../src/protocol/definitions/grants/exchange.ts';
import { JWT_BEARER_GRANT } from '../../../src/protocol/definitions/grants/jwt-bearer.ts';
import { PASSWORD_GRANT } from '../../../src/protocol/definitions/grants/password.ts';
import type { ParameterDefinitions } from '../../../src/protocol/definitions/parameter.ts';
import { REQUESTS } from '../../../src/protocol/definitions/requests.ts';
import type { ParameterValues } from '../../../src/protocol/oauth/form.ts';

const NOW = Date.UTC(2026, 0, 1);
const NONE = { extraParameters: [] };

const kept = (response: Readonly<Record<string, unknown>>, more: Partial<KeptTokens> = {}): KeptTokens => ({
  response,
  grant_type: 'password',
  issuer: 'https://as.example',
  client_id: 'a',
  received_at: NOW,
  ...more,
});

const jwt = (claims: object) =>
  ['{"alg":"none"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('what is left of kept tokens', () => {
  it.each([
    ['by expires_in', { access_token: 'a', expires_in: 300 }, 240],
    ['by an expires_in that is a string', { access_token: 'a', expires_in: '300' }, 240],
    ['by exp of a JWT', { access_token: jwt({ exp: NOW / 1000 + 100 }) }, 40],
    ['by expires_in rather than exp', { access_token: jwt({ exp: 1 }), expires_in: 300 }, 240],
    ['never less than nothing', { access_token: 'a', expires_in: 10 }, 0],
    ['unknown of an opaque token without expires_in', { access_token: 'a' }, undefined],
    ['unknown where there is no token', { expires_in: 300 }, undefined],
  ])('is said %s', (_how, response, left) => {
    expect(computeLifetimes(kept(response), NOW + 60_000).access_token).toBe(left);
  });

  it.each([
    ['by refresh_expires_in', { refresh_token: 'r', refresh_expires_in: 1800 }, 1740],
    ['by exp of a JWT', { refresh_token: jwt({ exp: NOW / 1000 + 100 }) }, 40],
    [
      'unknown where Keycloak says 0: it has no end',
      { refresh_token: 'r', refresh_expires_in: 0 },
      undefined,
    ],
    ['unknown of an offline token', { refresh_token: jwt({ typ: 'Offline', exp: 0 }) }, undefined],
  ])('is said of the refresh token %s', (_how, response, left) => {
    expect(computeLifetimes(kept(response), NOW + 60_000).refresh_token).toBe(left);
  });

  it('is unknown when the clock stands before they were received', () => {
    const response = { access_token: 'a', expires_in: 300, refresh_token: 'r', refresh_expires_in: 300 };
    expect(computeLifetimes(kept(response), NOW - 1)).toEqual({
      access_token: undefined,
      refresh_token: undefined,
    });
  });

  it('stands in the response as of now, in whole seconds, beside every other member', () => {
    const response = { access_token: 'a', expires_in: 300, refresh_expires_in: 0, custom: [1] };
    expect(ageResponse(kept(response), NOW + 500)).toEqual({ ...response, expires_in: 299 });
  });
});

describe('what a request asks for', () => {
  it('is scope, user and a digest of the rest, without credentials', () => {
    const definitions = { ...PASSWORD_GRANT.parameters, resource: { is: 'identity' } } as const;
    const describe = (values: ParameterValues) => describeRequest(definitions, values, NONE);
    const asked = describe({ scope: 'a', username: 'u', password: 'p1', resource: ['r'] });
    expect(asked).toEqual({ scope: 'a', user: 'u', others: expect.stringMatching(/^[\w-]{43}$/) });
    expect(describe({ resource: ['r'], scope: 'a', username: 'u', password: 'p2' })).toEqual(asked);
  });

  it('knows an assertion by whom it is about, whenever it was made', () => {
    const describe = (assertion: string) => describeRequest(JWT_BEARER_GRANT.parameters, { assertion }, NONE);
    const about = (claims: object) => describe(jwt(claims));
    expect(about({ iss: 'i', sub: 's', jti: '1' })).toEqual({ user: 's of i' });
    expect(about({ iss: 'i', sub: 's', jti: '2' })).toEqual(about({ iss: 'i', sub: 's', jti: '1' }));
    expect(about({ iss: 'j', sub: 's' })).not.toEqual(about({ iss: 'i', sub: 's' }));
    const opaque = describe('not-a-jwt');
    expect(opaque.user).toMatch(/^[\w-]{43}$/);
    expect(opaque).not.toEqual(describe('another'));
  });

  it('has no digest where there is no rest', () => {
    const values = { scope: undefined, login_hint: 'u', binding_message: 'm' };
    expect(describeRequest(REQUESTS.backchannel_authentication, values, NONE)).toEqual({ user: 'u' });
  });

  it.each([
    [{ extraParameters: [['audience', 'x']] as const }],
    [{ extraParameters: [['audience', 'y']] as const }],
    [{ extraParameters: [], omittedParameters: ['audience'] }],
  ])('is something else with %j', (own) => {
    const others = [{ extraParameters: [['audience', 'z']] as const }, NONE].map(
      (other) => describeRequest(CLIENT_CREDENTIALS_GRANT.parameters, { scope: 'a' }, other).others,
    );
    const { parameters } = CLIENT_CREDENTIALS_GRANT;
    expect(others).not.toContain(describeRequest(parameters, { scope: 'a' }, own).others);
  });
});

describe('the digest of a request', () => {
  const extra = { extraParameters: [['audience', 'x']] as const, omittedParameters: ['state'] };
  const tokenRequest = {
    extraParameters: [['a', 'b=c']] as const,
    omittedParameters: ['resource'],
  };
  const code = {
    response_type: 'code',
    scope: 'openid',
    login_hint: 'u',
    max_age: '60',
    acr_values: '1',
    claims: '{}',
    kc_idp_hint: 'i',
    authorization_details: undefined,
    resource: ['https://r.example/'],
  };
  const exchange = {
    resource: ['https://r.example/'],
    audience: ['one', 'two'],
    scope: 'a b',
    requested_token_type: 'urn:x',
    subject_token: 'the-subject',
    subject_token_type: 'urn:s',
    actor_token: undefined,
    actor_token_type: undefined,
  };
  const ciba = {
    scope: 'openid',
    login_hint_token: 'a-token',
    binding_message: 'm',
    acr_values: '1',
    user_code: '1234',
    requested_expiry: 60,
  };

  // Written by version 0.1.0: tokens that it kept must still be found fit.
  it.each([
    [
      CLIENT_CREDENTIALS_GRANT.parameters,
      { scope: 'a' },
      extra,
      '1UE1N17feOAxuaw-z0VeAYRNWUBEDH4ecJcplyDA0DY',
    ],
    [EXCHANGE_GRANT.parameters, exchange, NONE, 'GooApaIOkeUjsHYxbXQ1kNDBYrFDUHRnweW0D9ehllI'],
    [REQUESTS.authorization, code, { ...extra, tokenRequest }, '9DXIz6iEJ5spnBvqgO9--aZ4jXmry1LplwrFGlzZAaI'],
    [
      REQUESTS.authorization,
      { response_type: 'code', scope: 'openid', prompt: 'login', ui_locales: 'ja', display: 'page' },
      { ...NONE, tokenRequest: NONE },
      '4-zcGPtoDdyhsRBt42JdM_v-053slXeEELkS9ImYrU0',
    ],
    [REQUESTS.backchannel_authentication, ciba, NONE, 'N5m1JLwXJEyxeBQW5rvwQJoXr7L2_E_rV-eP8YoVG2c'],
  ])('is the same as in earlier versions', (definitions: ParameterDefinitions, values, own, digest) => {
    expect(describeRequest(definitions, values, own).others).toBe(digest);
  });

  it('takes no parameter that is not defined', () => {
    expect(() => describeRequest(CLIENT_CREDENTIALS_GRANT.parameters, { pin: '1234' }, NONE)).toThrow(
      TypeError,
    );
  });
});

describe('kept tokens', () => {
  const wanted = {
    issuers: ['https://as.example', undefined],
    client_id: 'a',
    grant_type: 'password',
    asked: { scope: 'x y', user: 'u' },
  };
  const tokens = kept({ access_token: 'a', scope: 'y' }, { asked: { scope: 'x y', user: 'u' } });

  it('are fit where issuer, client, grant and user are the same, and the scope was granted or asked for', () => {
    expect(findMismatch(tokens, wanted)).toBeUndefined();
    expect(findMismatch(tokens, { ...wanted, asked: { scope: 'y', user: 'u' } })).toBeUndefined();
    expect(findMismatch(tokens, { ...wanted, asked: { user: 'u' } })).toBeUndefined();
  });

  it.each([
    ['other_issuer', { issuers: ['https://other.example'] }],
    ['other_client', { client_id: 'b' }],
    ['other_grant', { grant_type: 'client_credentials' }],
    ['other_user', { asked: { scope: 'x', user: 'v' } }],
    ['other_parameters', { asked: { user: 'u', others: 'digest' } }],
    ['scope_missing', { asked: { user: 'u', scope: 'x z' } }],
  ])('are unfit: %s', (why, change) => {
    expect(findMismatch(tokens, { ...wanted, ...change })).toBe(why);
  });

  const jkt = 'the-thumbprint';
  const jwk = { kty: 'EC' };
  const plain = { access_token: 'a', token_type: 'Bearer' };
  const bound = { access_token: 'a', token_type: 'dpop' };
  const ofCertificate = { access_token: jwt({ cnf: { 'x5t#S256': 'c1' } }), token_type: 'Bearer' };
  it.each([
    ['fit', plain, undefined, { dpop: false as const }],
    ['fit', plain, { jkt, alg: 'ES256', jwk }, { dpop: false as const }],
    ['not_dpop_bound', plain, { jkt, alg: 'ES256', jwk }, { dpop: {} }],
    ['dpop_bound', bound, { jkt, alg: 'ES256', jwk }, { dpop: false as const }],
    ['dpop_bound', bound, undefined, { dpop: false as const }],
    ['fit', bound, { jkt, alg: 'ES256', jwk }, { dpop: {} }],
    ['fit', bound, { jkt, alg: 'ES256', jwk }, { dpop: { jkt } }],
    ['fit', bound, { jkt, alg: 'ES256' }, { dpop: { jkt } }],
    ['fit', bound, { jkt, alg: 'ES256' }, {}],
    ['other_dpop_key', bound, { jkt, alg: 'ES256' }, { dpop: {} }],
    ['other_dpop_key', bound, { jkt, alg: 'ES256', jwk }, { dpop: { jkt: 'another' } }],
    ['other_dpop_key', bound, undefined, { dpop: { jkt } }],
    ['fit', ofCertificate, undefined, { certificate: 'c1' }],
    ['other_certificate', ofCertificate, undefined, { certificate: 'c2' }],
    ['other_certificate', ofCertificate, undefined, {}],
    ['fit', plain, undefined, { certificate: 'c1' }],
  ])('are %s: %j with the key %j for %j', (why, response, dpop, binding) => {
    const of = kept(response, { asked: { user: 'u' }, dpop });
    const unfit = findMismatch(of, { ...wanted, asked: { user: 'u' }, ...binding });
    expect(unfit ?? 'fit').toBe(why);
  });

  it('are fit under the issuer that the server calls itself', () => {
    const issuers = ['http://inner.example', 'https://as.example'];
    expect(findMismatch(tokens, { ...wanted, issuers })).toBeUndefined();
  });

  it('of any grant and user are fit for a refresh, and none are unfit', () => {
    const any = { ...wanted, grant_type: undefined, asked: {} };
    expect(findMismatch(tokens, any)).toBeUndefined();
    expect(findMismatch(undefined, any)).toBe('nothing_kept');
  });
});
