import { UsageError } from '../errors.ts';
import { findDefinition, SETTING_NAMES, type SettingName } from '../settings.ts';

/** The sources of a value, highest precedence first. */
export const SETTING_SOURCES = ['flag', 'environment', 'profile', 'default'] as const;

export type SettingSource = (typeof SETTING_SOURCES)[number];

export interface Setting {
  readonly value: string;
  readonly source: SettingSource;
}

export interface SettingInputs {
  /** Option values by setting name; undefined if the flag was not given. */
  readonly flags: Readonly<Partial<Record<SettingName, string | undefined>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly profile: Readonly<Record<string, string | undefined>> | undefined;
  /** Values that replace the table's defaults in one command. */
  readonly defaults?: Readonly<Partial<Record<SettingName, string>>>;
}

/** Checks a value. @throws UsageError that says where the value is set */
export type CheckSetting = (name: SettingName, setting: Setting) => void;

/** Resolved settings; each value has its source. */
export class Settings {
  readonly #inputs: SettingInputs;
  readonly #check: CheckSetting;

  /** @param check is called for every value that is not a default */
  constructor(inputs: SettingInputs, check: CheckSetting = () => {}) {
    this.#inputs = inputs;
    this.#check = check;
  }

  /**
   * Looks a setting up: flag, environment, profile, default. An empty environment variable counts as unset.
   * @throws UsageError if the value is invalid
   */
  find(name: SettingName): Setting | undefined {
    const setting = this.#lookUp(name);
    if (setting !== undefined && setting.source !== 'default') this.#check(name, setting);
    return setting;
  }

  /** @throws as find */
  get(name: SettingName): string | undefined {
    return this.find(name)?.value;
  }

  /** @throws UsageError `setting_missing` that names the flag and the environment variable; as find */
  require(name: SettingName, what: string): string {
    const value = this.get(name);
    if (value === undefined) {
      const { flag, env } = findDefinition(name);
      throw new UsageError('setting_missing', `${what} is missing`, {
        hint: `Give ${flag}, set ${env}, or create a profile with "oauthctl profile add".`,
      });
    }
    return value;
  }

  /** Returns a line for each setting that has a value, for `-v`; secrets are masked. */
  describe(): string[] {
    return SETTING_NAMES.flatMap((name) => {
      const setting = this.#lookUp(name);
      const { flag, secret } = findDefinition(name);
      if (setting === undefined || setting.source === 'default') return [];
      return [`${flag.slice(2)} from ${setting.source}: ${secret ? '(masked)' : setting.value}`];
    });
  }

  #lookUp(name: SettingName): Setting | undefined {
    const definition = findDefinition(name);
    const { flags, env, profile, defaults } = this.#inputs;
    const flag = flags[name];
    if (flag !== undefined) return { value: flag, source: 'flag' };
    const fromEnv = env[definition.env];
    if (fromEnv) return { value: fromEnv, source: 'environment' };
    const fromProfile = definition.profile === undefined ? undefined : profile?.[definition.profile];
    if (fromProfile !== undefined) return { value: fromProfile, source: 'profile' };
    const value = defaults?.[name] ?? definition.default;
    return value === undefined ? undefined : { value, source: 'default' };
  }
}
