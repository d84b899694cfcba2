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
  [
    'token',
    400,
    'unauthorized_client',
    'Client authentication with client secret signed JWT failed: Signature on JWT token by client secret  failed validation',
    /with another secret/,
  ],
  [
    'token',
    400,
    'invalid_client',
    'Client authentication with signed JWT failed: Signature on JWT token failed validation',
    /not by the key that is registered/,
  ],
  ['token', 400, 'invalid_client', 'Unable to load public key', /no public key for the kid/],
  ['backchannel_authentication', 400, 'invalid_client', 'Token reuse detected', /used before/],
  ['token', 400, 'invalid_client', 'Token is not active', /assertion has expired/],
  ['token', 400, 'invalid_client', 'Invalid token audience', /aud of the client assertion/],
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
  [
    'device_authorization',
    400,
    'unauthorized_client',
    'Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the client.',
    /device grant is switched off/,
  ],
  ['device_authorization', 400, 'unauthorized_client', '', /may not use the device grant/],
  ['device_authorization', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  ['token', 400, 'access_denied', 'The end user denied the authorization request', /no in the browser/],
  ['token', 400, 'expired_token', 'Device code is expired', /Nobody entered the code/],
  ['token', 400, 'invalid_grant', 'Device code not valid', /device code is unknown/],
  ['token', 400, 'invalid_client', 'Audience not found', /no client of the name/],
  [
    'token',
    400,
    'invalid_request',
    'Standard token exchange is not enabled for the requested client',
    /exchange is switched off/,
  ],
  ['token', 403, 'access_denied', 'Client is not within the token audience', /not meant for this one/],
  ['token', 400, 'invalid_request', 'Requested audience not available: x', /would not have the audience/],
  ['token', 400, 'invalid_request', 'requested_token_type unsupported', /not exchange tokens of this type/],
  [
    'token',
    400,
    'invalid_request',
    "Parameter 'requested_issuer' is not supported for standard token exchange",
    /legacy token exchange/,
  ],
  ['token', 400, 'invalid_request', 'Invalid token', /none of this realm/],
  ['token', 400, 'invalid_request', 'duplicated parameter', /once only/],
  ['token', 501, 'Feature not enabled', '', /switched off/],
  [
    'token',
    400,
    'invalid_grant',
    'JWT Authorization Grant is not supported for the requested client',
    /JWT authorization grant is switched off/,
  ],
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
