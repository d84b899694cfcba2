import type { Case } from '../case.ts';

/** What Keycloak answers where a realm is missing or disabled. */
export const KEYCLOAK_REALM: readonly Case[] = [
  {
    when: {
      endpoint: 'metadata',
      error: 'metadata_not_found',
      description: /realm does not exist|\/realms\//i,
    },
    cause: 'The server has no realm of this name.',
    remedy:
      'Check the spelling, upper and lower case included. Keycloak 16 and older have /auth before /realms.',
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
    remedy: 'Keycloak exchanges tokens from 26.2 on; older versions need the feature token-exchange.',
  },
];
