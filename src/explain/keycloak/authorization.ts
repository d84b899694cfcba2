import type { Case } from '../case.ts';

const REDIRECT_URI = {
  cause: 'The redirect URI is not registered for this client.',
  remedy:
    'Add it to "Valid redirect URIs" of the client, or choose a registered one with --redirect-uri. ' +
    'http://127.0.0.1/callback, without a port, matches every port.',
};

/** Keycloak on authorization requests, pushed ones included. */
export const KEYCLOAK_AUTHORIZATION: readonly Case[] = [
  {
    when: { description: /pushed authorization request is only allowed/i },
    cause: 'The client must push its authorization requests.',
    remedy: 'Add --par, or switch off "Pushed authorization request required" in the settings of the client.',
  },
  {
    when: { endpoint: 'authorization', description: /^(?!.*missing).*redirect[_ -]?ur[il]/i },
    ...REDIRECT_URI,
  },
  {
    when: { endpoint: 'pushed_authorization_request', description: /redirect[_ ]uri/i },
    ...REDIRECT_URI,
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^code not valid/i },
    cause:
      'The code was used before, has expired ("Client Login Timeout", one minute), or was issued to another client.',
    remedy: 'Start again: a code can be used once.',
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
