import type { Argument, Command, Option } from 'commander';
import { commands } from '../../src/commands/index.ts';
import { createContext } from '../../src/context.ts';
import { EXIT_CODE_MEANINGS, ExitCode } from '../../src/errors.ts';
import { OTHER_VARIABLES, TOPICS } from '../../src/help/topics.ts';
import { buildProgram } from '../../src/program.ts';
import { findCommandHelp } from '../../src/session/command-help.ts';
import { HELP_GROUPS, SETTINGS } from '../../src/settings.ts';
import { testParts } from '../helpers/parts.ts';

/** A setting as far as the documents show it. */
interface ShownSetting {
  readonly flag: string;
  readonly env: string;
  readonly profile?: string;
  readonly default?: string;
  /** The default in words. */
  readonly defaultText?: string;
  readonly description: string;
}

/** A command with everything that is declared on it. */
export interface DescribedCommand {
  /** Without the name of the program, such as `token code`. */
  readonly path: string;
  readonly command: Command;
}

/** Builds the real tree of commands, with every noun loaded. @returns the program, then each command below it */
export async function describeProgram(): Promise<DescribedCommand[]> {
  const ctx = createContext(await testParts());
  const described: DescribedCommand[] = [];
  for (const [index, { name }] of commands.entries()) {
    const program = await buildProgram([name], ctx);
    if (index === 0) described.push({ path: '', command: program });
    const noun = program.commands.find((command) => command.name() === name);
    if (noun === undefined) throw new Error(`The program has no command ${name}`);
    described.push(...walk(noun, name));
  }
  return described;
}

function walk(command: Command, path: string): DescribedCommand[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  return [{ path, command }, ...children.flatMap((child) => walk(child, `${path} ${child.name()}`))];
}

/** Writes docs/reference.md: each command with its arguments and options, as `--help` shows them. */
export async function renderReference(): Promise<string> {
  const described = await describeProgram();
  const [program, ...others] = described;
  if (program === undefined) throw new Error('There is no program');
  return [
    '# Reference of commands and options',
    '',
    'Every command with its arguments and options, made from the program by `npm run docs:reference`.',
    'What a command is for, and examples, are on the [pages of the commands](README.md).',
    '',
    '## Contents',
    '',
    '- [Options of every command](#options-of-every-command)',
    ...others.map(
      ({ path }) =>
        `${'  '.repeat(path.split(' ').length - 1)}- [${path}](#${`oauthctl ${path}`.replaceAll(' ', '-')})`,
    ),
    '',
    '## Options of every command',
    '',
    ...renderOptions(program.command),
    ...others.flatMap(({ path, command }) => renderCommand(path, command, program.command)),
  ]
    .join('\n')
    .replace(/\n*$/, '\n');
}

function renderCommand(path: string, command: Command, program: Command): string[] {
  const heading = path.includes(' ') ? '###' : '##';
  const inherited = new Set(program.options.map(({ long }) => long));
  return [
    `${heading} oauthctl ${path}`,
    '',
    escapeText(command.description().replace(/^./, (first) => first.toUpperCase())),
    '',
    '```text',
    `oauthctl ${path} ${command.usage()}`,
    '```',
    '',
    ...renderArguments(command.registeredArguments),
    ...renderOptions(command, inherited),
    ...renderHelp(command),
  ];
}

/** The notes and examples of a command's help. */
function renderHelp(command: Command): string[] {
  const { notes, examples = [] } = findCommandHelp(command) ?? {};
  return [
    ...(notes === undefined ? [] : [escapeText(notes), '']),
    ...(examples.length === 0 ? [] : ['Examples:', '', '```text', ...examples, '```', '']),
  ];
}

function renderArguments(args: readonly Argument[]): string[] {
  const described = args.filter(({ description }) => description !== '');
  if (described.length === 0) return [];
  return [
    '| argument | |',
    '| --- | --- |',
    ...described.map((argument) => {
      const { defaultValue } = argument;
      const value = typeof defaultValue === 'string' ? ` (default: \`${defaultValue}\`)` : '';
      return `| \`${argument.name()}\` | ${escapeText(argument.description)}${value} |`;
    }),
    '',
  ];
}

