/** Whether a member of an answer, or a header, is a secret. */
export type Secrecy = 'secret' | 'plain';

/** The members of answers, and of requests that servers send, by endpoint. */
export const ANSWERS = {
  /** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
  token: {
    access_token: 'secret',
    token_type: 'plain',
    expires_in: 'plain',
    refresh_token: 'secret',
    /** Of Keycloak. */
    refresh_expires_in: 'plain',
    scope: 'plain',
    id_token: 'secret',
    issued_token_type: 'plain',
  },
  /** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 */
  authorization: {
    code: 'secret',
    access_token: 'secret',
    token_type: 'plain',
    id_token: 'secret',
    state: 'plain',
    iss: 'plain',
    /** The whole response in a JWT. @see https://openid.net/specs/oauth-v2-jarm.html */
    response: 'secret',
  },
  /** @see https://www.rfc-editor.org/rfc/rfc9126#section-2.2 */
  pushed_authorization_request: { request_uri: 'plain', expires_in: 'plain' },
  /** @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.7.3 */
  backchannel_authentication: { auth_req_id: 'secret', expires_in: 'plain', interval: 'plain' },
  /** @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2 */
  device_authorization: {
    device_code: 'secret',
    user_code: 'secret',
    verification_uri: 'plain',
    /** It contains the user code. */
    verification_uri_complete: 'secret',
    /** The names of Google and of drafts of the RFC. */
    verification_url: 'plain',
    verification_url_complete: 'secret',
    expires_in: 'plain',
    interval: 'plain',
  },
  /** @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2 */
  introspection: {
    active: 'plain',
    /** Of Keycloak: the whole access token. */
    jwt: 'secret',
  },
  /** @see https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 @see https://www.rfc-editor.org/rfc/rfc7592#section-3 */
  client_registration: {
    client_id: 'plain',
    client_secret: 'secret',
    registration_access_token: 'secret',
    registration_client_uri: 'plain',
  },
  /** The client, as the admin API of Keycloak represents it. */
  keycloak_client: { secret: 'secret' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Secrecy>>>>;

/** The names of the members of an answer. */
export type MemberOf<Name extends keyof typeof ANSWERS> = keyof (typeof ANSWERS)[Name];

/** The headers that are sent, and those of answers that are secret. */
export const HEADERS = {
  accept: 'plain',
  'accept-language': 'plain',
  authorization: 'secret',
  'content-type': 'plain',
  cookie: 'secret',
  dpop: 'secret',
  'proxy-authorization': 'secret',
  'set-cookie': 'secret',
} as const satisfies Readonly<Record<string, Secrecy>>;

/** Headers by their names in lower case. */
export type DefinedHeaders = { readonly [Name in keyof typeof HEADERS]?: string };
