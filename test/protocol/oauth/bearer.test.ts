import { describe, expect, it } from 'vitest';
import {
  buildBearerChallenge,
  buildResourceMetadata,
  describable,
  parseCredentials,
} from '../../../src/protocol/oauth/bearer.ts';
import { parseChallenges } from '../../../src/protocol/oauth/challenge.ts';

describe('the credentials of a request', () => {
  it.each([
    'Bearer abc.DEF-_~+/==',
    'bearer abc.DEF-_~+/==',
    'BEARER   abc.DEF-_~+/==',
    'Bearer\tabc.DEF-_~+/==',
  ])('are the token in %j', (header) => {
    expect(parseCredentials([header], '')).toEqual({ kind: 'token', token: 'abc.DEF-_~+/==' });
  });

  it.each([[[]], [['']], [['Basic dXNlcjpwYXNz']], [['DPoP eyJh']], [['Bearerabc']]])(
    'are none in %j',
    (headers) => {
      expect(parseCredentials(headers, 'a=1&token=2')).toEqual({ kind: 'none' });
    },
  );

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer ä',
    'Bearer =a',
    'Bearer "a"',
    'Bearer a\u0000',
  ])('are an invalid token in %j', (header) => {
    expect(parseCredentials([header], '')).toMatchObject({ kind: 'unusable', error: 'invalid_token' });
  });

  it.each([
    [['Bearer a', 'Bearer a'], ''],
    [['Bearer a', 'Basic b'], ''],
    [['Bearer a'], 'x=1&access_token=b'],
    [['Bearer a'], 'access%5Ftoken=b'],
    [[], 'access_token='],
    [['Basic a'], 'access_token=b'],
  ])('are an invalid request where they come by %j and the query %j', (headers, query) => {
    expect(parseCredentials(headers, query)).toMatchObject({ kind: 'unusable', error: 'invalid_request' });
  });
});

describe('a Bearer challenge', () => {
  it('is read as it was meant', () => {
    const challenge = {
      realm: 'oauthctl',
      error: 'insufficient_scope',
      error_description: 'it lacks the scope write',
      scope: 'read write',
      resource_metadata: 'http://127.0.0.1:8090/.well-known/oauth-protected-resource',
    } as const;
    expect(parseChallenges(buildBearerChallenge(challenge))).toEqual([
      { scheme: 'Bearer', parameters: challenge },
    ]);
  });

  it('cannot be broken out of by what a token says', () => {
    const text = 'a", error="x\\" \r\nSet-Cookie: a=b \u0000 ü 😀';
    const header = buildBearerChallenge({ realm: 'r', error: 'invalid_token', error_description: text });
    expect(header).toMatch(/^[\x20-\x7e]*$/);
    const [challenge, ...others] = parseChallenges(header);
    expect(others).toEqual([]);
    expect(Object.keys(challenge?.parameters ?? {})).toEqual(['realm', 'error', 'error_description']);
    expect(challenge?.parameters.error_description).toBe("a', error='x'' ??Set-Cookie: a=b ? ? ??");
  });

  it('does not become as long as a token likes', () => {
    expect(describable('x'.repeat(10_000))).toHaveLength(300);
  });
});

describe('the metadata of a protected resource', () => {
  it('names the issuers and all scopes once', () => {
    const tenants = [
      { issuer: 'https://a.example', scopes: ['write', 'read'] },
      { issuer: 'https://b.example', scopes: ['read'] },
    ];
    expect(buildResourceMetadata('http://127.0.0.1/', tenants)).toEqual({
      resource: 'http://127.0.0.1/',
      authorization_servers: ['https://a.example', 'https://b.example'],
      scopes_supported: ['read', 'write'],
      bearer_methods_supported: ['header'],
    });
    expect(buildResourceMetadata('http://127.0.0.1/', [])).not.toHaveProperty('scopes_supported');
  });
});
