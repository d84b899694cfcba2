import { UsageError } from './errors.ts';

/** Where a value may come from, strongest first. */
export const SETTING_SOURCES = ['flag', 'environment', 'profile', 'default'] as const;

export type SettingSource = (typeof SETTING_SOURCES)[number];

interface Definition {
  readonly flag: string;
  readonly env: string;
  /** The member of a profile, where a profile may hold it. */
  readonly profile?: string;
  readonly default?: string;
  readonly secret?: true;
}

/** Every setting that has more than one place to come from. */
export const SETTINGS = {
  issuer: { flag: '--issuer', env: 'OAUTHCTL_ISSUER', profile: 'issuer' },
  acceptIssuer: { flag: '--accept-issuer', env: 'OAUTHCTL_ACCEPT_ISSUER', profile: 'accept_issuer' },
  clientId: { flag: '--client-id', env: 'OAUTHCTL_CLIENT_ID', profile: 'client_id' },
  clientSecret: {
    flag: '--client-secret',
    env: 'OAUTHCTL_CLIENT_SECRET',
    profile: 'client_secret',
    secret: true,
  },
  clientKey: { flag: '--client-key', env: 'OAUTHCTL_CLIENT_KEY', profile: 'client_key' },
  kid: { flag: '--kid', env: 'OAUTHCTL_KID', profile: 'kid' },
  signingAlg: { flag: '--signing-alg', env: 'OAUTHCTL_SIGNING_ALG', profile: 'signing_alg' },
  clientAssertion: {
    flag: '--client-assertion',
    env: 'OAUTHCTL_CLIENT_ASSERTION',
    profile: 'client_assertion',
    secret: true,
  },
  assertionAudience: {
    flag: '--assertion-audience',
    env: 'OAUTHCTL_ASSERTION_AUDIENCE',
    profile: 'assertion_audience',
  },
  authMethod: { flag: '--auth-method', env: 'OAUTHCTL_AUTH_METHOD', profile: 'auth_method' },
  dpop: { flag: '--dpop', env: 'OAUTHCTL_DPOP', profile: 'dpop' },
  dpopKey: { flag: '--dpop-key', env: 'OAUTHCTL_DPOP_KEY', profile: 'dpop_key' },
  dpopAlg: { flag: '--dpop-alg', env: 'OAUTHCTL_DPOP_ALG', profile: 'dpop_alg' },
  scope: { flag: '--scope', env: 'OAUTHCTL_SCOPE', profile: 'scope' },
  loginHint: { flag: '--login-hint', env: 'OAUTHCTL_LOGIN_HINT', profile: 'login_hint' },
  deviceListen: {
    flag: '--listen',
    env: 'OAUTHCTL_DEVICE_LISTEN',
    profile: 'device_listen',
    default: '127.0.0.1:3000/api/v1/auth',
  },
  redirectUri: {
    flag: '--redirect-uri',
    env: 'OAUTHCTL_REDIRECT_URI',
    profile: 'redirect_uri',
    // Without a port it takes a free one.
    default: 'http://127.0.0.1/callback',
  },
  decryptionKey: {
    flag: '--decryption-key',
    env: 'OAUTHCTL_DECRYPTION_KEY',
    profile: 'decryption_key',
  },
  idTokenAlg: { flag: '--id-token-alg', env: 'OAUTHCTL_ID_TOKEN_ALG', profile: 'id_token_alg' },
  caCert: { flag: '--ca-cert', env: 'OAUTHCTL_CA_CERT', profile: 'ca_cert' },
  cert: { flag: '--cert', env: 'OAUTHCTL_CERT', profile: 'cert' },
  key: { flag: '--key', env: 'OAUTHCTL_KEY', profile: 'key' },
  proxy: { flag: '--proxy', env: 'OAUTHCTL_PROXY' },
  timeout: { flag: '--timeout', env: 'OAUTHCTL_TIMEOUT', default: '30' },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof SETTINGS;

export interface Setting {
  readonly value: string;
  readonly source: SettingSource;
}

export interface SettingInputs {
  /** Option values by setting name; undefined where the flag was not given. */
  readonly flags: Readonly<Partial<Record<SettingName, string | undefined>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly profile: Readonly<Record<string, string | undefined>> | undefined;
}

/** Resolved settings; each value knows where it came from. */
export class Settings {
  readonly #inputs: SettingInputs;

  constructor(inputs: SettingInputs) {
    this.#inputs = inputs;
  }

  /** Looks a setting up: flag, environment, profile, default. An empty environment variable counts as unset. */
  find(name: SettingName): Setting | undefined {
    const definition: Definition = SETTINGS[name];
    const { flags, env, profile } = this.#inputs;
    const flag = flags[name];
    if (flag !== undefined) return { value: flag, source: 'flag' };
    const fromEnv = env[definition.env];
    if (fromEnv) return { value: fromEnv, source: 'environment' };
    const fromProfile = definition.profile === undefined ? undefined : profile?.[definition.profile];
    if (fromProfile !== undefined) return { value: fromProfile, source: 'profile' };
    return definition.default === undefined ? undefined : { value: definition.default, source: 'default' };
  }

  get(name: SettingName): string | undefined {
    return this.find(name)?.value;
  }

  /** @throws UsageError `setting_missing` that names the flag and the environment variable */
  require(name: SettingName, what: string): string {
    const value = this.get(name);
    if (value === undefined) {
      const { flag, env }: Definition = SETTINGS[name];
      throw new UsageError('setting_missing', `${what} is not known`, {
        hint: `Give ${flag}, set ${env}, or make a profile with "oauthctl profile add".`,
      });
    }
    return value;
  }

  /** One line a setting that is in force, for `-v`; secrets stay out. */
  describe(): string[] {
    return (Object.keys(SETTINGS) as SettingName[]).flatMap((name) => {
      const setting = this.find(name);
      const definition: Definition = SETTINGS[name];
      if (setting === undefined || setting.source === 'default') return [];
      return [
        `${definition.flag.slice(2)} from ${setting.source}: ${definition.secret ? '(masked)' : setting.value}`,
      ];
    });
  }
}

/**
 * Reads a number of seconds.
 * @throws UsageError `seconds_invalid`
 */
export function parseSeconds(text: string, flag: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds <= 0) {
    throw new UsageError('seconds_invalid', `${flag} takes a positive number of seconds, and got "${text}"`);
  }
  return seconds;
}

/** Reads a number of seconds that may be 0. @throws UsageError `seconds_invalid` */
export function readSeconds(text: string, flag: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new UsageError('seconds_invalid', `${flag} takes a number of seconds, 0 or more, and got "${text}"`);
}
