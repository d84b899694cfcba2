import type { Case } from '../case.ts';

/** Keycloak on authorization requests, pushed ones included, and on their codes. */
export const KEYCLOAK_AUTHORIZATION: readonly Case[] = [
  {
    when: { description: /pushed authorization request is only allowed/i },
    cause: 'The client must push its authorization requests.',
    remedy: 'Add --par. On Keycloak this is the client setting "Pushed authorization request required".',
  },
  {
    when: { description: /code[_ ]challenge/i },
    cause:
      'The client must use PKCE with the method set for it; the challenge was missing or used another method.',
    remedy: 'It is sent by default: remove --omit and --param for code_challenge and code_challenge_method.',
  },
  {
    when: { endpoint: 'token', description: /pkce|code[_ ]verifier/i },
    cause: 'The code verifier does not belong to the code challenge of the authorization request (PKCE).',
    remedy: 'Start again without --token-param and --token-omit for code_verifier.',
  },
  {
    when: { endpoint: 'token', description: /redirect[_ ]uri/i },
    cause: 'The redirect URI is not the one that the code was sent to.',
    remedy: 'Remove --token-param and --token-omit for redirect_uri.',
  },
  {
    when: { endpoint: 'pushed_authorization_request', description: /redirect[_ ]uri/i },
    cause: 'The redirect URI is not registered for this client.',
    remedy:
      'Register it, or choose a registered one with --redirect-uri. On Keycloak http://127.0.0.1/callback, without a ' +
      'port, matches every port.',
  },
  {
    when: { endpoint: 'authorization', description: /implicit flow is disabled/i },
    cause: 'The implicit flow is disabled for this client.',
    remedy:
      'Switch on "Implicit flow" in the capability settings of the client, for a test only, or omit --response-type.',
  },
  {
    when: { endpoint: 'authorization', description: /standard flow is disabled/i },
    cause: 'The authorization code flow is disabled for this client.',
    remedy: 'Switch on "Standard flow" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'authorization', description: /^client not found/i },
    cause: 'The realm has no client with this client id.',
    remedy: 'Check --client-id and the realm in the issuer, upper and lower case included.',
  },
  {
    when: { endpoint: 'authorization', description: /^client disabled/i },
    cause: 'The client is disabled.',
    remedy: 'Switch on "Enabled" in the settings of the client.',
  },
  {
    when: { endpoint: 'authorization', description: /bearer-only/i },
    cause: 'The client is bearer-only: no user can sign in to it.',
    remedy: 'Use another client, or switch off "bearerOnly" in the client and switch on "Standard flow".',
  },
  {
    when: { endpoint: 'authorization', status: 400, description: /^invalid request$/i },
    cause: 'The client must send a request object, or the one that was sent does not fit its settings.',
    remedy:
      'Add --request-object. Compare "Request object required" and the algorithms in the advanced settings of the client.',
  },
  {
    when: { endpoint: 'authorization', status: 404, description: /^page not found$/i },
    cause: 'The server has no realm of this name, or no authorization endpoint at this address.',
    remedy:
      'Check the issuer, upper and lower case included, and whether the metadata has a current address.',
  },
];
