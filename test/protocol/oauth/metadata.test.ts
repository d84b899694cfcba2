import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import {
  allowHttp,
  ENDPOINT_NAMES,
  findEndpoint,
  listMetadataUrls,
  parseMetadata,
  requireEndpoint,
  withEndpoints,
  withMtlsEndpointAliases,
} from '../../../src/protocol/oauth/metadata.ts';

const issuer = 'https://as.example/realms/R';

const refusalOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error as { code: string; exitCode: number; message: string; hint: string };
  }
  throw new Error('it was accepted');
};

describe('the addresses of the metadata', () => {
  it('come from OpenID Connect Discovery first, then from RFC 8414', () => {
    expect(listMetadataUrls(issuer)).toEqual([
      'https://as.example/realms/R/.well-known/openid-configuration',
      'https://as.example/.well-known/oauth-authorization-server/realms/R',
    ]);
  });

  it('are the same with and without a trailing slash', () => {
    expect(listMetadataUrls(`${issuer}/`)).toEqual(listMetadataUrls(issuer));
    expect(listMetadataUrls('https://as.example/')).toEqual(listMetadataUrls('https://as.example'));
  });
});

describe('metadata', () => {
  it('is kept whole, members of others included', () => {
    const json = {
      issuer,
      token_endpoint: 'https://as.example/token',
      own: { a: [1] },
      claims_supported: [],
    };
    expect(parseMetadata(json, issuer)).toEqual(json);
  });

  it.each([undefined, null, 1, ['https://as.example']])('with %j as issuer is not metadata', (value) => {
    expect(refusalOf(() => parseMetadata({ issuer: value }, issuer))).toMatchObject({
      code: 'metadata_invalid',
      exitCode: 4,
    });
  });

  it.each([
    ['http://localhost:8080/realms/R', 'http://127.0.0.1:8080/realms/R'],
    ['https://as.example/realms/R', 'https://as.example/realms/r'],
    ['https://as.example', 'https://evil.example'],
  ])(
    'asked for at %s and calling itself %s is refused with both printed, as oauth4webapi refuses it',
    async (asked, got) => {
      const refusal = refusalOf(() => parseMetadata({ issuer: got }, asked));
      expect(refusal).toMatchObject({ code: 'issuer_mismatch', exitCode: 4 });
      expect(refusal.message).toBe(`the metadata is of another issuer: asked for ${asked}, got ${got}`);
      expect(refusal.hint).toContain(`--accept-issuer ${got}`);
      const response = Response.json({ issuer: got });
      await expect(oauth.processDiscoveryResponse(new URL(asked), response)).rejects.toThrow(/issuer/);
    },
  );

  it('that is a template, or shows that a proxy hides https, is told apart; the foreign name does not come first', () => {
    const template = refusalOf(() =>
      parseMetadata({ issuer: 'https://login.example/{tenantid}/v2.0' }, 'https://login.example/common/v2.0'),
    );
    expect(template.hint).toMatch(/^The issuer is a template/);
    expect(template.hint).not.toContain('{tenantid}');
    const proxied = refusalOf(() => parseMetadata({ issuer: 'http://as.example' }, 'https://as.example'));
    expect(proxied.hint).toContain('X-Forwarded-Proto');
    expect(proxied.hint).not.toMatch(/--accept-issuer|http:\/\//);
    const other = refusalOf(() => parseMetadata({ issuer: 'https://evil.example' }, 'https://as.example'));
    expect(other.hint?.indexOf('evil')).toBeGreaterThan(60);
  });

  it('must be equal to the character, where oauth4webapi compares URLs', () => {
    expect(
      refusalOf(() => parseMetadata({ issuer: 'https://as.example:443' }, 'https://as.example')).code,
    ).toBe('issuer_mismatch');
  });

  it.each([
    ['https://as.example/realms/R', 'https://as.example/realms/R/'],
    ['https://as.example/', 'https://as.example'],
  ])('that differs by a trailing slash only is refused and told apart: %s, %s', (asked, got) => {
    const refusal = refusalOf(() => parseMetadata({ issuer: got }, asked));
    expect(refusal.code).toBe('issuer_mismatch');
    expect(refusal.hint).toBe(`They differ by a trailing slash only: use exactly ${got}.`);
  });

  it('of an issuer that is accepted by name is taken, and no other', () => {
    const inner = 'http://keycloak:8080/realms/R';
    expect(parseMetadata({ issuer }, inner, issuer)).toEqual({ issuer });
    const refusal = refusalOf(() => parseMetadata({ issuer: inner }, inner, issuer));
    expect(refusal.message).toBe(`the metadata is of another issuer: asked for ${issuer}, got ${inner}`);
  });

  const UNUSABLE = [
    ['token_endpoint', '/token'],
    ['token_endpoint', 'javascript:alert(1)'],
    ['jwks_uri', 'file:///etc/passwd'],
    ['jwks_uri', 7],
    ['backchannel_authentication_endpoint', ['https://as.example']],
  ] as const;

  it.each(UNUSABLE)('with %s %j is refused where that is used', (name, value) => {
    const metadata = parseMetadata({ issuer, [name]: value }, issuer);
    expect(refusalOf(() => requireEndpoint(metadata, name))).toMatchObject({
      code: 'metadata_invalid',
      message: `"${name}" in the metadata is not an http or https URL: ${JSON.stringify(value)}`,
      hint: expect.stringContaining(`--${name.replaceAll('_', '-')}`),
    });
  });

  it.each(UNUSABLE)('with %s %j is good for everything else', (name, value) => {
    const userinfo_endpoint = 'https://as.example/userinfo';
    const metadata = parseMetadata({ issuer, userinfo_endpoint, [name]: value }, issuer);
    expect(requireEndpoint(metadata, 'userinfo_endpoint')).toBe(userinfo_endpoint);
  });

  it.each([null, '', undefined])('with an endpoint that is %j does not have it', (value) => {
    const metadata = parseMetadata({ issuer, token_endpoint: value }, issuer);
    expect(findEndpoint(metadata, 'token_endpoint')).toBeUndefined();
    expect(refusalOf(() => requireEndpoint(metadata, 'token_endpoint')).code).toBe('endpoint_missing');
  });

  it.each(ENDPOINT_NAMES)('of an https issuer with an http address sends nothing there: %s', (name) => {
    const metadata = parseMetadata({ issuer, [name]: 'http://as.example/here' }, issuer);
    const refusal = refusalOf(() => requireEndpoint(metadata, name));
    expect(refusal).toMatchObject({ code: 'endpoint_insecure', exitCode: 4 });
    expect(refusal.hint).toMatch(/X-Forwarded-Proto.*--proxy-headers.*--allow-http-endpoints/);
    expect(requireEndpoint(allowHttp(metadata), name)).toBe('http://as.example/here');
  });

  it.each([
    ['https://as.example', 'http://127.0.0.1:8080/token'],
    ['https://as.example', 'http://localhost/token'],
    ['https://as.example', 'http://[::1]:1/token'],
    ['http://as.example', 'http://as.example/token'],
  ])('of the issuer %s may name %s', (own, url) => {
    expect(requireEndpoint(parseMetadata({ issuer: own, token_endpoint: url }, own), 'token_endpoint')).toBe(
      url,
    );
  });

  it('asked for by https sends nothing by http, also where an http issuer is accepted', () => {
    const json = { issuer: 'http://as.example', token_endpoint: 'http://as.example/token' };
    const metadata = parseMetadata(json, 'https://as.example', 'http://as.example');
    expect(refusalOf(() => requireEndpoint(metadata, 'token_endpoint')).code).toBe('endpoint_insecure');
    expect(requireEndpoint(allowHttp(metadata), 'token_endpoint')).toBe(json.token_endpoint);
  });

  it.each(['http://127.0.0.1.evil.example/t', 'http://localhost.evil.example/t', 'http://128.0.0.1/t'])(
    'takes no name that only looks like the loopback interface: %s',
    (url) => {
      const metadata = parseMetadata({ issuer, token_endpoint: url }, issuer);
      expect(refusalOf(() => requireEndpoint(metadata, 'token_endpoint')).code).toBe('endpoint_insecure');
    },
  );

  it('takes the addresses that are given by hand, over its own', () => {
    const metadata = withEndpoints(parseMetadata({ issuer, token_endpoint: '/relative' }, issuer), {
      token_endpoint: 'https://as.example/token',
      jwks_uri: undefined,
    });
    expect(metadata).toEqual({ issuer, token_endpoint: 'https://as.example/token' });
  });

  it('without an endpoint that is needed names it, and says what that means for CIBA', () => {
    const metadata = parseMetadata({ issuer }, issuer);
    expect(refusalOf(() => requireEndpoint(metadata, 'backchannel_authentication_endpoint'))).toMatchObject({
      code: 'endpoint_missing',
      exitCode: 4,
      message: `the metadata of ${issuer} has no "backchannel_authentication_endpoint"`,
      hint: expect.stringContaining('CIBA'),
    });
    expect(requireEndpoint({ issuer, token_endpoint: 'https://a.example' }, 'token_endpoint')).toBe(
      'https://a.example',
    );
  });
});

describe('the aliases for mutual TLS', () => {
  const metadata = {
    issuer: 'https://a.example',
    token_endpoint: 'https://a.example/token',
    jwks_uri: 'https://a.example/jwks',
  };

  it('stand in the place of the endpoints that have one, and of nothing else', () => {
    const mtls_endpoint_aliases = {
      token_endpoint: 'https://mtls.a.example/token',
      issuer: 'https://b.example',
    };
    expect(withMtlsEndpointAliases({ ...metadata, mtls_endpoint_aliases })).toEqual({
      ...metadata,
      token_endpoint: 'https://mtls.a.example/token',
      mtls_endpoint_aliases,
    });
  });

  it.each([undefined, null, 'x', {}])('change nothing where they are %j', (mtls_endpoint_aliases) => {
    const given = { ...metadata, mtls_endpoint_aliases };
    expect(withMtlsEndpointAliases(given)).toEqual(given);
  });

  it('that are empty or null leave the endpoint as it is', () => {
    const mtls_endpoint_aliases = { token_endpoint: null, jwks_uri: '' };
    const { token_endpoint, jwks_uri } = withMtlsEndpointAliases({ ...metadata, mtls_endpoint_aliases });
    expect({ token_endpoint, jwks_uri }).toEqual({
      token_endpoint: metadata.token_endpoint,
      jwks_uri: metadata.jwks_uri,
    });
  });

  it.each(['not a URL', 'javascript:alert(1)', 7])('are refused with %j as an address', (token_endpoint) => {
    const given = { ...metadata, mtls_endpoint_aliases: { token_endpoint } };
    expect(() => requireEndpoint(withMtlsEndpointAliases(given), 'token_endpoint')).toThrow(
      expect.objectContaining({ code: 'metadata_invalid', exitCode: 4 }),
    );
  });
});
