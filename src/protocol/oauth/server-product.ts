import type { OAuthRefusal } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import type { RawAnswer } from './refusal-forms.ts';

/** Paths of Keycloak below any prefix, the same in all its versions. */
const KEYCLOAK_PATH = /\/realms\/[^/]+(?:\/(?:protocol\/|\.well-known\/|clients-registrations\/)|\/?$)/;

/** Bodies of Keycloak: its error for a path that it does not serve, and its error page. */
const KEYCLOAK_BODY =
  /^\s*\{\s*"error"\s*:\s*"Unable to find matching target resource method"|\bid="kc-error-message"/;

/** The Server header of the built-in sandbox, which has Keycloak's paths and none of its settings. */
const SANDBOX = 'oauthctl-sandbox';

/**
 * Recognises the product that sent an answer, by its address and its own words.
 * @returns undefined where the product is not known; nothing is guessed
 */
export function recognizeProduct({
  url,
  headers,
  body,
}: Pick<RawAnswer, 'url' | 'headers' | 'body'>): OAuthRefusal['product'] {
  if (headers.server === SANDBOX) return undefined;
  if (url !== undefined && isKeycloakUrl(url)) return 'keycloak';
  return KEYCLOAK_BODY.test(body) ? 'keycloak' : undefined;
}

/** Says whether a server is Keycloak, by the path of its logout endpoint, which the built-in sandbox does not have. */
export function isKeycloak({ end_session_endpoint: logout }: JsonObject): boolean {
  return typeof logout === 'string' && isKeycloakUrl(logout);
}

/**
 * Says whether an address is one of a realm of Keycloak: its issuer or an endpoint below it.
 * @param url an absolute URL; anything else is none
 */
export function isKeycloakUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { pathname } = new URL(url);
  // RFC 8414 puts its well-known part before the path of the issuer.
  return KEYCLOAK_PATH.test(pathname.replace(/^\/\.well-known\/[^/]+/, ''));
}
