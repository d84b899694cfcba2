import type { Case } from '../case.ts';

/** Keycloak on token requests of the other grants. */
export const KEYCLOAK_TOKEN: readonly Case[] = [
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^unauthorized client$/i },
    cause: 'The auth_req_id belongs to another client.',
    remedy: 'Poll with the client that made the request: compare --client-id and the profile.',
  },
  {
    when: { description: /dpop proof is missing/i },
    cause: 'The client or its refresh token is bound to a DPoP key, but the request carried no proof.',
    remedy:
      'Add --dpop, or store it: "oauthctl profile set NAME --dpop". The client setting is "Require DPoP bound tokens".',
  },
  {
    when: { description: /token client and authorized client don't match/i },
    cause: 'The refresh token was issued to another client.',
    remedy: 'Use the profile of the client that requested it (its azp).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /not fully set up/i },
    cause:
      'The user has required actions to complete, such as changing the password or updating the profile.',
    remedy: 'Let the user sign in once in a browser, or remove the required actions in the admin console.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /user disabled|could not identify user/i,
    },
    cause: 'The user was disabled or removed after the request was made.',
    remedy: 'Enable the user, or send a new request for another user.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /invalid user credentials/i },
    cause: 'The user name or the password is wrong, or the account is disabled or locked.',
    remedy:
      'Check --username and --password; after several failed logins Keycloak locks an account for a while.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /refresh token|session/i },
    cause:
      'The refresh token is expired, was used before, was revoked, belongs to another client, or its session has ended.',
    remedy: 'Sign in again to get a new refresh token.',
  },
  {
    when: { endpoint: 'token', description: /public client not allowed to retrieve service account/i },
    cause: 'The client is public: it cannot authenticate, so it cannot request tokens for itself.',
    remedy:
      'Switch on "Client authentication" and "Service accounts roles" in the capability settings of the client, or ' +
      'use another client.',
  },
  {
    when: { endpoint: 'token', description: /service account/i },
    cause: 'The client has no service account, so it cannot request tokens for itself.',
    remedy: 'Switch on "Service accounts roles" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', description: /direct access grants/i },
    cause: 'The password grant is disabled for this client.',
    remedy:
      'Switch on "Direct access grants" in the capability settings of the client, or use another grant.',
  },
];
