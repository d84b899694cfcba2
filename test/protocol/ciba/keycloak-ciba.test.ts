import { describe, expect, it } from 'vitest';
import {
  buildCallback,
  buildCallbackUrl,
  buildIssuerCallbackUrl,
  parseCallbackAnswer,
  parseDelegation,
} from '../../../src/protocol/ciba/keycloak-ciba.ts';

const FULL = {
  login_hint: 'cl-taro',
  scope: 'openid profile',
  binding_message: 'test-0001 é',
  acr_values: 'urn:a',
  is_consent_required: true,
};

describe('a delegation', () => {
  it.each([
    ['application/json', JSON.stringify(FULL)],
    ['application/json; charset=utf-8', JSON.stringify({ ...FULL, unknown: [1], client_secret: 's3cret' })],
    [undefined, JSON.stringify(FULL)],
    [
      'application/x-www-form-urlencoded',
      new URLSearchParams({ ...FULL, is_consent_required: 'true', client_secret: 's3cret' }).toString(),
    ],
    [
      'Application/X-WWW-Form-Urlencoded; charset=UTF-8',
      new URLSearchParams({ ...FULL, is_consent_required: 'true' }).toString(),
    ],
  ])('of type %s is read, and what is not known is left alone', (type, body) => {
    expect(parseDelegation(type, body)).toEqual(FULL);
  });

  it('may say nothing at all', () => {
    const nothing = Object.fromEntries(Object.keys(FULL).map((name) => [name, undefined]));
    expect(parseDelegation('application/json', '{}')).toEqual(nothing);
    expect(parseDelegation('application/x-www-form-urlencoded', '')).toEqual(nothing);
  });

  it('has no member of another type, and none that is empty', () => {
    const body = JSON.stringify({
      login_hint: 7,
      scope: '',
      binding_message: null,
      is_consent_required: 'no',
    });
    expect(parseDelegation('application/json', body)).toMatchObject({
      login_hint: undefined,
      scope: undefined,
      binding_message: undefined,
      is_consent_required: false,
    });
  });

  it.each(['', 'text', '[]', 'null', '{"a":'])('with the body %j and no form’s type is none', (body) => {
    expect(parseDelegation('application/json', body)).toBeUndefined();
    expect(parseDelegation(undefined, body)).toBeUndefined();
  });
});

describe('the callback', () => {
  it('stands beside the authentication endpoint', () => {
    const url = 'https://as.example/realms/R/protocol/openid-connect/ext/ciba/auth/callback';
    expect(buildCallbackUrl('https://as.example/realms/R/protocol/openid-connect/ext/ciba/auth')).toBe(url);
    expect(buildCallbackUrl('https://as.example/realms/R/protocol/openid-connect/ext/ciba/auth/')).toBe(url);
    expect(buildIssuerCallbackUrl('https://as.example/realms/R')).toBe(url);
    expect(buildIssuerCallbackUrl('https://as.example/realms/R/')).toBe(url);
  });

  it.each(['SUCCEED', 'UNAUTHORIZED', 'CANCELLED'] as const)('says %s in JSON', (status) => {
    expect(JSON.parse(buildCallback(status))).toEqual({ status });
  });

  it.each([200, 204])('is accepted with %d, whatever the body', (status) => {
    for (const body of ['', 'text', '{"error":"a"}']) {
      expect(parseCallbackAnswer({ status, headers: {}, body })).toEqual({ kind: 'accepted' });
    }
  });

  it('that is refused keeps the server’s words', () => {
    const body = '{"error":"invalid_token","error_description":"Invalid token"}';
    expect(parseCallbackAnswer({ status: 403, headers: {}, body })).toMatchObject({
      kind: 'refused',
      oauth: {
        error: 'invalid_token',
        error_description: 'Invalid token',
        status: 403,
        endpoint: 'ciba_callback',
      },
    });
  });

  it.each([
    [404, '', /empty body/],
    [502, '<html>', /HTML page/],
    [302, '', /redirect/],
  ])('that is answered with %d and %j is not the protocol, and says why', (status, body, reason) => {
    expect(parseCallbackAnswer({ status, headers: {}, body })).toEqual({
      kind: 'foreign',
      reason: expect.stringMatching(reason),
    });
  });
});
