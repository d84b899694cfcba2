/**
 * The registered errors of OAuth, OpenID Connect and CIBA, and some of Keycloak. Each can be the `code` of a RefusedError.
 * @see https://www.iana.org/assignments/oauth-parameters/oauth-parameters.xhtml#extensions-error
 */
export const REGISTERED_ERRORS = [
  'access_denied',
  'account_selection_required',
  'authorization_pending',
  'consent_required',
  'expired_login_hint_token',
  'expired_token',
  'insufficient_scope',
  'insufficient_user_authentication',
  'interaction_required',
  'invalid_authorization_details',
  'invalid_binding_message',
  'invalid_client',
  'invalid_client_metadata',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_issuer',
  'invalid_redirect_uri',
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'invalid_user_code',
  'login_required',
  'missing_user_code',
  'not_allowed',
  'registration_not_supported',
  'request_not_supported',
  'request_uri_not_supported',
  'server_error',
  'slow_down',
  'temporarily_unavailable',
  'transaction_failed',
  'unauthorized_client',
  'unknown_user_id',
  'unmet_authentication_requirements',
  'unsupported_grant_type',
  'unsupported_response_type',
  'unsupported_token_type',
  'use_dpop_nonce',
] as const;

/** The `error` of a refusal without an error code: the reason phrase of its status in snake_case. */
export const STATUS_ERRORS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  402: 'payment_required',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'request_timeout',
  409: 'conflict',
  410: 'gone',
  412: 'precondition_failed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  418: 'i_m_a_teapot',
  422: 'unprocessable_entity',
  429: 'too_many_requests',
  431: 'request_header_fields_too_large',
  451: 'unavailable_for_legal_reasons',
  500: 'internal_server_error',
  501: 'not_implemented',
  502: 'bad_gateway',
  503: 'service_unavailable',
  504: 'gateway_timeout',
};

/** Codes of refusals that are neither registered nor derived from a status. */
const OWN_REFUSALS = ['expired', 'metadata_not_found', 'redirected', 'refused'];

/** Every code that a RefusedError can have. */
export const REFUSAL_CODES: ReadonlySet<string> = new Set<string>([
  ...REGISTERED_ERRORS,
  ...Object.values(STATUS_ERRORS),
  ...OWN_REFUSALS,
]);
