import { ValidationError } from '../../errors.ts';
import { trimTrailing } from '../../trim-trailing.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { isLoopbackHost } from '../loopback.ts';
import { isKeycloakUrl } from './server-product.ts';

/** The members of the metadata that are addresses, and that are used here. */
export const ENDPOINT_NAMES = [
  'token_endpoint',
  'authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'backchannel_authentication_endpoint',
  'device_authorization_endpoint',
  'introspection_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
  'end_session_endpoint',
  'jwks_uri',
] as const;

export type EndpointName = (typeof ENDPOINT_NAMES)[number];

/** Marks metadata that was requested by https, whatever its issuer is. It is not a member of the JSON. */
const HTTPS_ASKED = Symbol('asked for by https');

/** Marks metadata of an https issuer whose http addresses are allowed. It is not a member of the JSON. */
const HTTP_ALLOWED = Symbol('http addresses are allowed');

/**
 * Authorization server metadata. Only the issuer was checked. requireEndpoint and findEndpoint check an address when it is
 * used, so that an invalid member that is not used is no error.
 */
export interface ServerMetadata extends JsonObject {
  readonly issuer: string;
  readonly [HTTPS_ASKED]?: true;
  readonly [HTTP_ALLOWED]?: true;
}

/**
 * Lists the URLs where the metadata of an issuer may be: OpenID Connect Discovery first, then RFC 8414.
 * @param issuer absolute URL, with or without a path and a trailing slash
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.1
 */
