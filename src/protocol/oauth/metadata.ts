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

/** Set on metadata that was asked for by https, whatever the issuer calls itself. It is no member of the JSON. */
const HTTPS_ASKED = Symbol('asked for by https');

/** Set on metadata of an https issuer whose http addresses are used all the same. It is no member of the JSON. */
const HTTP_ALLOWED = Symbol('http addresses are allowed');

/**
 * Authorization server metadata, as it came but for the issuer, which was checked. Addresses are unchecked: they are read
 * by requireEndpoint and findEndpoint, so that a member that nobody uses stops nothing.
 */
export interface ServerMetadata extends JsonObject {
  readonly issuer: string;
  readonly [HTTPS_ASKED]?: true;
  readonly [HTTP_ALLOWED]?: true;
}

/**
 * The addresses at which an issuer's metadata may be: OpenID Connect Discovery first, then RFC 8414.
 * @param issuer absolute URL, with or without a path and a trailing slash
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.1
 */
export function metadataUrls(issuer: string): readonly string[] {
  const url = new URL(issuer);
  const path = trimTrailing(url.pathname, '/');
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * Checks metadata against the issuer that was asked for. They must be equal to the character.
 * @throws ValidationError `issuer_mismatch` with both printed, `metadata_invalid` without an issuer
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3
 */
export function parseMetadata(json: JsonObject, askedIssuer: string, acceptIssuer?: string): ServerMetadata {
  const { issuer } = json;
  if (typeof issuer !== 'string') {
    throw new ValidationError('metadata_invalid', 'the metadata has no "issuer"', {
      hint: 'Check that the address is that of an authorization server.',
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
 * Makes metadata of addresses that are given by hand, alone or over what discovery says.
 * @param endpoints by their names in the metadata; undefined leaves a member as it is
 */
export function withEndpoints(
  metadata: ServerMetadata,
  endpoints: Readonly<Partial<Record<EndpointName, string | undefined>>>,
): ServerMetadata {
  const given = Object.entries(endpoints).filter(([, url]) => url !== undefined);
  return given.length === 0 ? metadata : { ...metadata, ...Object.fromEntries(given) };
}

/** The same metadata, whose http addresses are used although the issuer is https. */
export function allowHttp(metadata: ServerMetadata): ServerMetadata {
  return { ...metadata, [HTTP_ALLOWED]: true };
}

/**
 * Returns an address of the metadata.
 * @throws ValidationError `endpoint_missing` when the server does not have it; otherwise as findEndpoint
 */
export function requireEndpoint(metadata: ServerMetadata, name: EndpointName): string {
  const endpoint = findEndpoint(metadata, name);
  if (endpoint === undefined) {
    throw new ValidationError('endpoint_missing', `the metadata of ${metadata.issuer} has no "${name}"`, {
      hint: `${ABSENCE[name] ?? 'Look at what the server offers with "oauthctl discover".'} An address that the metadata does not have can be given by ${endpointFlag(name)}.`,
    });
  }
  return endpoint;
}

/**
 * Finds an address of the metadata; an empty one and null count as absent.
 * @throws ValidationError `metadata_invalid` for what is no http or https URL, `endpoint_insecure` for an http URL of an
 *   https issuer, but for the loopback interface
 */
export function findEndpoint(metadata: ServerMetadata, name: EndpointName): string | undefined {
  const value = metadata[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !isHttpUrl(value)) {
    throw new ValidationError(
      'metadata_invalid',
      `"${name}" in the metadata is not an http or https URL: ${JSON.stringify(value)}`,
      { hint: `The server is at fault. Give the right address by ${endpointFlag(name)}.` },
    );
  }
  const isHttps = metadata.issuer.startsWith('https:') || metadata[HTTPS_ASKED] === true;
  if (metadata[HTTP_ALLOWED] || !isHttps) return value;
  const { protocol, hostname } = new URL(value);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return value;
  throw new ValidationError(
    'endpoint_insecure',
    `the server was asked for by https, and its "${name}" is http: ${value}`,
    {
      hint:
        'Nothing was sent there: it would be sent in clear. Most often a TLS proxy does not tell the server that it was ' +
        `reached by https. ${describeProxyRemedy(metadata.issuer)} --allow-http-endpoints uses the address all the same.`,
    },
  );
}

/** The option that gives an address by hand. */
export function endpointFlag(name: EndpointName): string {
  return `--${name.replaceAll('_', '-')}`;
}

/** Returns the names that the metadata lists in a member; undefined where it lists none. */
export function listedIn(metadata: ServerMetadata, member: string): string[] | undefined {
  const names = metadata[member];
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
}

/** What it means that an endpoint is not there. */
const ABSENCE: Readonly<Record<string, string>> = {
  backchannel_authentication_endpoint: 'This server does not offer CIBA, or has the feature switched off.',
  pushed_authorization_request_endpoint:
    'This server does not offer pushed authorization requests (RFC 9126).',
  device_authorization_endpoint: 'This server does not offer the device grant, or has it switched off.',
  introspection_endpoint:
    'This server does not offer introspection (RFC 7662): its tokens are checked locally.',
  revocation_endpoint: 'This server does not offer revocation (RFC 7009): its tokens live until they expire.',
  userinfo_endpoint: 'This server does not offer UserInfo: it may be no OpenID provider.',
  end_session_endpoint: 'This server ends no sessions for clients: revoke the refresh token instead.',
};

/**
 * The metadata as a client with a certificate is to read it: where an endpoint has an alias for mutual TLS, the alias
 * stands in its place. An empty alias is none.
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-5
 */
export function withMtlsEndpointAliases(metadata: ServerMetadata): ServerMetadata {
  const aliases = metadata.mtls_endpoint_aliases;
  if (!isJsonObject(aliases)) return metadata;
  const given = Object.entries(aliases).filter(([, alias]) => alias !== null && alias !== '');
  return { ...metadata, ...Object.fromEntries(given), issuer: metadata.issuer };
}

/** What to do about an issuer of another name; a foreign name does not come first. */
function issuerMismatchHint(expected: string, issuer: string): string {
  if (trimTrailing(expected, '/') === trimTrailing(issuer, '/')) {
    return `They differ by a trailing slash only: use ${issuer} to the character.`;
  }
  if (/[{}]/.test(issuer)) {
    return 'The server answers with a template, because the address is that of many tenants. Use the address of one tenant.';
  }
  if (issuer === expected.replace(/^https:/, 'http:')) {
    return `A TLS proxy in front of the server does not tell it that it was reached by https. ${describeProxyRemedy(issuer)}`;
  }
  return (
    'Check that the address is the right one. If the server is reached by an internal address on purpose, add ' +
    `--accept-issuer ${issuer}. Otherwise use the name that the server has for itself as --issuer, or mend its host name.`
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
