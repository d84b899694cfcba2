import type { Case } from '../case.ts';

/** Keycloak on the device authorization grant. */
export const KEYCLOAK_DEVICE_AUTHORIZATION: readonly Case[] = [
  {
    when: { description: /oauth 2\.0 device authorization grant/i },
    cause: 'The device grant is disabled for this client.',
    remedy:
      'Switch on "OAuth 2.0 Device Authorization Grant" in the capability settings of the client ' +
      '(oauth2.device.authorization.grant.enabled).',
  },
  {
    when: { endpoint: 'token', error: 'access_denied', description: /denied the authorization request/i },
    cause: 'The user denied the request in the browser.',
    remedy: 'Request a new code when the user is ready to approve it.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token', description: /device code/i },
    cause: 'No user entered the code before it expired.',
    remedy:
      'Request a new code; its lifetime is set at the server (Keycloak: OAuth 2.0 Device Code Lifespan).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /device code/i },
    cause: 'The device code is unknown, was used before, or was issued to another client.',
    remedy: 'Request a new code; a code can be used once.',
  },
];
