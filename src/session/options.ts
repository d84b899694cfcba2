import { Argument, Option } from 'commander';
import { findDefinition, HELP_GROUPS, type SettingName } from '../settings.ts';

/** Help texts of one command that differ from the table of settings. */
export interface SettingWording {
  readonly flag?: string | undefined;
  readonly description?: string;
  /** Null if the help names no default. */
  readonly defaultText?: string | null;
}

/** The option of a setting. */
export class SettingOption extends Option {
  readonly setting: SettingName;

  constructor(setting: SettingName, flags: string, description: string) {
    super(flags, description);
    this.setting = setting;
    this.helpGroup(HELP_GROUPS[findDefinition(setting).group]);
  }
}

/** Creates the options of a setting: two for a switch that can be turned off. */
export function createSettingOptions(
  name: SettingName,
  wording: SettingWording = {},
): readonly SettingOption[] {
  const definition = findDefinition(name);
  const { short, placeholder, negation } = definition;
  const { flag = definition.flag, description = definition.description } = wording;
  const { defaultText = definition.defaultText ?? definition.default ?? null } = wording;
  const flags = [short, flag].filter((one) => one !== undefined).join(', ');
  const option = new SettingOption(
    name,
    placeholder === undefined ? flags : `${flags} ${placeholder}`,
    defaultText === null ? description : `${description} (default: ${defaultText})`,
  );
  if (negation === undefined) return [option];
  return [option, new SettingOption(name, flag.replace(/^--/, '--no-'), negation)];
}

/** Creates an option that can be repeated; its value is a list. */
export function createRepeatableOption(flags: string, description: string): Option {
  return new Option(flags, `${description}; repeatable`).argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}

/** Creates an argument that takes a reference: `-` means standard input. */
export function createReferenceArgument(name: string, description: string, defaultValue?: string): Argument {
  const argument = new Argument(name, description);
  if (defaultValue !== undefined) argument.default(defaultValue);
  return markStdinReader(argument);
}

const readers = new WeakSet<Option | Argument>();

/** Marks an option or argument for which `-` means standard input. An option whose placeholder is `ref` needs no mark. */
export function markStdinReader<Reader extends Option | Argument>(reader: Reader): Reader {
  readers.add(reader);
  return reader;
}

/** Returns whether `-` means standard input for an option or argument. */
export function isStdinReader(reader: Option | Argument): boolean {
  return readers.has(reader) || (reader instanceof Option && /[<[]ref[>\]]/.test(reader.flags));
}
