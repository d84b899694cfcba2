/** The groups of options in the help of a command, in order, with their headings. */
export const HELP_GROUPS = {
  own: 'Options',
  where: 'Who and where',
  endpoints: 'Endpoints',
  client: 'Client authentication',
  output: 'Output',
  network: 'Network',
  provoke: 'To provoke refusals',
} as const;

export type HelpGroup = keyof typeof HELP_GROUPS;

/** How the value of a setting is checked, from any source. `file` and `reference` are checked when they are read. */
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

/** One setting: its names, its documentation and its check. To add one, add an entry to SETTINGS and a test. */
export interface SettingDefinition {
  readonly flag: string;
  readonly short?: string;
  /** The placeholder of the value, such as `<url>`; absent for a switch. */
  readonly placeholder?: string;
  readonly env: string;
  /** The member of a profile, if a profile can have it; `profile add` and `profile set` then have an option for it. */
  readonly profile?: string;
  /** The option of `profile add` and `profile set`, if it is not `flag`. */
  readonly profileFlag?: string;
  readonly default?: string;
  /** The default in words, if it is not a fixed value. */
  readonly defaultText?: string;
  /** Whether the value is masked in all output. */
  readonly secret: boolean;
  readonly description: string;
  /** The description of `--no-…`, if a switch can be turned off. */
  readonly negation?: string;
  readonly group: HelpGroup;
  readonly check: SettingCheck;
  /** The accepted values, if they are a fixed list. */
  readonly choices?: readonly string[];
}
