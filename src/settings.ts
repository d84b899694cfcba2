/** The groups of options in a command's help, in their order, and their headings. */
export const HELP_GROUPS = {
  own: 'Options',
  where: 'Who and where',
  client: 'Client authentication',
  output: 'Output',
  network: 'Network',
  provoke: 'To provoke refusals',
} as const;

export type HelpGroup = keyof typeof HELP_GROUPS;

/** How the value of a setting is checked, wherever it comes from. `file` and `reference` are checked when they are read. */
export type SettingCheck =
  | 'text'
  | 'url'
  | 'seconds'
  | 'boolean'
  | 'file'
  | 'reference'
  | 'auth_method'
  | 'listen_address'
  | 'redirect_uri';

/** One setting: its names, its documentation and its check. Adding one takes an entry in SETTINGS and a test. */
export interface SettingDefinition {
  readonly flag: string;
  readonly short?: string;
  /** What the flag takes, such as `<url>`; absent for a switch. */
  readonly placeholder?: string;
  readonly env: string;
  /** The member of a profile, where a profile may hold it; `profile add` and `profile set` then have an option for it. */
  readonly profile?: string;
  /** The option of `profile add` and `profile set`, where it is not `flag`. */
  readonly profileFlag?: string;
  readonly default?: string;
  /** The default in words, where it is not a fixed value. */
  readonly defaultText?: string;
  /** Whether the value is masked in everything that is printed. */
  readonly secret: boolean;
  readonly description: string;
  /** The description of `--no-…`, where a switch can be turned off. */
  readonly negation?: string;
  readonly group: HelpGroup;
  readonly check: SettingCheck;
}

