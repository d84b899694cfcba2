import { describe, expect, it } from 'vitest';
import { type Endpoint, NetworkError, RefusedError } from '../../src/errors.ts';
import { CASES } from '../../src/explain/cases.ts';
import { explain } from '../../src/explain/index.ts';

type Example = readonly [
  endpoint: Endpoint,
  status: number,
  error: string,
  description: string,
  cause: RegExp,
];

/** What servers answered, one for each case of the table; mostly Keycloak's own words. */
const EXAMPLES: readonly Example[] = [
  ['metadata', 404, 'metadata_not_found', 'Realm does not exist', /knows no realm/],
  [
    'metadata',
    404,
    'metadata_not_found',
    'nothing at https://as.example describes one',
    /Neither OpenID Connect/,
  ],
  ['token', 403, 'access_denied', 'Realm not enabled', /realm is switched off/],
  ['token', 400, 'invalid_client', 'Parameter client_assertion_type is missing', /with a signed JWT/],
  ['token', 401, 'invalid_client', 'Invalid client credentials', /does not accept the client/],
  ['token', 401, 'unauthorized_client', 'Invalid client or Invalid client credentials', /secret is wrong/],
  ['token', 401, 'unauthorized_client', 'Client secret not provided in request', /none was sent/],
  [
    'backchannel_authentication',
    401,
    'invalid_grant',
    'Client not allowed OIDC CIBA Grant',
    /switched off for this/,
  ],
  ['backchannel_authentication', 400, 'invalid_request', 'invalid_user', /no such user/],
  ['backchannel_authentication', 400, 'unknown_user_id', '', /could not tell from the hint/],
  ['backchannel_authentication', 400, 'invalid_binding_message', 'the binding_message is invalid', /1 to 50/],
  [
    'backchannel_authentication',
    503,
    'server_error',
    'Failed to send authentication request',
    /could not reach the authentication device/,
  ],
  [
    'backchannel_authentication',
    503,
    'server_error',
    'Unexpected response from authentication device',
    /not with 201/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'missing parameter : login_hint',
    /parameter that was not sent/,
  ],
  ['backchannel_authentication', 400, 'invalid_request', 'User code not supported', /user codes/],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'Client Notification token supported only for the ping mode',
    /delivery mode/,
  ],
  ['backchannel_authentication', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  ['backchannel_authentication', 400, 'unauthorized_client', '', /may not use CIBA/],
  ['token', 400, 'access_denied', 'not authorized', /said no or cancelled/],
  ['token', 400, 'expired_token', 'authentication timed out', /before it expired/],
  ['token', 400, 'invalid_grant', 'unauthorized client', /belongs to another client/],
  ['token', 400, 'invalid_grant', 'Invalid Auth Req ID', /auth_req_id is unknown/],
  ['token', 400, 'invalid_grant', 'Account is not fully set up', /required actions/],
  ['token', 400, 'invalid_grant', 'User disabled', /disabled or removed/],
  ['token', 400, 'invalid_grant', 'Invalid user credentials', /user name or the password/],
  ['token', 400, 'invalid_grant', 'Token is not active', /refresh token is expired/],
  ['token', 400, 'invalid_grant', 'Code not valid', /grant is unknown/],
  ['token', 400, 'unsupported_grant_type', 'Unsupported grant_type', /does not know this grant/],
  [
    'token',
    401,
    'unauthorized_client',
    'Client not enabled to retrieve service account',
    /no service account/,
  ],
  [
    'token',
    400,
    'unauthorized_client',
    'Client not allowed for direct access grants',
    /password grant is switched off/,
  ],
  ['token', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  ['token', 400, 'unauthorized_client', 'Client not enabled to retrieve it', /may not use this grant/],
  ['ciba_callback', 401, 'invalid_request', '', /no bearer/],
  ['ciba_callback', 403, 'invalid_token', 'Invalid token', /used already, expired/],
  ['ciba_callback', 500, 'unknown_error', '', /could not handle the result/],
  ['jwks', 500, 'server_error', '', /inside the server/],
];

const refusal = ([endpoint, status, error, description]: Example, hint?: string) =>
  new RefusedError({ endpoint, status, error, error_description: description || undefined }, { hint });

describe('the explanation of a refusal', () => {
  it.each(EXAMPLES)('by %s with %d %s "%s" has the cause %s', (...example) => {
    const explanation = explain(refusal(example));
    expect(explanation?.cause).toMatch(example[4]);
    expect(explanation?.remedy).toMatch(/\.$/);
  });

  it('is reached for every case of the table: none is hidden by an earlier one', () => {
    const reached = new Set<unknown>(EXAMPLES.map((example) => explain(refusal(example))));
    expect(CASES.filter((one) => !reached.has(one)).map(({ when }) => when)).toEqual([]);
  });

  it('does not depend on upper and lower case of the description', () => {
    const example = EXAMPLES.find(([, , , description]) => description === 'Invalid Auth Req ID');
    for (const description of ['Invalid auth_req_id', 'INVALID AUTH_REQ_ID']) {
      const [endpoint, status, error] = example ?? EXAMPLES[0] ?? expect.fail('no example');
      expect(explain(refusal([endpoint, status, error, description, /./]))?.cause).toMatch(
        /auth_req_id is unknown/,
      );
    }
  });

  it('is missing where the table knows nothing', () => {
    expect(explain(refusal(['token', 400, 'invalid_dpop_proof', '', /./]))).toBeUndefined();
  });

  it('leaves an error its own hint, and other errors alone', () => {
    expect(explain(refusal(['token', 401, 'invalid_client', '', /./], 'own hint'))).toBeUndefined();
    expect(explain(new NetworkError('dns', 'no such host'))).toBeUndefined();
  });

  it.each(CASES)('has a cause and a remedy in whole sentences: $cause', ({ cause, remedy }) => {
    for (const text of [cause, remedy]) expect(text).toMatch(/^["A-Z].*[.)]$/s);
  });
});
