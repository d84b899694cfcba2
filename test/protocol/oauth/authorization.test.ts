import { validateAuthResponse } from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import {
  buildAuthorizationRequest,
  buildAuthorizationUrl,
  parseAuthorizationResponse,
  parsePushedAuthorization,
  readEssentialAcr,
  responsePlace,
} from '../../../src/protocol/oauth/authorization.ts';
import {
  buildParameters,
  type FormParameters,
  withExtraParameters,
} from '../../../src/protocol/oauth/form.ts';

const ISSUER = 'https://as.example';
const EXPECTED = { issuer: ISSUER, requiresIss: false, responseType: 'code' };
const binding = { client_id: 'test-client', redirect_uri: 'http://127.0.0.1:1234/callback', state: 'S' };

describe('an authorization request', () => {
  it('carries what was asked for, and what ties the response to it', () => {
    const parameters = buildAuthorizationRequest(
      {
        response_type: 'code',
        response_mode: 'form_post',
        scope: 'openid',
        prompt: 'login',
        resource: ['https://one.example', 'https://two.example'],
      },
      {
        ...binding,
        nonce: 'N',
        proofKey: { code_challenge: 'C', code_challenge_method: 'S256' },
        dpop_jkt: 'J',
      },
    );
    expect(parameters).toEqual([
      ['client_id', 'test-client'],
      ['response_type', 'code'],
      ['response_mode', 'form_post'],
      ['redirect_uri', 'http://127.0.0.1:1234/callback'],
      ['scope', 'openid'],
      ['state', 'S'],
      ['nonce', 'N'],
      ['code_challenge', 'C'],
      ['code_challenge_method', 'S256'],
      ['prompt', 'login'],
      ['resource', 'https://one.example'],
      ['resource', 'https://two.example'],
      ['dpop_jkt', 'J'],
    ]);
  });

  it.each([
    ['https://as.example/auth', 'https://as.example/auth?a=b+c'],
    ['https://as.example/auth?tenant=%41', 'https://as.example/auth?tenant=%41&a=b+c'],
    ['https://as.example/auth?', 'https://as.example/auth?a=b+c'],
    ['https://as.example/auth?x=1&', 'https://as.example/auth?x=1&a=b+c'],
    ['https://as.example/auth#top', 'https://as.example/auth?a=b+c'],
  ])('for the endpoint %s is the address %s', (endpoint, url) => {
    expect(
      buildAuthorizationUrl(endpoint, withExtraParameters(buildParameters('userinfo', {}), [['a', 'b c']])),
    ).toBe(url);
  });
});

describe('the place of a response', () => {
  it.each([
    ['code', undefined, 'query'],
    ['code', 'jwt', 'query'],
    ['code', 'form_post', 'form_post'],
    ['code', 'fragment.jwt', 'fragment'],
    ['id_token', undefined, 'fragment'],
    ['code id_token', 'jwt', 'fragment'],
    ['token', 'form_post.jwt', 'form_post'],
    [undefined, undefined, 'query'],
  ] as const)('of %s with mode %s is %s', (type, mode, place) => {
    expect(responsePlace(type, mode)).toBe(place);
  });
});

