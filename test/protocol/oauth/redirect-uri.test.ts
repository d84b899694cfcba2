import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { buildRedirectUri, parseRedirectUri } from '../../../src/protocol/oauth/redirect-uri.ts';

describe('a redirect URI', () => {
  it.each([
    [
      'http://127.0.0.1/callback',
      { host: '127.0.0.1', port: undefined, path: '/callback', isLoopback: true },
    ],
    ['http://127.0.0.1:0/callback', { port: undefined, isLoopback: true }],
    ['http://127.0.0.1:80/callback', { port: 80, isLoopback: true }],
    ['http://localhost:8080', { host: 'localhost', port: 8080, path: '/', isLoopback: true }],
    ['http://[::1]:8080/a/b?c=d', { host: '::1', port: 8080, path: '/a/b', isLoopback: true }],
    ['https://localhost/callback', { scheme: 'https', port: undefined, isLoopback: true }],
    ['https://app.example/callback', { host: 'app.example', port: 443, isLoopback: false }],
    ['http://127.0.0.1.example/callback', { port: 80, isLoopback: false }],
    ['http://192.0.2.1:9000/callback', { port: 9000, isLoopback: false }],
    ['com.example.app:/callback', { scheme: 'com.example.app', host: '', isLoopback: false }],
    ['urn:ietf:wg:oauth:2.0:oob', { scheme: 'urn', isLoopback: false }],
  ])('%s is taken apart', (text, parts) => {
    expect(parseRedirectUri(text)).toMatchObject({ text, ...parts });
  });

  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:4711/callback'],
    ['http://127.0.0.1:0/callback', 'http://127.0.0.1:4711/callback'],
    ['http://localhost', 'http://localhost:4711'],
    ['http://[::1]/callback', 'http://[::1]:4711/callback'],
    ['http://[::1]:0/callback?a=b:1', 'http://[::1]:4711/callback?a=b:1'],
    // Registered to the character, so sent to the character.
    ['http://127.0.0.1:80/callback', 'http://127.0.0.1:80/callback'],
    ['HTTP://LOCALHOST:8080', 'HTTP://LOCALHOST:8080'],
    ['com.example.app:/callback', 'com.example.app:/callback'],
  ])('%s is sent as %s once port 4711 is taken', (text, sent) => {
    expect(buildRedirectUri(parseRedirectUri(text), 4711)).toBe(sent);
  });

  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1/callback'],
    ['http://[::1]:0/callback?a=b:1', 'http://[::1]/callback?a=b:1'],
    ['http://127.0.0.1:80/callback', 'http://127.0.0.1:80/callback'],
  ])('%s is registered as %s', (text, registered) => {
    expect(buildRedirectUri(parseRedirectUri(text))).toBe(registered);
  });

  it.each(['/callback', 'callback', '', 'http://127.0.0.1:99999/', 'http://127.0.0.1/callback#a'])(
    'is not read from %j: exit 2',
    (text) => {
      expect(() => parseRedirectUri(text)).toThrow(UsageError);
    },
  );
});
