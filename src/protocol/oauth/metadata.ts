import { ValidationError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';

/** Authorization server metadata: the members that are used here by name, and all others as they came. */
export interface ServerMetadata extends JsonObject {
  readonly issuer: string;
  readonly token_endpoint?: string;
  readonly jwks_uri?: string;
  readonly backchannel_authentication_endpoint?: string;
  readonly device_authorization_endpoint?: string;
  readonly authorization_endpoint?: string;
  readonly pushed_authorization_request_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly userinfo_endpoint?: string;
  readonly end_session_endpoint?: string;
}

/**
 * The addresses at which an issuer's metadata may be: OpenID Connect Discovery first, then RFC 8414.
 * @param issuer absolute URL, with or without a path and a trailing slash
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.1
 */
export function metadataUrls(issuer: string): readonly string[] {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/+$/, '');
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * Checks metadata against the issuer that was asked for. They must be equal to the character.
 * @throws ValidationError `issuer_mismatch` with both printed, `metadata_invalid` for missing or wrong members
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
  for (const [name, value] of Object.entries(json)) {
    if (/(_endpoint|_uri)$/.test(name) && !isHttpUrl(value)) {
      throw new ValidationError('metadata_invalid', `"${name}" in the metadata is not an http or https URL`);
    }
  }
  return json as ServerMetadata;
}

/**
 * Returns an endpoint of the metadata.
 * @throws ValidationError `endpoint_missing` when the server does not have it
 */
export function requireEndpoint(
  metadata: ServerMetadata,
  name:
    | 'token_endpoint'
    | 'jwks_uri'
    | 'backchannel_authentication_endpoint'
    | 'device_authorization_endpoint'
    | 'authorization_endpoint'
    | 'pushed_authorization_request_endpoint'
    | 'introspection_endpoint'
    | 'revocation_endpoint'
    | 'userinfo_endpoint'
    | 'end_session_endpoint',
): string {
  const endpoint = metadata[name];
  if (typeof endpoint !== 'string') {
    throw new ValidationError('endpoint_missing', `the metadata of ${metadata.issuer} has no "${name}"`, {
      hint: ABSENCE[name] ?? 'Look at what the server offers with "oauthctl discover".',
    });
  }
  return endpoint;
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
 * stands in its place.
 * @throws ValidationError `metadata_invalid` for an alias that is no http or https URL
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-5
 */
export function withMtlsEndpointAliases(metadata: ServerMetadata): ServerMetadata {
  const aliases = metadata.mtls_endpoint_aliases;
  if (aliases === null || typeof aliases !== 'object') return metadata;
  for (const [name, alias] of Object.entries(aliases)) {
    if (!isHttpUrl(alias)) {
      throw new ValidationError(
        'metadata_invalid',
        `the alias of "${name}" in the metadata is not an http or https URL`,
      );
    }
  }
  return { ...metadata, ...aliases, issuer: metadata.issuer };
}

function issuerMismatchHint(expected: string, issuer: string): string {
  if (expected.replace(/\/+$/, '') === issuer.replace(/\/+$/, '')) {
    return `They differ by a trailing slash only: use ${issuer} to the character.`;
  }
  return (
    `Use ${issuer} as the issuer, or, if this server is reached by an inner address on purpose, ` +
    `allow it with --accept-issuer ${issuer}.`
  );
}

function isHttpUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  return ['http:', 'https:'].includes(new URL(value).protocol);
}
