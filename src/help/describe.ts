import { type Argument, type Command, Option } from 'commander';
import { findCommandHelp } from '../session/command-help.ts';
import { SettingOption } from '../session/options.ts';
import { findDefinition, HELP_GROUPS, type HelpGroup } from '../settings.ts';

export interface DescribedOption {
  readonly flags: string;
  readonly description: string;
  /** The environment variable of the same setting. */
  readonly env: string | undefined;
}

export interface DescribedGroup {
  readonly group: HelpGroup;
  readonly heading: string;
  readonly options: readonly DescribedOption[];
}

/** The help of a command as data, for the terminal and for documents. */
export interface DescribedCommand {
  /** The names of the program and the command. */
  readonly path: string;
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  /** In the order of HELP_GROUPS; groups without an option are omitted. */
  readonly groups: readonly DescribedGroup[];
  readonly notes: string | undefined;
  readonly examples: readonly string[];
}

/** Describes a command: its arguments, its options in groups including the global ones that apply to it, its examples. */
export function describeCommand(command: Command): DescribedCommand {
  const { examples = [], notes } = findCommandHelp(command) ?? {};
  const options = listShownOptions(command);
  return {
    path: pathTo(command),
    usage: `${pathTo(command)} ${command.usage()}`,
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: describeArgument(argument),
    })),
    commands: command.commands.map((one) => ({ name: one.name(), summary: one.description() })),
    groups: (Object.keys(HELP_GROUPS) as HelpGroup[]).flatMap((group) => {
      const members = options.filter((option) => findGroup(option) === group);
      if (members.length === 0) return [];
      return [{ group, heading: HELP_GROUPS[group], options: members.map(describeOption) }];
    }),
    notes,
    examples,
  };
}

/** Returns the names of a command and of its parent commands. */
export function pathTo(command: Command): string {
  return command.parent === null ? command.name() : `${pathTo(command.parent)} ${command.name()}`;
}

/** The help options, which commander and program.ts handle. */
const HELP_OPTIONS: readonly Option[] = [
  new Option('-h, --help', 'show help'),
  new Option('--help-all', 'show help with every option'),
];

/** Lists the options of a command, and those of its parent commands that apply to it. */
function listShownOptions(command: Command): readonly Option[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  if (command.parent === null) return [...own, ...HELP_OPTIONS];
  // A command with subcommands has no options; those of the subcommands are shown in their help.
  if (command.commands.length > 0 && own.length === 0) return own;
  const { globals } = findCommandHelp(command) ?? {};
  const inherited = listAncestors(command)
    .flatMap(({ options }) => options)
    // Only the program itself has --version.
    .filter(({ long }) => long !== '--version');
  return [
    ...own,
    ...inherited.filter(
      (option) =>
        !own.some(({ long }) => long === option.long) &&
        (globals === undefined || globals.includes(option.attributeName())),
    ),
  ];
}

function listAncestors({ parent }: Command): readonly Command[] {
  return parent === null ? [] : [...listAncestors(parent), parent];
}

function findGroup({ helpGroupHeading }: Option): HelpGroup {
  const found = Object.entries(HELP_GROUPS).find(([, heading]) => heading === helpGroupHeading);
  return (found?.[0] ?? 'own') as HelpGroup;
}

function describeOption(option: Option): DescribedOption {
  const { flags, description, argChoices, defaultValue } = option;
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`];
  return {
    flags,
    description: [description, ...choices, ...describeDefault(description, defaultValue)].join('; '),
    env: option instanceof SettingOption && !option.negate ? findDefinition(option.setting).env : undefined,
  };
}

function describeArgument({ description, argChoices, defaultValue }: Argument): string {
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`];
  return [description, ...choices, ...describeDefault(description, defaultValue)].join('; ');
}

function describeDefault(description: string, value: unknown): string[] {
  const text = [value].flat().join(' ');
  if (typeof value === 'boolean' || text === '' || /\bdefault\b/.test(description)) return [];
  return [`default: ${text}`];
}
