import { describe, expect, it } from 'vitest';
import { type Endpoint, NetworkError, type OAuthRefusal, RefusedError } from '../../src/errors.ts';
import { CASES } from '../../src/explain/cases.ts';
import { explain } from '../../src/explain/index.ts';

type Refusal = [endpoint: Endpoint, status: number, error: string, description: string];
type Example = [...Refusal, cause: RegExp, decidedBy?: 'person'];
type KeycloakExample = [...Refusal, cause: RegExp, elsewhere?: RegExp];

/** Answers of servers that are not recognised, one for each case that holds for every server. */
const EXAMPLES: readonly Example[] = [
  [
    'metadata',
    404,
    'metadata_not_found',
    'nothing at https://as.example describes one',
    /neither OpenID Connect/,
  ],
  ['authorization', 302, 'access_denied', '', /denied the request, or cancelled/, 'person'],
  ['authorization', 302, 'login_required', '', /No user is signed in/],
  ['authorization', 302, 'consent_required', '', /not given consent to this client/],
  ['authorization', 302, 'interaction_required', '', /must show the user a page/],
  ['authorization', 302, 'invalid_request', 'Missing parameter: code_challenge_method', /must use PKCE/],
  ['authorization', 400, 'invalid_redirect_uri', '', /redirect URI is not registered/],
  ['authorization', 400, 'invalid_client', 'client is invalid', /does not know the client id/],
  ['authorization', 400, 'invalid_request', 'OAuth 2.0 Parameter: client_id', /does not know the client id/],
  [
    'authorization',
    302,
    'invalid_request',
    'requested response_type is not allowed for this client',
    /may not use this response type/,
  ],
  [
    'authorization',
    302,
    'invalid_request',
    'Authorization Server policy requires PKCE to be used for this request',
    /requires PKCE/,
  ],
  ['authorization', 400, 'bad_request', 'Missing parameter: redirect_uri', /before it shows a login page/],
  ['authorization', 401, 'unauthorized', '', /before it shows a login page/],
  ['authorization', 403, 'forbidden', '', /before it shows a login page/],
  ['authorization', 404, 'not_found', '', /before it shows a login page/],
  ['authorization', 500, 'internal_server_error', '', /before it shows a login page/],
  ['token', 400, 'invalid_grant', 'PKCE verification failed: Code mismatch', /does not belong to/],
  ['token', 400, 'invalid_grant', 'Incorrect redirect_uri', /not the one of the authorization request/],
  ['authorization', 302, 'unsupported_response_type', '', /does not know this response type/],
  ['authorization', 302, 'unauthorized_client', '', /may not use this flow/],
  ['authorization', 302, 'invalid_scope', 'Invalid scopes: openid nope', /scope is unknown/],
  ['pushed_authorization_request', 400, 'invalid_scope', 'Invalid scopes: nope', /scope is unknown/],
  ['authorization', 302, 'invalid_target', 'unknown resource', /does not know the resource/],
  ['token', 400, 'invalid_authorization_details', 'unknown type', /authorization details/],
  ['token', 400, 'use_dpop_nonce', 'Authorization server requires nonce', /requires a nonce/],
  ['token', 400, 'invalid_grant', "DPoP confirmation doesn't match DPoP proof", /another key than/],
  ['resource', 401, 'invalid_dpop_proof', 'htu mismatch', /does not accept the DPoP proof/],
  ['token', 400, 'invalid_request', 'DPoP HTTP URL mismatch', /does not accept the DPoP proof/],
  ['resource', 401, 'invalid_token', 'Token verification failed', /expired, revoked/],
  ['resource', 403, 'insufficient_scope', 'Missing openid scope', /without the scope "openid"/],
  ['resource', 403, 'insufficient_scope', '', /does not say which/],
  ['resource', 401, 'unauthorized', '', /without a reason/],
  ['resource', 403, 'forbidden', '', /accepted the token/],
  ['introspection', 401, 'invalid_request', 'Authentication failed.', /its secret is wrong/],
  [
    'introspection',
    400,
    'unsupported_token_type',
    'Structured JWT Tokens cannot be introspected via the introspection_endpoint',
    /introspects opaque tokens only/,
  ],
  ['introspection', 400, 'unsupported_token_type', '', /does not introspect tokens of this type/],
  [
    'revocation',
    400,
    'unsupported_token_type',
    'Structured JWT Tokens cannot be revoked via the revocation_endpoint',
    /revokes opaque tokens only/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'urn:openid:params:grant-type:ciba is not allowed for this client',
    /may not use this grant/,
  ],
  ['revocation', 400, 'unsupported_token_type', 'Unsupported token type', /ID tokens/],
  ['revocation', 200, 'invalid_token', 'Invalid token', /Nothing was revoked/],
  ['end_session', 400, 'invalid_grant', 'Invalid refresh token', /not a refresh token of this server/],
  ['userinfo', 403, 'insufficient_scope', 'Missing openid scope', /without the scope/],
  ['token', 401, 'invalid_client', 'Invalid client credentials', /does not accept the client/],
  [
    'token',
    400,
    'invalid_request',
    'Client Certification missing for MTLS HoK Token Binding',
    /and the server received none/,
  ],
  [
    'token',
    401,
    'unauthorized_client',
    'Client certificate missing, or its thumbprint and one in the token did NOT match',
    /bound to another client certificate/,
  ],
  [
    'token',
    400,
    'invalid_grant',
    'the assertion is refused: no applicable key found in the JSON Web Key Set',
    /refuses the assertion/,
  ],
  ['backchannel_authentication', 400, 'unknown_user_id', '', /could not identify the user/],
  ['backchannel_authentication', 400, 'invalid_binding_message', '', /too long/],
  [
    'backchannel_authentication',
    503,
    'server_error',
    'Unexpected response from authentication device',
    /not with 201/,
  ],
  ['backchannel_authentication', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  ['backchannel_authentication', 400, 'unauthorized_client', '', /may not use CIBA/],
  ['device_authorization', 400, 'unauthorized_client', '', /may not use the device grant/],
  ['device_authorization', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  [
    'token',
    400,
    'access_denied',
    'The end user denied the authorization request',
    /denied the request in the browser/,
    'person',
  ],
  ['token', 400, 'invalid_grant', 'Device code not valid', /device code is unknown/],
  ['token', 400, 'access_denied', 'not authorized', /denied or cancelled the request/, 'person'],
  ['token', 400, 'invalid_grant', 'grant request is invalid', /does not accept the code, token, assertion/],
  [
    'token',
    400,
    'invalid_grant',
    'grant request is invalid: DPoP proof JWT not provided',
    /carried no proof/,
  ],
  ['token', 400, 'unsupported_grant_type', 'Unsupported grant_type', /does not support this grant/],
  ['token', 400, 'invalid_scope', 'Invalid scopes: x', /scope is unknown/],
  ['token', 400, 'unauthorized_client', 'Client not enabled to retrieve it', /may not use this grant/],
  ['authorization', 302, 'invalid_request_object', 'Request Expired', /has expired/],
  [
    'authorization',
    303,
    'invalid_request_object',
    'the preregistered alg must be used in request or request_uri',
    /signed with another algorithm/,
  ],
  [
    'pushed_authorization_request',
    400,
    'invalid_request_object',
    'invalidRequestMessage',
    /could not decrypt, verify or read/,
  ],
  ['jwks', 500, 'server_error', '', /internal error/],
  ['userinfo', 401, 'invalid_token', 'user_session_not_found', /session of the token has ended/],
  ['userinfo', 401, 'invalid_token', 'Client disabled', /was disabled/],
  ['token', 403, 'access_denied', 'Policy evaluation failed for this request', /not the answer of a user/],
  ['authorization', 403, 'access_denied', 'access is not allowed', /not the answer of a user/],
];

/** Answers of Keycloak, one for each of its cases; `elsewhere` is the cause where the server is not recognised. */
const KEYCLOAK_EXAMPLES: readonly KeycloakExample[] = [
  [
    'token',
    400,
    'invalid_token',
    'invalid token',
    /does not confirm the subject token/,
    /does not accept a token/,
  ],
  ['metadata', 404, 'metadata_not_found', 'Realm does not exist', /has no realm of this name/],
  ['token', 403, 'access_denied', 'Realm not enabled', /realm is disabled/],
  [
    'authorization',
    302,
    'invalid_request',
    'Pushed Authorization Request is only allowed.',
    /must push/,
    /must push/,
  ],
  [
    'authorization',
    400,
    'bad_request',
    'Client not found.',
    /no client with this client id/,
    /does not know the client id/,
  ],
  ['authorization', 400, 'bad_request', 'Client disabled.', /client is disabled/, /client is disabled/],
  ['authorization', 400, 'bad_request', 'Realm not enabled', /realm is disabled/],
  [
    'authorization',
    403,
    'forbidden',
    'Bearer-only applications are not allowed to initiate browser login',
    /bearer-only/,
  ],
  ['authorization', 400, 'bad_request', 'Invalid Request', /must send a request object/],
  ['authorization', 404, 'not_found', 'Page not found', /no realm of this name/],
  [
    'authorization',
    400,
    'bad_request',
    'Invalid parameter: redirect_uri',
    /redirect URI is not registered/,
    /redirect URI is not registered/,
  ],
  ['token', 400, 'invalid_grant', 'Code not valid', /used before, has expired/, /used before, has expired/],
  [
    'pushed_authorization_request',
    400,
    'invalid_request',
    'Invalid parameter: redirect_uri',
    /not registered for this client/,
    /not registered for this client/,
  ],
  [
    'authorization',
    302,
    'unauthorized_client',
    'Client is not allowed to initiate browser login with given response_type. Implicit flow is disabled for the client.',
    /implicit flow is disabled/,
  ],
  [
    'authorization',
    302,
    'unauthorized_client',
    'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
    /code flow is disabled/,
  ],
  ['token', 400, 'invalid_request', 'DPoP proof is missing', /carried no proof/, /carried no proof/],
  [
    'introspection',
    403,
    'invalid_request',
    'Client not allowed.',
    /to confidential clients only/,
    /does not allow this client to introspect/,
  ],
  ['introspection', 400, 'invalid_request', 'Unsupported token type.', /token_type_hint/],
  ['revocation', 400, 'invalid_request', 'Unmatching clients', /only that client may revoke/],
  [
    'end_session',
    400,
    'invalid_grant',
    "Invalid refresh token. Token client and authorized client don't match",
    /issued to another client/,
  ],
  [
    'userinfo',
    401,
    'invalid_token',
    'Lightweight access token not allowed for userinfo endpoint',
    /lightweight one/,
  ],
  [
    'userinfo',
    401,
    'invalid_token',
    'Token verification failed',
    /does not accept the access token/,
    /does not accept the access token/,
  ],
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
    /not made with the key registered/,
  ],
  ['token', 400, 'invalid_client', 'Unable to load public key', /no public key for the kid/],
  ['backchannel_authentication', 400, 'invalid_client', 'Token reuse detected', /used before/],
  ['token', 400, 'invalid_client', 'Token is not active', /assertion has expired/],
  ['token', 400, 'invalid_client', 'Invalid token audience', /aud of the client assertion/],
  [
    'token',
    401,
    'unauthorized_client',
    'Invalid client or Invalid client credentials',
    /secret or key is wrong, the client authenticates by another method/,
    /does not accept the client/,
  ],
  [
    'token',
    401,
    'unauthorized_client',
    'Public client not allowed to retrieve service account',
    /client is public/,
  ],
  ['token', 401, 'unauthorized_client', 'Client secret not provided in request', /none was sent/],
  [
    'backchannel_authentication',
    401,
    'invalid_grant',
    'Client not allowed OIDC CIBA Grant',
    /CIBA grant is disabled for this/,
    /may not use CIBA/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'invalid_user',
    /no such user/,
    /does not know the user/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_binding_message',
    'the binding_message value has to be max 50 characters in length and must contain only basic plain-text characters without spaces',
    /1 to 50/,
  ],
  [
    'backchannel_authentication',
    503,
    'server_error',
    'Failed to send authentication request',
    /could not reach the authentication device/,
    /could not reach the authentication device/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'missing parameter : login_hint',
    /parameter that was not sent/,
    /parameter that was not sent/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'User code not supported',
    /user codes/,
    /user codes/,
  ],
  [
    'backchannel_authentication',
    400,
    'invalid_request',
    'Client Notification token supported only for the ping mode',
    /delivery mode/,
    /delivery mode/,
  ],
  [
    'device_authorization',
    400,
    'unauthorized_client',
    'Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the client.',
    /device grant is disabled/,
  ],
  [
    'token',
    400,
    'expired_token',
    'Device code is expired',
    /No user entered the code/,
    /No user entered the code/,
  ],
  [
    'token',
    400,
    'invalid_client',
    'Audience not found',
    /no client of the name/,
    /does not know the audience/,
  ],
  [
    'token',
    400,
    'invalid_request',
    'Standard token exchange is not enabled for the requested client',
    /exchange is disabled/,
  ],
  [
    'token',
    403,
    'access_denied',
    'Client is not within the token audience',
    /not meant for this one/,
    /not meant for this one/,
  ],
  [
    'token',
    400,
    'invalid_request',
    'Sender-constrained token exchange rejected as the token was not issued for the requesting client',
    /only that client may exchange it/,
  ],
  ['token', 403, 'access_denied', 'Client not allowed to exchange', /no permission for this legacy/],
  ['token', 400, 'invalid_request', 'Invalid issuer', /that requested_issuer gave/],
  ['token', 400, 'invalid_issuer', 'Invalid subject_issuer parameter', /that subject_issuer gave/],
  ['token', 400, 'not_linked', 'identity provider is not linked', /no account linked/],
  [
    'token',
    400,
    'invalid_client',
    'Client requires assertion consumer url set up',
    /not a SAML client with a consumer URL/,
  ],
  ['token', 400, 'invalid_request', 'Invalid token type, must be access token', /tokens of this type/],
  ['token', 400, 'invalid_request', 'Requested audience not available: x', /can have the requested audience/],
  [
    'token',
    400,
    'invalid_request',
    'requested_token_type unsupported',
    /not exchange tokens of this type/,
    /does not issue the requested type/,
  ],
  [
    'token',
    400,
    'invalid_request',
    "Parameter 'requested_issuer' is not supported for standard token exchange",
    /legacy token exchange/,
  ],
  [
    'token',
    400,
    'invalid_request',
    'Invalid token',
    /not from this realm/,
    /does not accept the subject token/,
  ],
  ['token', 400, 'invalid_request', 'duplicated parameter', /only once/],
  ['token', 501, 'Feature not enabled', '', /grant is disabled/, /does not support this grant/],
  [
    'token',
    400,
    'invalid_grant',
    'JWT Authorization Grant is not supported for the requested client',
    /JWT authorization grant is disabled/,
  ],
  ['token', 400, 'expired_token', 'authentication timed out', /before it expired/, /before it expired/],
  ['token', 400, 'invalid_grant', 'unauthorized client', /belongs to another client/],
  ['token', 400, 'invalid_grant', 'Invalid Auth Req ID', /auth_req_id is unknown/, /auth_req_id is unknown/],
  ['token', 400, 'invalid_grant', 'Account is not fully set up', /required actions/],
  ['token', 400, 'invalid_grant', 'User disabled', /disabled or removed/],
  ['token', 400, 'invalid_grant', 'Token reuse detected', /^The assertion was used before/],
  ['token', 400, 'invalid_grant', 'Invalid token audience', /^The aud of the assertion/],
  ['token', 400, 'invalid_grant', 'Multiple audiences not allowed', /several values/],
  [
    'token',
    400,
    'invalid_grant',
    'Public client not allowed to use authorization grant',
    /The client is public/,
  ],
  ['token', 400, 'invalid_grant', 'No Identity Provider for provided issuer', /whose issuer is the iss/],
  ['token', 400, 'invalid_grant', 'Identity Provider is not allowed for the client', /not allowed to this/],
  ['token', 400, 'invalid_grant', 'Invalid signature', /verifies the assertion/],
  ['token', 400, 'invalid_grant', 'User not found', /linked to the sub/],
  ['token', 400, 'invalid_grant', 'Token jti claim is required', /lacks a claim/],
  ['token', 400, 'invalid_grant', 'The provided assertion is not a valid JWT', /is not a JWT/],
  ['token', 400, 'invalid_grant', 'Token was issued in the future', /from the past or the future/],
  [
    'token',
    400,
    'invalid_grant',
    'Invalid user credentials',
    /user name or the password/,
    /user name or the password/,
  ],
  ['token', 400, 'invalid_grant', 'Token is not active', /If an assertion was sent/],
  [
    'token',
    400,
    'invalid_grant',
    'Maximum allowed refresh token reuse exceeded',
    /refresh token is expired, was used/,
    /refresh token is expired, was used/,
  ],
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
    /password grant is disabled/,
  ],
  [
    'ciba_callback',
    401,
    'invalid_request',
    '',
    /no bearer/,
    /bearer token of the callback, or received none/,
  ],
  [
    'ciba_callback',
    403,
    'invalid_token',
    'Invalid token',
    /used before, has expired/,
    /does not allow this result/,
  ],
  ['ciba_callback', 500, 'unknown_error', '', /could not process the result/, /failed while it processed/],
  ['authorization', 302, 'invalid_request_object', 'Request not yet being processed', /not valid yet/],
  [
    'authorization',
    302,
    'invalid_request_object',
    "Request's available period is long",
    /requires a shorter lifetime/,
  ],
  [
    'authorization',
    302,
    'invalid_request_object',
    "Invalid parameter in the 'request' object: aud",
    /aud of the request object/,
  ],
  [
    'authorization',
    302,
    'invalid_request_object',
    "Missing parameter in the 'request' object: exp",
    /requires a claim/,
  ],
  [
    'authorization',
    302,
    'invalid_request_object',
    'Request object not encrypted',
    /requires encrypted request objects/,
  ],
  [
    'authorization',
    302,
    'invalid_request',
    "Invalid parameter. Parameters in 'request' object not matching with request parameters",
    /differs from the one inside/,
  ],
  ['pushed_authorization_request', 400, 'invalid_request', 'invalidRequestMessage', /in a request object/],
  [
    'authorization',
    302,
    'invalid_request',
    "Missing parameter: 'request' or 'request_uri'",
    /in a request object/,
    /in a request object/,
  ],
  [
    'metadata',
    404,
    'metadata_not_found',
    'Unable to find matching target resource method',
    /no metadata of a realm/,
  ],
];

