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
    when: { endpoint: 'token', error: 'expired_token', description: /device code/i },
    cause: 'No user entered the code before it expired.',
    remedy:
      'Request a new code; its lifetime is "OAuth 2.0 Device Code Lifespan" of the client or the realm.',
  },
];
