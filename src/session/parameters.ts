import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import {
  findReuseComparison,
  isSecretClass,
  type OptionReader,
  type Parameter,
  type ParameterDefinitions,
  type ParameterOption,
  type ParameterValue,
} from '../protocol/definitions/parameter.ts';
import type { ParameterValues } from '../protocol/oauth/form.ts';
import { readJson, readSecret } from './option-values.ts';
import { createRepeatableOption } from './options.ts';
import type { Session } from './session.ts';
import { readTokenArgument, readTokenReference, type TokenName } from './token-argument.ts';

/** Adds the options that set the parameters of a request. */
export function addParameterOptions(command: Command, definitions: ParameterDefinitions): Command {
  for (const { option } of Object.values(definitions)) if (option) command.addOption(buildOption(option));
  return command;
}

function buildOption({ flags, help, read, default: initial, choices }: ParameterOption): Option {
  if (read === 'list') return createRepeatableOption(flags, help);
  const option = new Option(flags, help);
  if (choices) option.choices([...choices]);
  return initial === undefined ? option : option.default(initial);
}

/** The definitions of a request, split in two parts. */
export interface SplitDefinitions {
  /** The parameters that say which tokens are requested; `--reuse` needs their values before anything is sent. */
  readonly request: ParameterDefinitions;
  /** The parameters that are needed only to send the request. */
  readonly credentials: ParameterDefinitions;
}

/** Separates the credentials from the other parameters of a request. */
export function splitCredentials(definitions: ParameterDefinitions): SplitDefinitions {
  const isCredential = ({ is }: Parameter) => isSecretClass(is) && findReuseComparison(is) === 'ignored';
  const select = (credentials: boolean) =>
    Object.fromEntries(
      Object.entries(definitions).filter(([, parameter]) => isCredential(parameter) === credentials),
    );
  return { request: select(false), credentials: select(true) };
}

/** The values that are read from the options of a request. */
export type ReadValues<Definitions extends ParameterDefinitions> = string extends keyof Definitions
  ? ParameterValues
  : { readonly [Name in keyof Definitions]: ReadValue<Definitions[Name]> };

type ReadValue<Definition> =
  | (Definition extends { readonly option: { readonly read: 'list' } } ? readonly string[] : string)
  | (Definition extends { readonly option: { readonly default: string } } ? never : undefined);

/**
 * Reads the values of parameters: from the option, else from the setting, else by a prompt.
 * @param wanted for parameters that are tokens: which tokens of a token response fit, if the name does not say it
 * @returns a member for each parameter that has an option or a setting, in the order of the definitions
 * @throws UsageError `setting_missing`, `json_invalid`, `NAME_invalid`; as readTokenArgument and `ctx.secret`
 */
export async function readParameters<const Definitions extends ParameterDefinitions>(
  session: Session,
  command: Command,
  definitions: Definitions,
  wanted: Readonly<Record<string, readonly TokenName[]>> = {},
): Promise<ReadValues<Definitions>> {
  const values: Record<string, ParameterValue> = {};
  for (const [name, parameter] of Object.entries(definitions)) {
    if (parameter.option === undefined && parameter.setting === undefined) continue;
    values[name] = await readParameter(session, command, name, parameter, wanted[name]);
  }
  return values as ReadValues<Definitions>;
}

/** The tokens of a token response that fit a parameter. */
const FITTING_TOKENS: Readonly<Record<string, readonly TokenName[]>> = {
  assertion: ['assertion', 'id_token', 'access_token'],
  login_hint_token: ['login_hint_token'],
  id_token_hint: ['id_token'],
  subject_token: ['access_token'],
  actor_token: ['access_token'],
};

async function readParameter(
  session: Session,
  command: Command,
  name: string,
  parameter: Parameter,
  wanted: readonly TokenName[] = FITTING_TOKENS[name] ?? [],
): Promise<ParameterValue> {
  const { option, setting } = parameter;
  const given: unknown = option && command.getOptionValue(buildOption(option).attributeName());
  if (option?.read === 'list') return given as readonly string[] | undefined;
  if (option !== undefined && typeof given === 'string')
    return READERS[option.read](session, given, { name, flag: readFlag(option), wanted });
  const configured = setting && session.settings.get(setting);
  if (configured !== undefined || option === undefined) return configured;
  if (option.ask !== undefined || option.required) return askFor(session, name, parameter, option);
  return undefined;
}

/** The name of an option without its value. */
function readFlag({ flags }: ParameterOption): string {
  return flags.split(' ')[0] ?? flags;
}

type Reader = (
  session: Session,
  text: string,
  parameter: {
    readonly name: string;
    readonly flag: string;
    /** The tokens of a token response that fit, the best first. */
    readonly wanted: readonly TokenName[];
  },
) => string | Promise<string>;

const READERS: Readonly<Record<Exclude<OptionReader, 'list'>, Reader>> = {
  text: (_session, text) => text,
  seconds(_session, text, { name, flag }) {
    if (/^\d+$/.test(text)) return text;
    throw new UsageError(
      `${name}_invalid`,
      `${flag} takes a whole number of seconds, 0 or more; "${text}" is invalid`,
    );
  },
  'json-object': ({ ctx }, text, { flag }) => readJson(text, flag, 'object', ctx.readFile),
  'json-array': ({ ctx }, text, { flag }) => readJson(text, flag, 'array', ctx.readFile),
  secret: readSecret,
  token: (session, argument, { wanted }) => readTokenArgument(session, argument, wanted),
  'token-secret': (session, reference, { wanted }) => readTokenReference(session, reference, wanted),
};

/** @throws UsageError `setting_missing` if prompting is not possible */
async function askFor(
  session: Session,
  name: string,
  { is }: Parameter,
  option: ParameterOption,
): Promise<string> {
  const isSecret = isSecretClass(is);
  if (option.ask === undefined || !session.mayAsk) {
    const value = isSecret ? 'env:NAME, file:PATH, cmd:COMMAND or -' : readPlaceholder(option);
    throw new UsageError('setting_missing', `the ${name} is missing`, {
      hint: `Give ${readFlag(option)} ${value}.`,
    });
  }
  const prompt = await session.ctx.prompt();
  const answer = await (isSecret ? prompt.secret(`${option.ask}:`) : prompt.text(`${option.ask}:`));
  if (isSecret) session.ctx.redactor.know(answer);
  return answer;
}

function readPlaceholder({ flags }: ParameterOption): string {
  return (/<([^<>]+)>/.exec(flags)?.[1] ?? '').toUpperCase();
}
