import type { Case } from '../case.ts';

/** Keycloak on request objects. */
export const KEYCLOAK_REQUEST_OBJECT: readonly Case[] = [
  {
    when: { description: /request not yet being processed|request issued in the future/i },
    cause: 'The request object is not valid yet by the clock of the server.',
    remedy: 'Compare the clocks of both machines.',
  },
  {
    when: { description: /request's available period is long/i },
    cause:
      'A client policy of the realm (secure-request-object) requires a shorter lifetime of the request object.',
    remedy: 'Reduce the time between its nbf and exp, or allow more in the policy (available-period).',
  },
  {
    when: { description: /in the 'request' object: aud/i },
    cause: 'The aud of the request object is not the issuer identifier of the server.',
    remedy: 'Compare the issuer with the output of "oauthctl discover".',
  },
  {
    when: { description: /in the 'request' object/i },
    cause:
      'A client policy of the realm (secure-request-object) requires a claim that the request object lacks.',
    remedy: 'Add the claim that the server names.',
  },
  {
    when: { description: /request object not encrypted/i },
    cause: 'A client policy of the realm (secure-request-object) requires encrypted request objects.',
    remedy: 'Add --request-object-encryption-alg RSA-OAEP, or change the policy (encryption-required).',
  },
  {
    when: { description: /parameters in 'request' object not matching/i },
    cause: 'A parameter outside the request object differs from the one inside, or is missing inside.',
    remedy: 'Send each parameter inside, and outside either the same value or nothing.',
  },
  {
    when: {
      error: 'invalid_request',
      description: /^invalidRequestMessage$|missing parameter: 'request'/i,
    },
    cause: 'The client is registered to send its authorization request in a request object.',
    remedy:
      'Add --request-object, or change "Request object required" in the advanced settings of the client.',
  },
];
