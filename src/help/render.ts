import type { Command } from 'commander';
import type { HelpGroup } from '../settings.ts';
import { type DescribedCommand, type DescribedGroup, describeCommand } from './describe.ts';
import { TOPICS } from './topics.ts';
import { renderRows, wrapCommandLine, wrapHelpText } from './wrap.ts';

/** Lines; longer help shows only the names of the rarer groups. */
const LONGEST_HELP = 45;
/** Whether help is too long is decided at this width, so that the same options are shown on every terminal. */
const USUAL_WIDTH = 80;
const RARER: readonly HelpGroup[] = ['endpoints', 'client', 'output', 'network', 'provoke'];

export interface HelpOptions {
  /** The longest line. */
  readonly width: number;
  /** Whether every option is shown, also if the help gets long. */
  readonly all?: boolean;
}

/** Renders the help of a command. */
export function renderHelp(command: Command, { width, all = false }: HelpOptions): string {
  const described = describeCommand(command);
  const isProgram = command.parent === null;
  const groups = all || isProgram ? described.groups : chooseGroups(described);
  return `${renderSections(described, groups, width, isProgram).join('\n')}\n`;
}

/** Chooses the groups whose options are shown. */
function chooseGroups(described: DescribedCommand): readonly DescribedGroup[] {
  const { groups } = described;
  const isShort = renderSections(described, groups, USUAL_WIDTH, false).length <= LONGEST_HELP;
  return isShort ? groups : groups.filter(({ group }) => !RARER.includes(group));
}

function renderSections(
  described: DescribedCommand,
  shown: readonly DescribedGroup[],
  width: number,
  isProgram: boolean,
): readonly string[] {
  const widest = Math.min(32, Math.floor(width * 0.38));
  const section = (heading: string, rows: readonly (readonly [string, string])[]) =>
    rows.length === 0 ? [] : ['', `${heading}:`, ...renderRows(rows, width, widest)];
  return [
    ...wrapHelpText(`Usage: ${described.usage}`, width, 2),
    '',
    ...wrapHelpText(capitalize(described.description), width),
    ...section(
      'Arguments',
      described.arguments.map(({ name, description }) => [name, description]),
    ),
    ...section(
      'Commands',
      described.commands.map(({ name, summary }) => [name, summary]),
    ),
    ...shown.flatMap(({ heading, options }) =>
      section(
        heading,
        options.map(({ flags, description, env }) => [
          flags,
          env === undefined ? description : `${description} [${env}]`,
        ]),
      ),
    ),
    ...section('Help topics', isProgram ? TOPICS.map(({ name, summary }) => [`help ${name}`, summary]) : []),
    ...renderNotes(described, shown, width),
    ...renderExamples(described.examples, width),
  ];
}

function renderNotes(
  { notes, groups, commands, path }: DescribedCommand,
  shown: readonly DescribedGroup[],
  width: number,
): readonly string[] {
  const hidden = groups.filter((group) => !shown.includes(group));
  const names = hidden.map(({ heading }) => heading.toLowerCase());
  const isNoun = commands.length > 0 && path.includes(' ') && groups.length === 0;
  const takesReference = shown.some(({ options }) => options.some(({ flags }) => /[<[]ref[>\]]/.test(flags)));
  const texts = [
    ...(hidden.length > 0 ? [`More options: ${names.join(', ')}; --help-all shows them.`] : []),
    ...(takesReference ? ['<ref> is a secret or token by reference: see "oauthctl help references".'] : []),
    ...(notes === undefined ? [] : [notes]),
    ...(isNoun ? [`"${path} COMMAND --help" shows the options of a command.`] : []),
  ];
  return texts.length === 0 ? [] : ['', ...texts.flatMap((text) => wrapHelpText(text, width))];
}

function renderExamples(examples: readonly string[], width: number): readonly string[] {
  if (examples.length === 0) return [];
  const lines = examples.flatMap((example) => wrapCommandLine(example, width - 2, 4));
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)];
}

function capitalize(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
