import type { SettingDefinition } from './setting-definition.ts';

/** The settings of authorization requests. */
export const AUTHORIZATION_SETTINGS = {
  redirectUri: {
    flag: '--redirect-uri',
    placeholder: '<uri>',
    env: 'OAUTHCTL_REDIRECT_URI',
    profile: 'redirect_uri',
    default: 'http://127.0.0.1/callback',
    secret: false,
    description: 'where the browser returns to; a loopback address without a port takes a free port',
    group: 'own',
    check: 'redirect_uri',
  },
  responseType: {
    flag: '--response-type',
    placeholder: '<type>',
    env: 'OAUTHCTL_RESPONSE_TYPE',
    profile: 'response_type',
    default: 'code',
    secret: false,
    description: 'code, or a type with id_token or token, for tests',
    group: 'own',
    check: 'text',
  },
  /** With `jwt` the response is one signed JWT. @see https://openid.net/specs/oauth-v2-jarm.html#section-2.3 */
  responseMode: {
    flag: '--response-mode',
    placeholder: '<mode>',
    env: 'OAUTHCTL_RESPONSE_MODE',
    profile: 'response_mode',
    secret: false,
    description: 'how the authorization response is returned',
    group: 'own',
    check: 'text',
    choices: ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
  },
  par: {
    flag: '--par',
    env: 'OAUTHCTL_PAR',
    profile: 'par',
    secret: false,
    description: 'push the authorization request (RFC 9126; default if the server requires it)',
    negation: 'do not push it, even if the profile or the server require it',
    group: 'own',
    check: 'boolean',
  },
  requestObject: {
    flag: '--request-object',
    env: 'OAUTHCTL_REQUEST_OBJECT',
    profile: 'request_object',
    secret: false,
    description: 'sign the authorization request (RFC 9101; default if the server requires it)',
    negation: 'do not sign it, even if the profile or the server require it',
    group: 'own',
    check: 'boolean',
  },
} as const satisfies Readonly<Record<string, SettingDefinition>>;
