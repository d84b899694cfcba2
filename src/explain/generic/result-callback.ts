import type { Case } from '../case.ts';

/** The result that an authentication device sends back to the server, where the server is not known to be Keycloak. */
export const GENERIC_RESULT_CALLBACK: readonly Case[] = [
  {
    when: { endpoint: 'ciba_callback', status: 401 },
    cause: 'The server does not accept the bearer token of the callback, or received none.',
    remedy: 'Send the bearer token of the delegation unchanged.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 403 },
    cause:
      'The server does not allow this result: the bearer token was used before, has expired, or is of another request.',
    remedy: 'Send a new authentication request, and answer it with the bearer token of its own delegation.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 500 },
    cause: 'The server failed while it processed the result.',
    remedy: "Check the server's log at this time.",
  },
];
