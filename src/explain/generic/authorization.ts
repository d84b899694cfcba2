import type { Case } from '../case.ts';

const REDIRECT_URI = {
  cause: 'The redirect URI is not registered for this client.',
  remedy: 'Register it, or choose a registered one with --redirect-uri.',
};

const CLIENT = {
  cause: 'The server does not know the client id, or the client is disabled.',
  remedy: 'Check --client-id and the issuer, and the registration of the client.',
};

/** Authorization requests, and the use of their codes. @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 */
export const GENERIC_AUTHORIZATION: readonly Case[] = [
  {
    when: { description: /pushed authorization request is only allowed/i },
    cause: 'The client must push its authorization requests.',
    remedy: 'Add --par.',
  },
  {
    when: { description: /code[_ ]challenge/i },
    cause: 'The client must use PKCE: the code challenge is missing, or its method is not the required one.',
    remedy: 'It is sent by default: remove --omit and --param for code_challenge and code_challenge_method.',
  },
  {
    when: { endpoint: 'token', description: /pkce|code[_ ]verifier/i },
    cause:
      'The code verifier is missing, or it does not belong to the code challenge of the authorization request (PKCE).',
    remedy: 'Start again without --token-param and --token-omit for code_verifier.',
  },
  {
    when: { endpoint: 'token', description: /redirect[_ ]uri/i },
    cause: 'The redirect_uri is missing, or it is not the one of the authorization request.',
    remedy: 'Remove --token-param and --token-omit for redirect_uri.',
  },
  {
    when: { endpoint: 'pushed_authorization_request', description: /^(?!.*missing).*redirect[_ -]?ur[il]/i },
    ...REDIRECT_URI,
  },
  {
    when: { endpoint: 'authorization', error: 'access_denied', isPersonsAnswer: true },
    cause: 'The user denied the request, or cancelled the login.',
    remedy: 'Send a new request when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'authorization', error: 'access_denied', isPersonsAnswer: false },
    cause: 'A rule or policy of the server denies the request; it is not the answer of a user.',
    remedy: "Check what the server allows this client, and the server's log at this time.",
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
  {
    when: { endpoint: 'authorization', error: 'invalid_redirect_uri' },
    ...REDIRECT_URI,
  },
  {
    when: { endpoint: 'authorization', description: /^(?!.*missing).*redirect[_ -]?ur[il]/i },
    ...REDIRECT_URI,
  },
  {
    when: { endpoint: 'authorization', error: 'invalid_client' },
    ...CLIENT,
  },
  {
    when: { endpoint: 'authorization', description: /^client disabled/i },
    cause: 'The client is disabled.',
    remedy: 'Enable the client at the server, or use another one.',
  },
  {
    when: { endpoint: 'authorization', description: /client[_ ]?id|^client not found/i },
    ...CLIENT,
  },
];

/** Error pages of the authorization endpoint that no other case explains. */
export const GENERIC_AUTHORIZATION_PAGE: readonly Case[] = [400, 401, 403, 404, 500].map((status) => ({
  when: { endpoint: 'authorization', status },
  cause: 'The server refuses this authorization request before it shows a login page.',
  remedy:
    'Compare the client id, redirect URI, response type and scope with the registration of the client. Where a browser ' +
    'gets another answer, use --no-preflight.',
}));
