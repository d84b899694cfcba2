import type { EndpointName } from '../protocol/oauth/metadata.ts';
import type { SettingName } from '../settings.ts';
import type { Settings } from './settings.ts';

/** The settings that set endpoints, by the names of their metadata members. */
const ENDPOINT_SETTINGS = {
  token_endpoint: 'tokenEndpoint',
  authorization_endpoint: 'authorizationEndpoint',
  pushed_authorization_request_endpoint: 'pushedAuthorizationRequestEndpoint',
  backchannel_authentication_endpoint: 'backchannelAuthenticationEndpoint',
  device_authorization_endpoint: 'deviceAuthorizationEndpoint',
  introspection_endpoint: 'introspectionEndpoint',
  revocation_endpoint: 'revocationEndpoint',
  userinfo_endpoint: 'userinfoEndpoint',
  end_session_endpoint: 'endSessionEndpoint',
  jwks_uri: 'jwksUri',
} as const satisfies Record<EndpointName, SettingName>;

/** Reads the endpoints that are set, by the names of their metadata members. */
export function readEndpoints(settings: Settings): Partial<Record<EndpointName, string>> {
  return Object.fromEntries(
    Object.entries(ENDPOINT_SETTINGS).flatMap(([name, setting]) => {
      const value = settings.get(setting);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The path suffix of a metadata URL, which is accepted in place of the issuer identifier. */
const METADATA_PATH = /\/\.well-known\/openid-configuration$/;

/**
 * Finds the identifier of the authorization server: its issuer, or the origin of its endpoints if only those are set.
 * @returns undefined if neither is configured
 */
export function findIssuer(settings: Settings): string | undefined {
  const issuer = settings.get('issuer');
  if (issuer !== undefined) return issuer.replace(METADATA_PATH, '');
  const [endpoint] = Object.values(readEndpoints(settings));
  return endpoint === undefined ? undefined : new URL(endpoint).origin;
}

/** @throws UsageError `setting_missing` */
export function requireIssuer(settings: Settings, what = 'the authorization server'): string {
  return findIssuer(settings) ?? settings.require('issuer', what);
}