/** Words that only an answer of Keycloak's may be explained by. */
const KEYCLOAK_WORDS =
  /keycloak|realm|capability settings|advanced settings|admin console|credentials tab|client polic|mapper|switch o(?:n|ff)/i;

const refusal = (
  [endpoint, status, error, description]: Refusal,
  details: { product?: OAuthRefusal['product']; hint?: string; personDecides?: boolean } = {},
) => {
  const { product, ...others } = details;
  return new RefusedError(
    { endpoint, status, error, error_description: description || undefined, product },
    others,
  );
};

const atRefusal = ([endpoint, status, error, description]: [...Refusal, ...unknown[]]): Refusal => [
  endpoint,
  status,
  error,
  description,
];

describe('the explanation of a refusal', () => {
  it.each(EXAMPLES)('by %s with %d %s "%s" has the cause %s', (...example) => {
    const explanation = explain(refusal(atRefusal(example), { personDecides: example[5] === 'person' }));
    expect(explanation?.cause).toMatch(example[4]);
    expect(explanation?.remedy).toMatch(/\.$/);
  });

  it.each(KEYCLOAK_EXAMPLES)('by Keycloak: %s with %d %s "%s" has the cause %s', (...example) => {
    const explanation = explain(refusal(atRefusal(example), { product: 'keycloak' }));
    expect(explanation?.cause).toMatch(example[4]);
    expect(explanation?.remedy).toMatch(/\.$/);
  });

  it.each(KEYCLOAK_EXAMPLES)(
    'by another server in the words of Keycloak: %s with %d %s "%s" names nothing of Keycloak',
    (...example) => {
      const { cause = '', remedy = '' } = explain(refusal(atRefusal(example))) ?? {};
      expect(`${cause} ${remedy}`).not.toMatch(KEYCLOAK_WORDS);
      if (example[5] !== undefined) expect(cause).toMatch(example[5]);
    },
  );

  it.each(CASES.filter(({ when }) => when.product === undefined))(
    'that holds for every server names nothing of Keycloak: $cause',
    ({ cause, remedy }) => {
      expect(`${cause} ${remedy}`).not.toMatch(KEYCLOAK_WORDS);
    },
  );

  it('is reached for every case of the table: none is hidden by an earlier one', () => {
    const reached = new Set<unknown>([
      ...EXAMPLES.map((example) =>
        explain(refusal(atRefusal(example), { personDecides: example[5] === 'person' })),
      ),
      ...KEYCLOAK_EXAMPLES.flatMap((example) => [
        explain(refusal(atRefusal(example), { product: 'keycloak' })),
        explain(refusal(atRefusal(example))),
      ]),
    ]);
    expect(CASES.filter((one) => !reached.has(one)).map(({ when }) => when)).toEqual([]);
  });

  it('does not depend on upper and lower case of the description', () => {
    for (const description of ['Invalid Auth Req ID', 'Invalid auth_req_id', 'INVALID AUTH_REQ_ID']) {
      expect(explain(refusal(['token', 400, 'invalid_grant', description]))?.cause).toMatch(
        /auth_req_id is unknown/,
      );
    }
  });

  it('is missing where the table knows nothing', () => {
    expect(explain(refusal(['token', 400, 'unmet_authentication_requirements', '']))).toBeUndefined();
  });

  it('leaves an error its own hint, and other errors alone', () => {
    expect(explain(refusal(['token', 401, 'invalid_client', ''], { hint: 'own hint' }))).toBeUndefined();
    expect(explain(new NetworkError('dns', 'no such host'))).toBeUndefined();
  });

  it.each(CASES)('has a cause and a remedy in whole sentences: $cause', ({ cause, remedy }) => {
    for (const text of [cause, remedy]) expect(text).toMatch(/^["A-Z].*[.)]$/s);
  });
});
