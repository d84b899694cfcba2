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
    description: 'code, or with id_token and token the old kinds, for a test',
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
    description: 'how the authorization response comes back',
    group: 'own',
    check: 'text',
    choices: ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
  },
  par: {
    flag: '--par',
    env: 'OAUTHCTL_PAR',
    profile: 'par',
    secret: false,
    description: 'push the authorization request first (RFC 9126; by itself where the server requires it)',
    negation: 'do not push it, whatever the profile and the server say',
    group: 'own',
    check: 'boolean',
  },
  requestObject: {
    flag: '--request-object',
    env: 'OAUTHCTL_REQUEST_OBJECT',
    profile: 'request_object',
    secret: false,
    description: 'sign the authorization request (RFC 9101; by itself where the server requires it)',
    negation: 'do not sign it, whatever the profile and the server say',
    group: 'own',
    check: 'boolean',
  },
} as const satisfies Readonly<Record<string, SettingDefinition>>;
