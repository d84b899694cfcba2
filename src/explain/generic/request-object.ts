import type { Case } from '../case.ts';

/** Request objects. @see https://www.rfc-editor.org/rfc/rfc9101 */
export const GENERIC_REQUEST_OBJECT: readonly Case[] = [
  {
    when: { error: 'invalid_request_object', description: /request expired/i },
    cause: 'The request object has expired by the clock of the server.',
    remedy: 'Make a new request, and compare the clocks of both machines.',
  },
  {
    when: {
      error: 'invalid_request',
      description: /missing parameter: 'request'|request object must be used/i,
    },
    cause: 'The client is registered to send its authorization request in a request object.',
    remedy: 'Add --request-object, or change the registration of the client.',
  },
  {
    when: {
      error: 'invalid_request_object',
      description: /unsupported signed request alg|preregistered alg must be used/i,
    },
    cause: 'The request object is signed with another algorithm than the client is registered for.',
    remedy: 'Set --request-object-alg to the registered request_object_signing_alg.',
  },
];