/** The options of a command in their groups, its own group first; those of the program are left out. */
function renderOptions(command: Command, inherited: ReadonlySet<string | undefined> = new Set()): string[] {
  const groups = new Map<string, Option[]>(Object.values(HELP_GROUPS).map((heading) => [heading, []]));
  for (const option of command.options) {
    if (option.hidden || (inherited.has(option.long) && isInherited(option, command))) continue;
    const heading = (option.helpGroupHeading ?? 'Options:').replace(/:$/, '');
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return [...groups].flatMap(([heading, options]) => {
    if (options.length === 0) return [];
    const rows = options.map((option) => {
      const variable = findVariable(option);
      const cells = [`\`${escapeCode(option.flags)}\``, describeOption(option)];
      return { cells, variable: variable === undefined ? '' : `\`${variable}\`` };
    });
    const hasVariables = rows.some(({ variable }) => variable !== '');
    return [
      `| ${escapeText(heading)} | ${hasVariables ? '| environment ' : ''}|`,
      `| --- | --- |${hasVariables ? ' --- |' : ''}`,
      ...rows.map(
        ({ cells, variable }) => `| ${[...cells, ...(hasVariables ? [variable] : [])].join(' | ')} |`,
      ),
      '',
    ];
  });
}

/** Finds the environment variable of an option that is a setting. */
function findVariable(option: Option): string | undefined {
  const name = 'setting' in option ? String(option.setting) : '';
  return (SETTINGS as Record<string, ShownSetting>)[name]?.env;
}

/** Says whether an option of a command is the program's own, offered there once more. */
function isInherited(option: Option, command: Command): boolean {
  let top = command;
  while (top.parent !== null) top = top.parent;
  return top.options.some(
    ({ long, description }) => long === option.long && description === option.description,
  );
}

function describeOption({ description, argChoices, defaultValue }: Option): string {
  const parts = [escapeText(description)];
  if (argChoices !== undefined) parts.push(`one of ${argChoices.map((value) => `\`${value}\``).join(', ')}`);
  const told = /\bdefault\b/.test(description);
  const shown = Array.isArray(defaultValue) ? defaultValue.join(' ') : defaultValue;
  if (!told && (typeof shown === 'string' || typeof shown === 'number') && shown !== '')
    parts.push(`default: \`${shown}\``);
  return parts.filter(Boolean).join('; ');
}

/** Writes the table of docs/exit-codes.md. */
export function renderExitCodes(): string {
  const rows = Object.entries(ExitCode).map(([name, code]) => {
    const meaning = EXIT_CODE_MEANINGS[name as keyof typeof ExitCode];
    return `| ${code} | \`${name}\` | ${escapeText(meaning)} |`;
  });
  return ['| code | name | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Writes the table of the environment variables that are no settings. */
export function renderVariables(): string {
  const rows = OTHER_VARIABLES.map(([names, meaning]) => {
    const variables = names.split(', ').map((name) => `\`${name}\``);
    return `| ${variables.join(', ')} | ${escapeText(meaning)} |`;
  });
  return ['| variable | what it is |', '| --- | --- |', ...rows].join('\n');
}

/** The topics of `oauthctl help`. */
export const TOPIC_NAMES = TOPICS.map(({ name }) => name);

/** Writes the table of settings for docs/settings.md. */
export function renderSettings(): string {
  const rows = Object.values(SETTINGS as Record<string, ShownSetting>).map((setting) => [
    `\`${setting.flag}\``,
    `\`${setting.env}\``,
    setting.profile === undefined ? '' : `\`${setting.profile}\``,
    escapeText(setting.description),
    setting.defaultText ?? (setting.default === undefined ? '' : `\`${setting.default}\``),
  ]);
  return [
    '| option | environment | profile | what it is | default |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}

/** Keeps Markdown and HTML out of a text that is shown as it is. */
function escapeText(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('*', '\\*')
    .replaceAll('_', '\\_')
    .replaceAll('[', '\\[');
}

function escapeCode(text: string): string {
  return text.replaceAll('|', '\\|');
}