/** Every setting that can come from more than one place, in the order of the help. */
export const SETTINGS = {
  profile: {
    flag: '--profile',
    short: '-p',
    placeholder: '<name>',
    env: 'OAUTHCTL_PROFILE',
    secret: false,
    description: 'use this profile',
    defaultText: 'current',
    group: 'where',
    check: 'text',
  },
  issuer: {
    flag: '--issuer',
    placeholder: '<url>',
    env: 'OAUTHCTL_ISSUER',
    profile: 'issuer',
    secret: false,
    description: 'the authorization server',
    group: 'where',
    check: 'url',
  },
  acceptIssuer: {
    flag: '--accept-issuer',
    placeholder: '<url>',
    env: 'OAUTHCTL_ACCEPT_ISSUER',
    profile: 'accept_issuer',
    secret: false,
    description: 'the issuer in its metadata and tokens, where --issuer is an internal address of it',
    group: 'where',
    check: 'url',
  },
  clientId: {
    flag: '--client-id',
    placeholder: '<id>',
    env: 'OAUTHCTL_CLIENT_ID',
    profile: 'client_id',
    secret: false,
    description: 'the client',
    group: 'where',
    check: 'text',
  },
  clientSecret: {
    flag: '--client-secret',
    placeholder: '<ref>',
    env: 'OAUTHCTL_CLIENT_SECRET',
    profile: 'client_secret',
    secret: true,
    description: 'the client secret',
    group: 'client',
    check: 'reference',
  },
  authMethod: {
    flag: '--auth-method',
    placeholder: '<method>',
    env: 'OAUTHCTL_AUTH_METHOD',
    profile: 'auth_method',
    secret: false,
    description: 'how the client authenticates',
    defaultText: 'by the credential that is given',
    group: 'client',
    check: 'auth_method',
  },
  clientKey: {
    flag: '--client-key',
    placeholder: '<file>',
    env: 'OAUTHCTL_CLIENT_KEY',
    profile: 'client_key',
    secret: false,
    description: 'private key of the client: PEM (PKCS#8), JWK or JWK Set',
    group: 'client',
    check: 'file',
  },
  kid: {
    flag: '--kid',
    placeholder: '<kid>',
    env: 'OAUTHCTL_KID',
    profile: 'kid',
    secret: false,
    description: 'which key of a JWK Set to use, or the kid to send',
    group: 'client',
    check: 'text',
  },
  signingAlg: {
    flag: '--signing-alg',
    placeholder: '<alg>',
    env: 'OAUTHCTL_SIGNING_ALG',
    profile: 'signing_alg',
    secret: false,
    description: 'the algorithm that signs the client assertion',
    group: 'client',
    check: 'text',
  },
  clientAssertion: {
    flag: '--client-assertion',
    placeholder: '<ref>',
    env: 'OAUTHCTL_CLIENT_ASSERTION',
    profile: 'client_assertion',
    secret: true,
    description: 'a ready-made client assertion',
    group: 'client',
    check: 'reference',
  },
  assertionAudience: {
    flag: '--assertion-audience',
    placeholder: '<aud>',
    env: 'OAUTHCTL_ASSERTION_AUDIENCE',
    profile: 'assertion_audience',
    secret: false,
    description: 'aud of the client assertion: issuer, endpoint or a URL',
    defaultText: 'issuer',
    group: 'client',
    check: 'text',
  },
  decryptionKey: {
    flag: '--decryption-key',
    placeholder: '<file>',
    env: 'OAUTHCTL_DECRYPTION_KEY',
    profile: 'decryption_key',
    secret: false,
    description: 'private key that decrypts what the server encrypts for the client',
    group: 'client',
    check: 'file',
  },
  idTokenAlg: {
    flag: '--id-token-alg',
    placeholder: '<alg>',
    env: 'OAUTHCTL_ID_TOKEN_ALG',
    profile: 'id_token_alg',
    secret: false,
    description: 'id_token_signed_response_alg that is registered for the client',
    group: 'client',
    check: 'text',
  },
  trustAudience: {
    flag: '--trust-audience',
    placeholder: '<aud>',
    env: 'OAUTHCTL_TRUST_AUDIENCE',
    profile: 'trust_audience',
    secret: false,
    description: 'audiences, separated by spaces, that an ID token may have beside the client',
    group: 'client',
    check: 'text',
  },
  leeway: {
    flag: '--leeway',
    placeholder: '<seconds>',
    env: 'OAUTHCTL_LEEWAY',
    profile: 'leeway',
    default: '0',
    secret: false,
    description: 'by which the clocks may differ when an ID token is checked',
    group: 'client',
    check: 'seconds',
  },
  dpop: {
    flag: '--dpop',
    env: 'OAUTHCTL_DPOP',
    profile: 'dpop',
    secret: false,
    description: 'bind tokens to a key by DPoP (RFC 9449)',
    negation: 'send no DPoP proofs, whatever the profile and kept tokens say',
    group: 'client',
    check: 'boolean',
  },
  dpopKey: {
    flag: '--dpop-key',
    placeholder: '<file>',
    env: 'OAUTHCTL_DPOP_KEY',
    profile: 'dpop_key',
    secret: false,
    description: 'private key for DPoP: PEM (PKCS#8) or JWK',
    defaultText: 'a new one',
    group: 'client',
    check: 'file',
  },
  dpopAlg: {
    flag: '--dpop-alg',
    placeholder: '<alg>',
    env: 'OAUTHCTL_DPOP_ALG',
    profile: 'dpop_alg',
    secret: false,
    description: 'the algorithm that signs DPoP proofs',
    defaultText: 'ES256',
    group: 'client',
    check: 'text',
  },
  scope: {
    flag: '--scope',
    placeholder: '<scopes>',
    env: 'OAUTHCTL_SCOPE',
    profile: 'scope',
    secret: false,
    description: 'scopes to request',
    group: 'own',
    check: 'text',
  },
  loginHint: {
    flag: '--login-hint',
    placeholder: '<user>',
    env: 'OAUTHCTL_LOGIN_HINT',
    profile: 'login_hint',
    secret: false,
    description: 'the user who is to sign in',
    group: 'own',
    check: 'text',
  },
  deviceListen: {
    flag: '--listen',
    placeholder: '<addr>',
    env: 'OAUTHCTL_DEVICE_LISTEN',
    profile: 'device_listen',
    profileFlag: '--device-listen',
    default: '127.0.0.1:3000/api/v1/auth',
    secret: false,
    description: 'where the device listens',
    group: 'own',
    check: 'listen_address',
  },
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
  timeout: {
    flag: '--timeout',
    placeholder: '<seconds>',
    env: 'OAUTHCTL_TIMEOUT',
    default: '30',
    secret: false,
    description: 'for one exchange, from name look-up to the last byte',
    group: 'network',
    check: 'seconds',
  },
  caCert: {
    flag: '--ca-cert',
    placeholder: '<file>',
    env: 'OAUTHCTL_CA_CERT',
    profile: 'ca_cert',
    secret: false,
    description: 'trust the certificate authorities in this PEM file as well',
    group: 'network',
    check: 'file',
  },
  cert: {
    flag: '--cert',
    placeholder: '<file>',
    env: 'OAUTHCTL_CERT',
    profile: 'cert',
    secret: false,
    description: 'client certificate, PEM',
    group: 'network',
    check: 'file',
  },
  key: {
    flag: '--key',
    placeholder: '<file>',
    env: 'OAUTHCTL_KEY',
    profile: 'key',
    secret: false,
    description: 'private key of the client certificate, PEM',
    group: 'network',
    check: 'file',
  },
  proxy: {
    flag: '--proxy',
    placeholder: '<url>',
    env: 'OAUTHCTL_PROXY',
    secret: false,
    description: 'send everything through this proxy',
    group: 'network',
    check: 'text',
  },
} as const satisfies Record<string, SettingDefinition>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The definition of a setting, with every member that one may have. */
export function findDefinition(name: SettingName): SettingDefinition {
  return SETTINGS[name];
}
