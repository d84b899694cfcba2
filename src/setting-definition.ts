/** The groups of options in a command's help, in their order, and their headings. */
export const HELP_GROUPS = {
  own: 'Options',
  where: 'Who and where',
  endpoints: 'Endpoints by hand',
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
  /** The only values that it takes, where they are a fixed list. */
  readonly choices?: readonly string[];
}
