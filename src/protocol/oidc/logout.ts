import type { OAuthRefusal } from '../../errors.ts';
import { classifyAnswer, type RawAnswer } from '../oauth/answer.ts';

/** What a client asks for when it sends a browser to log out; the names are the wire's. */
export interface LogoutRequest {
  /** The ID token whose session is to end: then most servers do not ask the person. */
  readonly id_token_hint?: string | undefined;
  readonly logout_hint?: string | undefined;
  readonly post_logout_redirect_uri?: string | undefined;
  readonly state?: string | undefined;
  readonly ui_locales?: string | undefined;
}

export type LogoutAnswer =
  | { readonly kind: 'ended' }
  /** A page for people: the server does not end sessions by refresh token. */
  | { readonly kind: 'page' }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Tells whether an end_session_endpoint takes a refresh token from the client, which only Keycloak's does. Keycloak is
 * recognised by the path of the endpoint, which is the same in all its versions.
 * @param endpoint absolute URL
 */
export function takesRefreshToken(endpoint: string): boolean {
  return /\/protocol\/openid-connect\/logout\/?$/.test(new URL(endpoint).pathname);
}

/**
 * Classifies the answer to a request that ends a session by its refresh token, which is Keycloak's own.
 * @see https://www.keycloak.org/securing-apps/oidc-layers#_logout_endpoint
 */
export function parseLogoutAnswer(answer: RawAnswer): LogoutAnswer {
  const { status, headers, body } = answer;
  const classified = classifyAnswer(answer, 'end_session');
  if (classified.kind === 'refused') return classified;
  if (status === 204 || (status === 200 && body.trim() === '')) return { kind: 'ended' };
  if (status < 400 && (status >= 300 || /^text\/html\b/i.test(headers['content-type'] ?? '')))
    return { kind: 'page' };
  return classified.kind === 'foreign' ? classified : { kind: 'ended' };
}
