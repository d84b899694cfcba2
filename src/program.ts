import { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { commands } from './commands/index.ts';
import type { Context } from './context.ts';
import { UsageError } from './errors.ts';
import { documentCommand } from './session/command-help.ts';
import { createRepeatableOption, createSettingOptions } from './session/options.ts';
import { HELP_GROUPS } from './settings.ts';

/**
 * Runs the command of the arguments, or shows help.
 * @param argv the arguments after the program's name
 * @throws what the command throws; CommanderError and UsageError for invalid arguments
 */
export async function runProgram(argv: readonly string[], ctx: Context): Promise<void> {
  const separator = argv.indexOf('--');
  const options = separator < 0 ? argv : argv.slice(0, separator);
  const showsAll = options.includes('--help-all');
  const args = showsAll
    ? argv.map((arg, index) => (index < options.length && arg === '--help-all' ? '--help' : arg))
    : argv;
  let helped: Command | undefined;
  const program = await buildProgram(args, ctx, (command) => {
    helped = command;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof UnknownCommand) throw await explainUnknownCommand(error.words, ctx);
    if (helped === undefined || !isHelpWanted(error)) throw error;
    await printHelp(helped, ctx, showsAll);
  }
}

/** Whether commander ended because it has shown help, and not because a subcommand is missing. */
function isHelpWanted(error: unknown): boolean {
  const { code, exitCode } = error as { readonly code?: unknown; readonly exitCode?: unknown };
  return exitCode === 0 && (code === 'commander.helpDisplayed' || code === 'commander.help');
}

/** Builds the tree of all commands, for documents and suggestions. */
export async function buildWholeProgram(ctx: Context): Promise<Command> {
  return buildProgram(
    commands.map(({ name }) => name),
    ctx,
  );
}

/** Thrown for a word in the place of a command that is not a command. */
class UnknownCommand extends Error {
  readonly words: readonly string[];

  constructor(words: readonly string[]) {
    super('unknown command');
    this.words = words;
  }
}

/**
 * Builds the tree of commands for one run: every command by name and summary, the chosen one complete.
 * @param argv the arguments after the program's name
 * @param onHelp is called with the command whose help is requested; the help is loaded only then
 */
export async function buildProgram(
  argv: readonly string[],
  ctx: Context,
  onHelp: (command: Command) => void = () => {},
): Promise<Command> {
  const program = createProgram(ctx, onHelp);
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary);
    // A command name as the value of an option loads that command needlessly, which is harmless.
    if (!argv.includes(entry.name)) continue;
    command.helpCommand('help [command]');
    (await entry.load())(command, ctx);
  }
  const help = program.command('help').description('show help for a command, or a topic');
  help
    .argument('[words...]', 'a command or a topic')
    .option('--all', 'show every option of the command')
    .action((words: readonly string[]) => showHelp(program, ctx, words, help.opts<{ all?: true }>().all));
  documentCommand(help, { examples: HELP_EXAMPLES, globals: [] });
  program.on('command:*', (words: readonly string[]) => {
    throw new UnknownCommand(words.slice(0, 1));
  });
  if (argv.length === 0) program.action(() => program.help());
  return program;
}

const HELP_EXAMPLES = ['oauthctl help ciba start', 'oauthctl help exit-codes'];

function createProgram(ctx: Context, onHelp: (command: Command) => void): Command {
  const program = new Command('oauthctl')
    .description(
      'Exercises OAuth 2.0, OpenID Connect and CIBA step by step against a real authorization server.',
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => ctx.io.out(text), writeErr: () => {} })
    .configureHelp({
      formatHelp(command) {
        onHelp(command);
        return '';
      },
    })
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .version(packageJson.version, '-V, --version', 'show the version');
  for (const option of createGlobalOptions()) program.addOption(option);
  documentCommand(program, {
    examples: [
      'oauthctl ciba start',
      'oauthctl profile add --url http://127.0.0.1:8080 --realm SampleRealm',
      'oauthctl token client-credentials --json',
    ],
    notes: '"oauthctl COMMAND --help" shows the options of a command.',
  });
  return program;
}

/** `oauthctl help [WORDS…]` @throws UsageError `usage` if there is no such command or topic */
async function showHelp(
  program: Command,
  ctx: Context,
  words: readonly string[],
  showsAll = false,
): Promise<void> {
  const { findTopic, chooseWidth, suggestTopics } = await import('./help/index.ts');
  const topic = words.length === 1 ? findTopic(words[0]) : undefined;
  if (topic !== undefined) return ctx.io.out(topic.render(chooseWidth(ctx.io.stdoutColumns)));
  let command: Command | undefined = program;
  for (const word of words) command = command?.commands.find((one) => one.name() === word);
  if (command !== undefined) return printHelp(command, ctx, showsAll);
  const suggested = suggestTopics(await buildWholeProgram(ctx), words);
  throw buildUnknown(`there is no command and no help topic "${words.join(' ')}"`, suggested);
}

async function printHelp(command: Command, ctx: Context, all: boolean): Promise<void> {
  const { renderHelp, chooseWidth } = await import('./help/index.ts');
  ctx.io.out(renderHelp(command, { width: chooseWidth(ctx.io.stdoutColumns), all }));
}

async function explainUnknownCommand(words: readonly string[], ctx: Context): Promise<UsageError> {
  const { suggestCommands } = await import('./help/index.ts');
  const suggested = suggestCommands(await buildWholeProgram(ctx), words);
  return buildUnknown(`unknown command '${words.join(' ')}'`, suggested);
}

function buildUnknown(message: string, suggested: readonly string[]): UsageError {
  const shown = suggested.slice(0, 3).join(', ');
  const question = suggested.length > 1 ? `Did you mean one of ${shown}?` : `Did you mean ${shown}?`;
  return new UsageError('usage', suggested.length === 0 ? message : `${message} (${question})`, {
    hint: 'See "oauthctl --help".',
  });
}

/** The options of every command. */
function createGlobalOptions(): readonly Option[] {
  const { output, network, provoke } = HELP_GROUPS;
  const option = (group: string, flags: string, description: string) =>
    new Option(flags, description).helpGroup(group);
  return [
    ...createSettingOptions('profile'),
    option(output, '--json', 'print the result as JSON, and a failure as one line of JSON on stderr'),
    option(output, '--field <path>', 'print one value of the JSON result, such as access_token'),
    option(output, '-v, --verbose', 'show every exchange and where settings came from on stderr, redacted'),
    option(output, '-q, --quiet', 'print no steps and notes, only warnings and errors'),
    option(output, '--show-secrets', 'mask nothing'),
    option(output, '--trace <file>', 'record every exchange in a file, redacted, as lines of JSON'),
    option(output, '--curl', 'print the request as a curl command instead of sending it'),
    option(output, '--no-input', 'never ask anything'),
    ...createSettingOptions('timeout'),
    ...createSettingOptions('caCert'),
    option(network, '--insecure', 'accept any server certificate'),
    ...createSettingOptions('cert'),
    ...createSettingOptions('key'),
    ...createSettingOptions('proxy'),
    createRepeatableOption('--param <name=value>', 'add or replace a parameter of the request').helpGroup(
      provoke,
    ),
    createRepeatableOption('--omit <name>', 'leave out a parameter of the request').helpGroup(provoke),
  ];
}
