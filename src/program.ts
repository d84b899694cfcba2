import { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { commands } from './commands/index.ts';
import type { Context } from './context.ts';

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
  return new Command('oauthctl')
    .description(
      'Exercises OAuth 2.0, OpenID Connect and CIBA step by step against a real authorization server.',
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => ctx.io.out(text), writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .version(packageJson.version, '-V, --version', 'show the version')
    .addOption(new Option('-p, --profile <name>', 'use this profile instead of the current one'))
    .addOption(new Option('--json', 'print the result as JSON, and a failure as one line of JSON on stderr'))
    .addOption(new Option('--field <path>', 'print one raw value of the JSON result, e.g. access_token'))
    .addOption(
      new Option('-v, --verbose', 'show every exchange on stderr, redacted, and where settings came from'),
    )
    .addOption(new Option('-q, --quiet', 'no steps and notes on stderr; warnings and errors only'))
    .addOption(new Option('--show-secrets', 'mask nothing'))
    .addOption(new Option('--trace <file>', 'record every exchange in a file, redacted, one JSON line each'))
    .addOption(
      new Option('--timeout <seconds>', 'for one exchange, from name look-up to the last byte (default 30)'),
    )
    .addOption(new Option('--no-input', 'never ask anything'))
    .addOption(new Option('--ca-cert <file>', 'trust the authorities in this PEM file as well'))
    .addOption(new Option('--insecure', 'accept any server certificate'))
    .addOption(new Option('--cert <file>', 'client certificate, PEM'))
    .addOption(new Option('--key <file>', 'private key of the client certificate, PEM'))
    .addOption(new Option('--proxy <url>', 'send everything through this proxy'))
    .addOption(
      new Option('--param <name=value>', 'add or replace a parameter of the request; repeatable').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--omit <name>', 'leave a parameter of the request out; repeatable').argParser(collect),
    )
    .addOption(
      new Option('--curl', 'print the request as a curl command, secrets by reference, and do not send it'),
    );
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