describe('an authorization response', () => {
  it('keeps every parameter as it came', () => {
    const response = parseAuthorizationResponse(
      [
        ['code', 'C'],
        ['state', 'S'],
        ['session_state', 'odd'],
      ],
      EXPECTED,
    );
    expect(response).toEqual({
      kind: 'granted',
      code: 'C',
      access_token: undefined,
      id_token: undefined,
      json: { code: 'C', state: 'S', session_state: 'odd' },
    });
  });

  it('that is an error is the refusal of the server, without a status', () => {
    const response = parseAuthorizationResponse(
      [
        ['error', 'access_denied'],
        ['error_description', 'no'],
        ['state', 'S'],
      ],
      EXPECTED,
    );
    expect(response).toEqual({
      kind: 'refused',
      oauth: {
        error: 'access_denied',
        error_description: 'no',
        error_uri: undefined,
        endpoint: 'authorization',
      },
    });
  });

  it.each<[string, FormParameters, object, string]>([
    ['no code', [['state', 'S']], {}, 'it has no "code"'],
    ['an empty code', [['code', '']], {}, 'it has no "code"'],
    [
      'two codes',
      [
        ['code', 'A'],
        ['code', 'B'],
      ],
      {},
      '"code" occurs more than once',
    ],
    ['no token', [['token_type', 'Bearer']], { responseType: 'token' }, 'it has no "access_token"'],
    ['no token type', [['access_token', 'A']], { responseType: 'token' }, 'it has no "token_type"'],
    ['no ID token', [['code', 'C']], { responseType: 'code id_token' }, 'it has no "id_token"'],
  ])('with %s breaks the protocol: exit 4', (_what, parameters, more, why) => {
    expect(() => parseAuthorizationResponse(parameters, { ...EXPECTED, ...more })).toThrow(
      expect.objectContaining({
        code: 'authorization_response_invalid',
        exitCode: 4,
        message: expect.stringContaining(why),
      }),
    );
  });

  const mixUps: [string, FormParameters, boolean][] = [
    ['of another issuer', [['iss', 'https://evil.example']], false],
    ['of an issuer that differs by a slash', [['iss', `${ISSUER}/`]], false],
    ['of no issuer, where the server sends one', [], true],
    ['of an empty issuer', [['iss', '']], false],
  ];
  it.each(mixUps)('%s is a mix-up, with a code and with an error: exit 4', (_what, iss, requiresIss) => {
    for (const said of [['code', 'C'] as const, ['error', 'access_denied'] as const]) {
      expect(() => parseAuthorizationResponse([said, ...iss], { ...EXPECTED, requiresIss })).toThrow(
        expect.objectContaining({ code: 'issuer_mix_up', exitCode: 4 }),
      );
    }
  });

  // oauth4webapi takes an empty one for none.
  it.each(mixUps.slice(0, -1))('%s is refused by oauth4webapi as well', (_what, iss, requiresIss) => {
    const as = { issuer: ISSUER, authorization_response_iss_parameter_supported: requiresIss };
    const parameters = new URLSearchParams([
      ['code', 'C'],
      ['state', 'S'],
      ...iss.map(([name, value]): [string, string] => [name, value]),
    ]);
    expect(() => validateAuthResponse(as, { client_id: 'c' }, parameters, 'S')).toThrow();
  });

  it('needs no iss beside the one of its JWT', () => {
    const expected = { ...EXPECTED, requiresIss: true, isJwt: true };
    expect(parseAuthorizationResponse([['code', 'C']], expected)).toMatchObject({ kind: 'granted' });
  });
});

describe('an acr that is essential', () => {
  const claims = (acr: unknown) => JSON.stringify({ id_token: { acr } });

  it.each([
    [claims({ essential: true, values: ['gold', 'silver'] }), ['gold', 'silver']],
    [claims({ essential: true, value: 'gold' }), ['gold']],
    [claims({ essential: true }), undefined],
    [claims({ values: ['gold'] }), undefined],
    [claims(null), undefined],
    ['{"id_token":null}', undefined],
    ['{"userinfo":{"acr":{"essential":true,"value":"gold"}}}', undefined],
    ['no JSON', undefined],
    [undefined, undefined],
  ])('is found in %s', (text, values) => {
    expect(readEssentialAcr(text)).toEqual(values);
  });
});

describe('a pushed authorization response', () => {
  it('names the request_uri and how long it lives', () => {
    expect(parsePushedAuthorization({ request_uri: 'urn:x', expires_in: 60 })).toEqual({
      request_uri: 'urn:x',
      expires_in: 60,
    });
    expect(parsePushedAuthorization({ request_uri: 'urn:x', expires_in: 'soon' })).toEqual({
      request_uri: 'urn:x',
      expires_in: undefined,
    });
  });

  it.each([{}, { request_uri: '' }, { request_uri: 7 }])(
    'without a request_uri breaks the protocol: %j',
    (json) => {
      expect(() => parsePushedAuthorization(json)).toThrow(
        expect.objectContaining({ code: 'pushed_authorization_response_invalid', exitCode: 4 }),
      );
    },
  );
});
