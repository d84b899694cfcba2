import type { OAuthRefusal } from '../../errors.ts';
import { classifyAnswer, type RawAnswer } from '../oauth/answer.ts';

/** The parameters of a logout in a browser, by their wire names. */
export interface LogoutRequest {
  /** An ID token of the session that is to end; with it, most servers do not ask the user. */
  readonly id_token_hint?: string | undefined;
  readonly logout_hint?: string | undefined;
  readonly post_logout_redirect_uri?: string | undefined;
  readonly state?: string | undefined;
  readonly ui_locales?: string | undefined;
}

export type LogoutAnswer =
  | { readonly kind: 'ended' }
  /** An HTML page: the server does not end sessions by refresh token. */
  | { readonly kind: 'page' }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Says whether an end_session_endpoint accepts a refresh token from the client, which only that of Keycloak does. It is
 * recognised by its path, which is the same in all versions.
 * @param endpoint absolute URL
 */
export function takesRefreshToken(endpoint: string): boolean {
  return /\/protocol\/openid-connect\/logout\/?$/.test(new URL(endpoint).pathname);
}

/**
 * Classifies the answer to a request that ends a session by its refresh token, as Keycloak defines it.
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
