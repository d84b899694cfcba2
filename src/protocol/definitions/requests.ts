import { RESOURCE, SCOPE } from './common.ts';
import type { ParameterDefinitions, ValuesFor } from './parameter.ts';

/**
 * The parameters of every request but the token request, by endpoint, and those of the client authentication, which are
 * added to the requests that a client makes itself.
 */
export const REQUESTS = {
  /** @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3 @see https://www.rfc-editor.org/rfc/rfc7521#section-4.2 */
  client_authentication: {
    client_id: { is: 'plain' },
    client_secret: { is: 'secret' },
    client_assertion_type: { is: 'plain' },
    client_assertion: { is: 'secret' },
  },
  /**
   * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
   * @see https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
   */
  authorization: {
    login_hint: { is: 'user', setting: 'loginHint' },
    prompt: {
      is: 'plain',
      option: { flags: '--prompt <values>', help: 'none, login, consent, select_account', read: 'text' },
    },
    max_age: {
      is: 'identity',
      option: {
        flags: '--max-age <seconds>',
        help: 'require a new login if the last one is older',
        read: 'seconds',
      },
    },
    acr_values: {
      is: 'identity',
      option: {
        flags: '--acr-values <values>',
        help: 'authentication context classes, by preference',
        read: 'text',
      },
    },
    claims: {
      is: 'identity',
      option: {
        flags: '--claims <json>',
        help: 'individual claims to request: JSON or @FILE',
        read: 'json-object',
      },
    },
    ui_locales: {
      is: 'plain',
      option: {
        flags: '--ui-locales <tags>',
        help: 'languages of the login page, by preference',
        read: 'text',
      },
    },
    display: {
      is: 'plain',
      option: { flags: '--display <value>', help: 'page, popup, touch or wap', read: 'text' },
    },
    /** Of Keycloak. */
    kc_idp_hint: {
      is: 'identity',
      option: {
        flags: '--kc-idp-hint <alias>',
        help: 'Keycloak: the identity provider to use',
        read: 'text',
      },
    },
    /** @see https://www.rfc-editor.org/rfc/rfc9396 */
    authorization_details: {
      is: 'identity',
      option: {
        flags: '--authorization-details <json>',
        help: 'the requested permissions in detail (RFC 9396): JSON or @FILE',
        read: 'json-array',
      },
    },
    resource: RESOURCE,
    response_type: { is: 'identity', setting: 'responseType' },
    response_mode: { is: 'plain', setting: 'responseMode' },
    scope: SCOPE,
    client_id: { is: 'plain' },
    redirect_uri: { is: 'plain' },
    state: { is: 'plain' },
    nonce: { is: 'plain' },
    code_challenge: { is: 'plain' },
    code_challenge_method: { is: 'plain' },
    dpop_jkt: { is: 'plain' },
    /** A request object, which may hold any of the others. @see https://www.rfc-editor.org/rfc/rfc9101#section-5 */
    request: { is: 'secret' },
    request_uri: { is: 'plain' },
  },
  /** In addition, the parameters of the authorization request. @see https://www.rfc-editor.org/rfc/rfc9126#section-3 */
  pushed_authorization_request: { request: { is: 'secret' } },
  /** @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.7.1 */
  backchannel_authentication: {
    scope: SCOPE,
    login_hint: { is: 'user' },
    login_hint_token: { is: 'secret-identity' },
    id_token_hint: { is: 'secret-identity' },
    binding_message: { is: 'plain' },
    acr_values: { is: 'identity' },
    user_code: { is: 'secret' },
    requested_expiry: { is: 'plain' },
    client_notification_token: { is: 'secret' },
  },
  /** @see https://www.rfc-editor.org/rfc/rfc8628#section-3.1 */
  device_authorization: { scope: SCOPE },
  /** @see https://www.rfc-editor.org/rfc/rfc7662#section-2.1 */
  introspection: { token: { is: 'secret' }, token_type_hint: { is: 'plain' } },
  /** @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1 */
  revocation: { token: { is: 'secret' }, token_type_hint: { is: 'plain' } },
  /**
   * The access token is in a header, unless the body is chosen.
   * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfoRequest
   */
  userinfo: { access_token: { is: 'secret' } },
  /**
   * In a browser, or by refresh token, as Keycloak defines it.
   * @see https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
   */
  end_session: {
    refresh_token: { is: 'secret' },
    id_token_hint: { is: 'secret' },
    logout_hint: { is: 'user' },
    client_id: { is: 'plain' },
    post_logout_redirect_uri: { is: 'plain' },
    state: { is: 'plain' },
    ui_locales: { is: 'plain' },
  },
} as const satisfies Readonly<Record<string, ParameterDefinitions>>;

export type RequestName = keyof typeof REQUESTS;

/** Values for the parameters of a request. */
export type RequestValues<Name extends RequestName> = ValuesFor<(typeof REQUESTS)[Name]>;
