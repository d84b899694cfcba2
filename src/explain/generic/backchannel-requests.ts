import type { Case } from '../case.ts';

/** Authentication and device authorization requests. */
export const GENERIC_BACKCHANNEL_REQUESTS: readonly Case[] = [
  {
    when: { endpoint: 'backchannel_authentication', error: 'unknown_user_id' },
    cause: 'The server could not identify the user from the hint.',
    remedy: 'Check --login-hint, and the form that the server requires.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_binding_message' },
    cause:
      'The server accepts no such binding message: it is too long, or has a character that is not allowed.',
    remedy: 'Choose a short --binding-message of letters, digits and hyphens, for example test-0001.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'unauthorized_client' },
    cause: 'The client may not use CIBA.',
    remedy: 'Allow the grant urn:openid:params:grant-type:ciba in the registration of the client.',
  },
  {
    when: { endpoint: 'device_authorization', error: 'unauthorized_client', description: /^$/ },
    cause: 'The client may not use the device grant.',
    remedy: 'Allow the grant urn:ietf:params:oauth:grant-type:device_code in the registration of the client.',
  },
  {
    when: { endpoint: 'device_authorization', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
];
