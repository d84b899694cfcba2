import type { Case } from '../case.ts';

/** Token requests. @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export const GENERIC_TOKEN: readonly Case[] = [
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /^(?:authorization )?code (?:is )?(?:not|no longer|invalid|expired)/i,
    },
    cause:
      'The code was used before, has expired (on Keycloak after a minute), or was issued to another client.',
    remedy: 'Start again: a code can be used once.',
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
      'The identity provider does not confirm the subject token: it has a wrong signature, is expired, or is from another issuer.',
    remedy: 'Get a new token there, and compare its iss with the issuer of the identity provider.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied' },
    cause: 'The user denied or cancelled the request on the authentication device.',
    remedy: 'Send a new authentication request when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token' },
    cause: 'The user did not approve the request before it expired.',
    remedy:
      'Send a new authentication request; its lifetime is set at the server (Keycloak: CIBA policy, Expires In).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant' },
    cause: 'The grant is unknown, was used before, has expired, or was issued to another client.',
    remedy: 'Start again with a new request.',
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
    when: { endpoint: 'token', error: 'unauthorized_client' },
    cause: 'The client may not use this grant.',
    remedy: 'Allow the grant in the registration of the client.',
  },
];
