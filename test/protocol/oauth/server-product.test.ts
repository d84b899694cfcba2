import { describe, expect, it } from 'vitest';
import { isKeycloak, isKeycloakUrl, recognizeProduct } from '../../../src/protocol/oauth/server-product.ts';

const answer = (url: string, more: { headers?: Record<string, string>; body?: string } = {}) =>
  recognizeProduct({ url, headers: more.headers ?? {}, body: more.body ?? '' });

describe('the product of a server', () => {
  it.each([
    'http://127.0.0.1:8080/realms/sample',
    'http://127.0.0.1:8080/realms/sample/',
    'https://as.example/auth/realms/sample/protocol/openid-connect/token',
    'https://as.example/realms/sample/protocol/openid-connect/ext/ciba/auth/callback',
    'https://as.example/realms/sample/.well-known/openid-configuration',
    'https://as.example/.well-known/oauth-authorization-server/realms/sample',
    'https://as.example/realms/sample/protocol/openid-connect/auth?client_id=a',
  ])('is Keycloak by the address %s', (url) => {
    expect(isKeycloakUrl(url)).toBe(true);
    expect(answer(url)).toBe('keycloak');
  });

  it.each([
    'https://as.example/token',
    'https://as.example/cas/oidc/accessToken',
    'https://as.example/protocol/openid-connect/token',
    'https://as.example/realms',
    'https://as.example/api/realms/sample/users',
    'https://as.example/token?next=/realms/sample/protocol/openid-connect/token',
    'not an address',
  ])('is not known by the address %s', (url) => {
    expect(isKeycloakUrl(url)).toBe(false);
    expect(answer(url)).toBeUndefined();
  });

  it("is Keycloak by its error page and its error for a path outside a realm, and not by another program's", () => {
    const url = 'http://127.0.0.1:8080/.well-known/openid-configuration';
    const body = '{"error":"Unable to find matching target resource method"}';
    expect(answer(url, { body })).toBe('keycloak');
    expect(answer(url, { body: '<div id="kc-error-message"><p>Client disabled.</p></div>' })).toBe(
      'keycloak',
    );
    expect(answer(url, { body: '{"error":"not found"}' })).toBeUndefined();
  });

  it('is not known where the built-in sandbox answers, which has the paths of Keycloak', () => {
    const url = 'http://127.0.0.1:1/realms/sandbox/protocol/openid-connect/token';
    expect(answer(url, { headers: { server: 'oauthctl-sandbox' } })).toBeUndefined();
  });

  it('is Keycloak by the logout endpoint of its metadata', () => {
    const endpoint = (path: string) => ({ end_session_endpoint: `https://as.example${path}` });
    expect(isKeycloak(endpoint('/realms/a/protocol/openid-connect/logout'))).toBe(true);
    expect(isKeycloak(endpoint('/logout'))).toBe(false);
    expect(isKeycloak({ issuer: 'https://as.example/realms/a' })).toBe(false);
  });
});
