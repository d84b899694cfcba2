import type { Case } from '../case.ts';

const CIBA_NOT_ALLOWED = {
  cause: 'The client may not use CIBA.',
  remedy: 'Allow the grant urn:openid:params:grant-type:ciba in the registration of the client.',
};

/** Authentication and device authorization requests. */
export const GENERIC_BACKCHANNEL_REQUESTS: readonly Case[] = [
  {
    when: { description: /^(?=.*not allowed ).*\bciba\b/is },
    ...CIBA_NOT_ALLOWED,
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /invalid[_ ]user/i },
    cause: 'The server does not know the user, or the user is disabled or locked.',
    remedy: 'Check --login-hint, and which kinds of hint the server accepts.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /failed to send authentication request/i },
    cause: 'The server could not reach the authentication device.',
    remedy:
      'Start "oauthctl ciba device" (or add --device), and check that the server is configured with the address it ' +
      "listens on, as seen from the server's machine.",
  },
  {
    when: {
      endpoint: 'backchannel_authentication',
      description: /unexpected response from authentication device/i,
    },
    cause: 'The authentication device answered the delegation, but not with 201.',
    remedy:
      'Check the output of the device: 401 means that it does not trust the bearer token (another profile, or localhost ' +
      'instead of 127.0.0.1), 404 that the path differs.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /missing parameter/i },
    cause: 'The server requires a parameter that was not sent.',
    remedy: 'Give the parameter that the answer names.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /user code not supported/i },
    cause: 'The server does not support user codes.',
    remedy: 'Omit --user-code.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /notification token|ping and push modes/i },
    cause: 'The delivery mode of the client and the request do not agree on a client_notification_token.',
    remedy:
      'It is used in ping and push mode only: compare it with backchannel_token_delivery_mode in the registration of the client.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'unknown_user_id' },
    cause: 'The server could not identify the user from the hint.',
    remedy: 'Check --login-hint, and which kinds of hint the server accepts.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_binding_message' },
    cause:
      'The server does not accept the binding message: it is too long, or has a character that is not allowed.',
    remedy: 'Choose a short --binding-message of letters, digits and hyphens, for example test-0001.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'unauthorized_client' },
    ...CIBA_NOT_ALLOWED,
  },
  {
    when: { endpoint: 'device_authorization', error: 'unauthorized_client' },
    cause: 'The client may not use the device grant.',
    remedy: 'Allow the grant urn:ietf:params:oauth:grant-type:device_code in the registration of the client.',
  },
  {
    when: { endpoint: 'device_authorization', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
];
