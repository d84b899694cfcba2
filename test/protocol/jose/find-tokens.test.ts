import { describe, expect, it } from 'vitest';
import { findTokens } from '../../../src/protocol/jose/find-tokens.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${encode({ alg: 'RS256' })}.${encode({ sub: 'a' })}.c2lnbmF0dXJl`;
const OTHER = `${encode({ alg: 'ES256' })}.${encode({ sub: 'b' })}.c2lnbmF0dXJl`;
const JWE = `${encode({ alg: 'dir', enc: 'A256GCM' })}..aXY.Y2lwaGVy.dGFn`;

describe('a token is found', () => {
  it.each([
    ['alone', JWT],
    ['encrypted', JWE, JWE],
    ['between spaces and line ends', ` \r\n${JWT}\n`],
    ['in quotes', `"${JWT}"`],
    ['after Bearer', `Bearer ${JWT}`],
    ['after DPoP', `DPoP ${JWT}`],
    ['in a header', `Authorization: Bearer ${JWT}`],
    ['in a curl command', `curl -H 'Authorization: Bearer ${JWT}' https://api.example/`],
    ['in a line of a log', `2026-01-01 token=${JWT} was refused`],
    ['with the disclosures of an SD-JWT', `${JWT}~WyJhIl0~WyJiIl0~`],
    ['in JSON under any name', JSON.stringify({ deep: [{ anything: JWT }] })],
    [
      'in JSON serialization',
      JSON.stringify({
        protected: JWT.split('.')[0],
        payload: JWT.split('.')[1],
        signature: JWT.split('.')[2],
      }),
    ],
    [
      'in general JSON serialization',
      JSON.stringify({
        payload: JWT.split('.')[1],
        signatures: [{ protected: JWT.split('.')[0], signature: JWT.split('.')[2] }],
      }),
    ],
  ])('%s', (_where, text, token = JWT) => {
    expect(findTokens(text).map((found) => found.token)).toEqual([token]);
  });

  it('with a header that begins with a space', () => {
    const token = `${Buffer.from('{ "alg":"RS256"}').toString('base64url')}.${encode({})}.AA`;
    expect(findTokens(token)).toEqual([{ token }]);
  });

  it.each([
    `https://app.example/callback?state=1&id_token=${JWT}`,
    `https://app.example/callback#id_token=${JWT}&state=1`,
    `com.example.app:/callback#id_token=${JWT}`,
    `/callback?id_token=${JWT}`,
    `grant_type=x&id_token=${JWT}`,
  ])('by its name in %s', (text) => {
    expect(findTokens(text)).toEqual([{ name: 'id_token', token: JWT }]);
  });
});

describe('a token response', () => {
  it('has every token in it, opaque ones by their names', () => {
    const response = {
      access_token: JWT,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: 'opaque-one',
      id_token: OTHER,
      session_state: 'x',
      scope: 'openid',
    };
    expect(findTokens(JSON.stringify(response, null, 2))).toEqual([
      { name: 'access_token', token: JWT },
      { name: 'refresh_token', token: 'opaque-one' },
      { name: 'id_token', token: OTHER },
    ]);
  });

  it('names a token once that stands in it twice', () => {
    expect(findTokens(JSON.stringify({ a: JWT, b: JWT }))).toHaveLength(1);
  });
});

describe('several lines', () => {
  it('have a token each', () => {
    expect(findTokens(`${JWT}\n${OTHER}\n`).map(({ token }) => token)).toEqual([JWT, OTHER]);
  });
});

describe('nothing is found', () => {
  it.each([
    '',
    'opaque',
    '{"error":"x"}',
    '{',
    'https://as.example/?a=b',
    '550e8400-e29b-41d4-a716-446655440000',
  ])('in %j', (text) => {
    expect(findTokens(text)).toEqual([]);
  });

  it('in JSON that is deeper than anybody means', () => {
    expect(findTokens(`${'['.repeat(5000)}"${JWT}"${']'.repeat(5000)}`)).toEqual([]);
  });
});
