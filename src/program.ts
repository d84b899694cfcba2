import { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { commands } from './commands/index.ts';
import type { Context } from './context.ts';
import { createRepeatableOption, createSettingOptions } from './session/options.ts';
import { HELP_GROUPS } from './settings.ts';

/**
 * Builds the tree of commands for one run: every command by name and summary, the one that is meant in full.
 * @param argv the arguments after the program's name
 */
export async function buildProgram(argv: readonly string[], ctx: Context): Promise<Command> {
  const program = bareProgram(ctx);
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary);
    // One that is named as an option's value is loaded for nothing, which does no harm.
    if (argv.includes(entry.name)) (await entry.load())(command, ctx);
  }
  if (argv.length === 0) program.action(() => program.outputHelp());
  return program;
}

function bareProgram(ctx: Context): Command {
  const program = new Command('oauthctl')
    .description(
      'Exercises OAuth 2.0, OpenID Connect and CIBA step by step against a real authorization server.',
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => ctx.io.out(text), writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .version(packageJson.version, '-V, --version', 'show the version');
  for (const option of createGlobalOptions()) program.addOption(option);
  return program;
}

/** The options that every command takes. */
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
