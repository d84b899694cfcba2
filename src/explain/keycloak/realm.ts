import type { Case } from '../case.ts';

/** The answers of Keycloak where a realm is missing or disabled. */
export const KEYCLOAK_REALM: readonly Case[] = [
  {
    when: {
      endpoint: 'metadata',
      error: 'metadata_not_found',
      description: /realm does not exist/i,
    },
    cause: 'The server has no realm of this name.',
    remedy: 'Check the spelling, upper and lower case included.',
  },
  {
    when: { endpoint: 'metadata', error: 'metadata_not_found' },
    cause: 'There is no metadata of a realm at this address.',
    remedy:
      'Check the issuer, upper and lower case included: it ends in /realms/REALM, before version 17 in /auth/realms/REALM.',
  },
  {
    when: { error: 'access_denied', description: /realm not enabled/i },
    cause: 'The realm is disabled.',
    remedy: 'Switch on "Enabled" in the settings of the realm.',
  },
  {
    when: { endpoint: 'authorization', description: /realm not enabled/i },
    cause: 'The realm is disabled.',
    remedy: 'Switch on "Enabled" in the settings of the realm.',
  },
  {
    when: { endpoint: 'token', status: 501 },
    cause: 'This grant is disabled on the server.',
    remedy: 'Keycloak supports token exchange from 26.2 on; older versions need the feature token-exchange.',
  },
];