export function listMetadataUrls(issuer: string): readonly string[] {
  const url = new URL(issuer);
  const path = trimTrailing(url.pathname, '/');
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * Checks that the issuer of the metadata is identical to the requested one.
 * @throws ValidationError `issuer_mismatch`, `metadata_invalid` if there is no issuer
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3
 */
export function parseMetadata(json: JsonObject, askedIssuer: string, acceptIssuer?: string): ServerMetadata {
  const { issuer } = json;
  if (typeof issuer !== 'string') {
    throw new ValidationError('metadata_invalid', 'the metadata has no "issuer"', {
      hint: 'Check that it is the address of an authorization server.',
    });
  }
  const expected = acceptIssuer ?? askedIssuer;
  if (issuer !== expected) {
    throw new ValidationError(
      'issuer_mismatch',
      `the metadata is of another issuer: asked for ${expected}, got ${issuer}`,
      { hint: issuerMismatchHint(expected, issuer) },
    );
  }
  const isAskedByHttps = askedIssuer.startsWith('https:') && !issuer.startsWith('https:');
  return (isAskedByHttps ? { ...json, [HTTPS_ASKED]: true } : json) as ServerMetadata;
}

/**
 * Adds endpoints that the user has set; they replace those of the metadata.
 * @param endpoints by their names in the metadata; undefined keeps the member of the metadata
 */
export function withEndpoints(
  metadata: ServerMetadata,
  endpoints: Readonly<Partial<Record<EndpointName, string | undefined>>>,
): ServerMetadata {
  const given = Object.entries(endpoints).filter(([, url]) => url !== undefined);
  return given.length === 0 ? metadata : { ...metadata, ...Object.fromEntries(given) };
}

/** Allows http addresses although the issuer is https. */
export function allowHttp(metadata: ServerMetadata): ServerMetadata {
  return { ...metadata, [HTTP_ALLOWED]: true };
}

/**
 * Returns an endpoint of the metadata.
 * @throws ValidationError `endpoint_missing` if the metadata has no such endpoint; as findEndpoint
 */
export function requireEndpoint(metadata: ServerMetadata, name: EndpointName): string {
  const endpoint = findEndpoint(metadata, name);
  if (endpoint === undefined) {
    throw new ValidationError('endpoint_missing', `the metadata of ${metadata.issuer} has no "${name}"`, {
      hint: `${ABSENCE[name] ?? '"oauthctl discover" shows what the server offers.'} An endpoint that the metadata lacks can be given with ${endpointFlag(name)}.`,
    });
  }
  return endpoint;
}

/**
 * Finds an endpoint of the metadata; an empty string and null count as absent.
 * @throws ValidationError `metadata_invalid` for anything but an http or https URL, `endpoint_insecure` for an http URL of
 *   an https issuer, except on the loopback interface
 */
export function findEndpoint(metadata: ServerMetadata, name: EndpointName): string | undefined {
  const value = metadata[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !isHttpUrl(value)) {
    throw new ValidationError(
      'metadata_invalid',
      `"${name}" in the metadata is not an http or https URL: ${JSON.stringify(value)}`,
      { hint: `The server is at fault. Give the right address with ${endpointFlag(name)}.` },
    );
  }
  const isHttps = metadata.issuer.startsWith('https:') || metadata[HTTPS_ASKED] === true;
  if (metadata[HTTP_ALLOWED] || !isHttps) return value;
  const { protocol, hostname } = new URL(value);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return value;
  throw new ValidationError('endpoint_insecure', `the issuer is https, but its "${name}" is http: ${value}`, {
    hint:
      'Nothing was sent there: it would be sent in clear. Most often a TLS proxy does not tell the server that it was ' +
      `reached by https. ${describeProxyRemedy(metadata.issuer)} --allow-http-endpoints uses the address anyway.`,
  });
}

/** Returns the option that sets an endpoint. */
export function endpointFlag(name: EndpointName): string {
  return `--${name.replaceAll('_', '-')}`;
}

/** Returns the names that the metadata lists in a member; undefined if the member is missing. */
export function listedIn(metadata: ServerMetadata, member: string): string[] | undefined {
  const names = metadata[member];
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
}

/** What a missing endpoint means. */
const ABSENCE: Readonly<Record<string, string>> = {
  backchannel_authentication_endpoint: 'This server does not offer CIBA, or the feature is disabled.',
  pushed_authorization_request_endpoint:
    'This server does not offer pushed authorization requests (RFC 9126).',
  device_authorization_endpoint: 'This server does not offer the device grant, or the feature is disabled.',
  introspection_endpoint: 'This server does not offer introspection (RFC 7662): check its tokens locally.',
  revocation_endpoint:
    'This server does not offer revocation (RFC 7009): its tokens are valid until they expire.',
  userinfo_endpoint: 'This server does not offer UserInfo: it may not be an OpenID provider.',
  end_session_endpoint: 'This server does not offer logout: revoke the refresh token instead.',
};

/**
 * Replaces the endpoints by their aliases for mutual TLS, for a client with a certificate. An empty alias is ignored.
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-5
 */
export function withMtlsEndpointAliases(metadata: ServerMetadata): ServerMetadata {
  const aliases = metadata.mtls_endpoint_aliases;
  if (!isJsonObject(aliases)) return metadata;
  const given = Object.entries(aliases).filter(([, alias]) => alias !== null && alias !== '');
  return { ...metadata, ...Object.fromEntries(given), issuer: metadata.issuer };
}

/** Says what to do about another issuer; the issuer that the server has sent is not named first. */
function issuerMismatchHint(expected: string, issuer: string): string {
  if (trimTrailing(expected, '/') === trimTrailing(issuer, '/')) {
    return `They differ by a trailing slash only: use exactly ${issuer}.`;
  }
  if (/[{}]/.test(issuer)) {
    return 'The issuer is a template, because the address is shared by many tenants. Use the address of one tenant.';
  }
  if (issuer === expected.replace(/^https:/, 'http:')) {
    return `A TLS proxy in front of the server does not tell it that it was reached by https. ${describeProxyRemedy(issuer)}`;
  }
  return (
    'Check that the address is the right one. If the server is reached by an internal address on purpose, add ' +
    `--accept-issuer ${issuer}. Otherwise use the issuer of the server as --issuer, or correct the host name that the server is configured with.`
  );
}

/**
 * Says how a server behind a TLS proxy learns that it was reached by https.
 * @param issuer of the server
 */
export function describeProxyRemedy(issuer: string): string {
  const setting = isKeycloakUrl(issuer) ? ' (Keycloak: --proxy-headers xforwarded)' : '';
  return `Let the proxy send X-Forwarded-Proto: https, and let the server trust that header${setting}.`;
}

function isHttpUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  return ['http:', 'https:'].includes(new URL(value).protocol);
}
