import type { Case } from '../case.ts';

/** Token requests. @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export const GENERIC_TOKEN: readonly Case[] = [
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /^(?:authorization )?code (?:is )?(?:not|no longer|invalid|expired)/i,
    },
    cause: 'The code was used before, has expired, or was issued to another client.',
    remedy: 'Start again: a code can be used once.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /device code/i },
    cause: 'The device code is unknown, was used before, or was issued to another client.',
    remedy: 'Request a new code; a code can be used once.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /auth[ _]req[ _]id/i },
    cause: 'The auth_req_id is unknown: it was used before, has expired, or was issued to another client.',
    remedy: 'Send a new authentication request; an auth_req_id can be used once.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /invalid user credentials/i },
    cause: 'The user name or the password is wrong, or the account is disabled or locked.',
    remedy: 'Check --username and --password.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /refresh[_ ]token/i },
    cause:
      'The refresh token is expired, was used before, was revoked, or belongs to another client, or its session has ended.',
    remedy: 'Sign in again to get a new refresh token.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token', description: /device code/i },
    cause: 'No user entered the code before it expired.',
    remedy: 'Request a new code; its lifetime is set at the server.',
  },
  {
    when: { endpoint: 'token', description: /audience not found/i },
    cause: 'The server does not know the audience.',
    remedy: 'Compare --audience with the names that the server knows.',
  },
  {
    when: { endpoint: 'token', description: /not within the token audience|not the holder of the token/i },
    cause: 'The subject token was issued to another client and is not meant for this one.',
    remedy: 'Use a subject token whose aud has this client.',
  },
  {
    when: { endpoint: 'token', description: /requested_token_type unsupported/i },
    cause: 'The server does not issue the requested type of token.',
    remedy: 'Omit --requested-token-type, or request an access token.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_request', description: /^invalid token$/i },
    cause:
      'The server does not accept the subject token: it is from another issuer or expired, or its session has ended.',
    remedy: 'Request a new subject token and exchange it.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /\bassertion\b/i },
    cause: 'The server refuses the assertion: its issuer, signature, audience or time.',
    remedy:
      'Compare iss, aud, exp and the signing key of the assertion with what the server trusts; ' +
      '"oauthctl jwt decode" shows the claims of an assertion.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_token' },
    cause:
      'The server does not accept a token of the request: it has a wrong signature, is expired, or is from another issuer.',
    remedy: 'Get a new token, and compare its iss with the issuers that the server trusts.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied', description: /denied the authorization request/i },
    cause: 'The user denied the request in the browser.',
    remedy: 'Request a new code when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied', isPersonsAnswer: true },
    cause: 'The user denied or cancelled the request.',
    remedy: 'Send a new request when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied', isPersonsAnswer: false },
    cause: 'A rule or policy of the server denies the request; it is not the answer of a user.',
    remedy: "Check what the server allows this client and user, and the server's log at this time.",
  },
  {
    when: { endpoint: 'token', error: 'expired_token' },
    cause: 'The user did not approve the request before it expired.',
    remedy: 'Send a new request; its lifetime is set at the server.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant' },
    cause:
      'The server does not accept the code, token, assertion or credentials of this grant: they are wrong, expired, ' +
      'revoked, used before, or issued to another client.',
    remedy: 'Check what was sent with -v, and start again with a new request.',
  },
  {
    when: { endpoint: 'token', error: 'unsupported_grant_type' },
    cause: 'The server does not support this grant, or the feature is disabled.',
    remedy: 'Compare with the grants that "oauthctl discover" shows.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'token', status: 501 },
    cause: 'The server does not support this grant, or the feature is disabled.',
    remedy: 'Compare with the grants that "oauthctl discover" shows.',
  },
  {
    when: { endpoint: 'token', error: 'unauthorized_client' },
    cause: 'The client may not use this grant.',
    remedy: 'Allow the grant in the registration of the client.',
  },
];
