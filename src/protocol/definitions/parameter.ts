/**
 * The classes of parameters. Every parameter of every request has exactly one:
 * - whether it is secret decides how it is masked in steps, in `-v`, in traces and under `--curl`;
 * - `reuse` decides how `--reuse` compares it with the request that the kept tokens came from.
 */
const CLASSES = {
  /** Not secret, and without influence on the tokens. */
  plain: { isSecret: false, reuse: 'ignored' },
  /** Not secret; another value requests other tokens. */
  identity: { isSecret: false, reuse: 'compared' },
  /** The scope: kept tokens may have more scopes than are requested. */
  scope: { isSecret: false, reuse: 'scope' },
  /** Names the user. */
  user: { isSecret: false, reuse: 'user' },
  /** A credential, without influence on the tokens. */
  secret: { isSecret: true, reuse: 'ignored' },
  /** Secret; another value requests other tokens. */
  'secret-identity': { isSecret: true, reuse: 'compared' },
  /** A JWT whose subject is the user; every request has a new one. */
  assertion: { isSecret: true, reuse: 'subject' },
} as const satisfies Readonly<Record<string, { readonly isSecret: boolean; readonly reuse: string }>>;

export type Classification = keyof typeof CLASSES;

/** How `--reuse` compares a parameter. */
export type ReuseComparison = (typeof CLASSES)[Classification]['reuse'];

/** Says whether the value of a parameter is masked. */
export function isSecretClass(classification: Classification): boolean {
  return CLASSES[classification].isSecret;
}

/** Says how `--reuse` compares a parameter. */
export function findReuseComparison(classification: Classification): ReuseComparison {
  return CLASSES[classification].reuse;
}

/** How the text of an option becomes the value of a parameter. */
export type OptionReader =
  | 'text'
  /** A list: the option can be given several times, and the parameter is sent as often. */
  | 'list'
  /** A whole number of seconds, 0 or more. */
  | 'seconds'
  /** A JSON object or array, or `@FILE` with one. */
  | 'json-object'
  | 'json-array'
  /** A secret: `env:NAME`, `file:PATH`, `cmd:COMMAND` or `-`; a literal is accepted with a warning. */
  | 'secret'
  /** A token: itself, `-`, `@FILE` or `@last.access_token` (`refresh_token`, `id_token`). */
  | 'token'
  /** As `secret`, or `@FILE` or `@last.access_token` (`refresh_token`, `id_token`). */
  | 'token-secret';

/** The option of a command that sets a parameter. */
export interface ParameterOption {
  /** In the form of commander: `--name <value>`; `<ref>` where the value is a reference, of which `-` is standard input. */
  readonly flags: `--${string} <${string}>`;
  readonly help: string;
  readonly read: OptionReader;
  /** The default text. */
  readonly default?: string;
  /** The accepted texts. */
  readonly choices?: readonly string[];
  /** The prompt on a terminal if the option is missing; without a terminal the option is required. */
  readonly ask?: string;
  /** The request is not sent without it. */
  readonly required?: true;
}

/** One parameter of a request. */
export interface Parameter {
  readonly is: Classification;
  /** Absent if no option sets it. */
  readonly option?: ParameterOption;
  /** The setting that is used if the option is not given. */
  readonly setting?: 'scope' | 'loginHint' | 'responseType' | 'responseMode';
}

/** The parameters of a request by their wire names, in the order of the help. */
export type ParameterDefinitions = Readonly<Record<string, Parameter>>;

/** The value of a parameter; a list repeats the name, and undefined omits it. */
export type ParameterValue = string | number | readonly string[] | undefined;

/** Values for the parameters of a definition. */
export type ValuesFor<Definitions extends ParameterDefinitions> = {
  readonly [Name in keyof Definitions]?: ParameterValue;
};
