import type { Case } from '../case.ts';

/** Keycloak on CIBA: the authentication request, the token request, and the result callback. */
export const KEYCLOAK_CIBA: readonly Case[] = [
  {
    when: { description: /client not allowed oidc ciba grant/i },
    cause: 'The CIBA grant is disabled for this client.',
    remedy: 'Switch on "OIDC CIBA Grant" in the capability settings of the client (oidc.ciba.grant.enabled).',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /invalid[_ ]user/i },
    cause: 'The realm has no such user, or the user is disabled or locked.',
    remedy:
      'Check --login-hint: it is a user name, or an e-mail address if the realm allows login with e-mail.',
  },
  {
    when: {
      endpoint: 'backchannel_authentication',
      description: /basic plain-text characters without spaces/i,
    },
    cause: 'Keycloak accepts 1 to 50 characters: letters, digits and - . _ + / ! ? #, but no space.',
    remedy: 'Choose a --binding-message of these characters, for example test-0001.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /failed to send authentication request/i },
    cause: 'The server could not reach the authentication device.',
    remedy:
      'Start "oauthctl ciba device" (or add --device), and check that the address it listens on is the one in the ' +
      "server's ciba-http-auth-channel setting, seen from the server's machine.",
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /missing parameter ?: ?(\w+)/i },
    cause: 'The server requires a parameter that was not sent.',
    remedy: 'On Keycloak use --login-hint, the only hint that it reads, and --scope.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /user code not supported/i },
    cause: 'Keycloak does not support user codes.',
    remedy: 'Omit --user-code.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /notification token|ping and push modes/i },
    cause: 'The delivery mode of the client and the request do not agree on a client_notification_token.',
    remedy: 'It is used in ping mode only: check ciba.backchannel.token.delivery.mode of the client.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token' },
    cause: 'The user did not approve the request before it expired.',
    remedy:
      'Send a new authentication request; its lifetime is "Expires In" of the CIBA policy of the realm.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /auth[ _]req[ _]id/i },
    cause:
      'The auth_req_id is unknown: it was used before, it expired some time ago, or a second result callback ' +
      'ended the transaction.',
    remedy: 'Send a new authentication request; an auth_req_id can be used once.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 401 },
    cause: 'The callback carried no bearer token that the server could read.',
    remedy: 'Send the bearer token of the delegation unchanged.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 403 },
    cause: 'The bearer token was used before, has expired, or belongs to no pending request.',
    remedy: 'A bearer token is accepted for one result. Send a new authentication request.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 500 },
    cause:
      'The server could not process the result. Keycloak 14 answers 500 when the request no longer exists, because the ' +
      'client has already received its outcome.',
    remedy: "Send a new authentication request, or check the server's log at this time.",
  },
];
