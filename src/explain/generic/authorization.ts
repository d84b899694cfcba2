import type { Case } from '../case.ts';

/** Authorization requests. @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 */
export const GENERIC_AUTHORIZATION: readonly Case[] = [
  {
    when: { endpoint: 'authorization', error: 'access_denied' },
    cause: 'The user denied the request, or cancelled the login.',
    remedy: 'Send a new request when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'authorization', error: 'login_required' },
    cause: 'No user is signed in in this browser, and --prompt none allows no login.',
    remedy: 'Omit --prompt none, or sign in with the same browser first.',
  },
  {
    when: { endpoint: 'authorization', error: 'consent_required' },
    cause: 'The user has not given consent to this client, and --prompt none allows no consent page.',
    remedy: 'Sign in once without --prompt none.',
  },
  {
    when: { endpoint: 'authorization', error: 'interaction_required' },
    cause: 'The server must show the user a page, and --prompt none allows none.',
    remedy: 'Sign in once without --prompt none.',
  },
  {
    when: { endpoint: 'authorization', error: 'unsupported_response_type' },
    cause: 'The server does not know this response type, or does not allow it to this client.',
    remedy: 'Omit --response-type, or compare it with the types that "oauthctl discover" shows.',
  },
  {
    when: { endpoint: 'authorization', error: 'unauthorized_client' },
    cause: 'The client may not use this flow.',
    remedy: 'Allow the response type and the grant authorization_code in the registration of the client.',
  },
  {
    when: { endpoint: 'authorization', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'pushed_authorization_request', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
];
