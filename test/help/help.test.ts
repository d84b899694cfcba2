import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT_CODE_MEANINGS, ExitCode } from '../../src/errors.ts';
import { describeCommand, pathTo } from '../../src/help/describe.ts';
import { renderHelp } from '../../src/help/render.ts';
import { OTHER_VARIABLES, SECRET_REFERENCES, TOPICS } from '../../src/help/topics.ts';
import { buildWholeProgram } from '../../src/program.ts';
import { SettingOption } from '../../src/session/options.ts';
import { findDefinition, HELP_GROUPS, SETTING_NAMES } from '../../src/settings.ts';
import { parseSecretReference } from '../../src/store/secret-reference.ts';
import { machine, readFailure, run } from '../helpers/run.ts';

const program = await buildProgramOfTest();

async function buildProgramOfTest(): Promise<Command> {
  const unused = () => {
    throw new Error('the tree of commands is built without the world');
  };
  return buildWholeProgram(new Proxy({} as never, { get: unused }));
}

function listCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(listCommands)];
}

const commands = listCommands(program).map((command) => ({ path: pathTo(command), command }));
const WIDTHS = [60, 80, 120];
const findCommand = (path: string) => {
  const found = commands.find((one) => one.path === path)?.command;
  if (found === undefined) throw new Error(`there is no command ${path}`);
  return found;
};

/** The words of a shell's command line. */
function splitWords(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replace(/['"]/g, ''));
}

/** Parses a command line with the definitions of the program, and runs nothing. */
async function parseOnly(argv: readonly string[]): Promise<string> {
  const fresh = await buildProgramOfTest();
  let ran = '';
  for (const command of listCommands(fresh)) {
    if (command.commands.length === 0 || command.name() === 'serve')
      command.action(() => {
        ran = pathTo(command);
      });
  }
  await fresh.parseAsync(argv, { from: 'user' });
  return ran;
}

describe('the help', () => {
  it('of every command is tested', () => {
    expect(commands.length).toBeGreaterThan(45);
  });

  describe.each(commands)('of $path', ({ command, path }) => {
    it.each(WIDTHS)('has no line wider than %d columns, and cuts no word', (width) => {
      for (const all of [false, true]) {
        const text = renderHelp(command, { width, all });
        for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width);
        const words = (page: string) => page.replace(/ \\$/gm, '').split(/\s+/);
        expect(words(text)).toEqual(words(renderHelp(command, { width: 1_000, all })));
      }
    });

    it('has one to three examples, which its options take', async () => {
      const { examples } = describeCommand(command);
      expect(examples.length).toBeGreaterThanOrEqual(1);
      expect(examples.length).toBeLessThanOrEqual(3);
      for (const example of examples) {
        const [name, ...argv] = splitWords(example);
        expect(name).toBe('oauthctl');
        expect(await parseOnly(argv), example).toMatch(new RegExp(`^${path}( |$)`));
      }
    });

    it('names the environment variable of every setting that it takes', () => {
      const text = renderHelp(command, { width: 120, all: true });
      const offered = command.options.filter(
        (option): option is SettingOption => option instanceof SettingOption && !option.hidden,
      );
      const names = offered.map(({ setting }) => findDefinition(setting).env);
      expect(names.filter((name) => !text.includes(`[${name}]`))).toEqual([]);
    });

    it('has the groups in their order, its own options first', () => {
      const order = Object.keys(HELP_GROUPS);
      const places = describeCommand(command).groups.map(({ group }) => order.indexOf(group));
      expect(places).toEqual([...places].sort((one, other) => one - other));
    });
  });

  it('of ciba start fits in 45 lines at 80 columns, and names the groups that --help-all shows', () => {
    const command = findCommand('oauthctl ciba start');
    const text = renderHelp(command, { width: 80 });
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(45);
    expect(text).toContain('--help-all');
    for (const heading of ['client authentication', 'output', 'network', 'to provoke refusals'])
      expect(text.replace(/\s+/g, ' ')).toContain(heading);
    expect(text).not.toContain('--client-secret');
    const all = renderHelp(command, { width: 80, all: true });
    for (const option of [...command.options, ...program.options]) {
      if (option.long !== '--version') expect(all).toContain(option.long);
    }
  });

  it.each([
    ['oauthctl jwt decode', ['--timeout', '--proxy', '--client-secret', '--param', '--trace']],
    ['oauthctl key generate', ['--profile', '--timeout', '--proxy', '--param', '--curl']],
    ['oauthctl profile list', ['--timeout', '--proxy', '--param', '--curl']],
    ['oauthctl ciba callback', ['--client-secret', '--dpop', '--param']],
    ['oauthctl call', ['--param', '--omit']],
  ])('of %s offers no option that means nothing to it', (path, options) => {
    const text = renderHelp(findCommand(path), { width: 80, all: true });
    for (const option of options) expect(text).not.toContain(`${option} `);
    expect(text).toContain('--json');
  });

  it('is as wide as the terminal, and 80 columns in a pipe', async () => {
    const { runWith } = await machine();
    const widest = async (columns?: number) => {
      const options = columns === undefined ? {} : { stdoutColumns: columns };
      const { stdout } = await runWith(options, 'token', 'code', '--help-all');
      return Math.max(...stdout.split('\n').map((line) => line.length));
    };
    for (const columns of [60, 80, 120]) {
      const width = await widest(columns);
      expect(width).toBeLessThanOrEqual(columns);
      expect(width).toBeGreaterThan(columns - 12);
    }
    expect(await widest()).toBe(await widest(80));
  });

  it.each([
    [
      ['help', 'ciba', 'start'],
      ['ciba', 'start', '--help'],
    ],
    [
      ['help', 'token'],
      ['token', '--help'],
    ],
    [
      ['token', 'help', 'code'],
      ['token', 'code', '-h'],
    ],
    [
      ['help', 'ciba', 'start', '--all'],
      ['ciba', 'start', '--help-all'],
    ],
    [['help'], ['--help']],
  ])('is the same by %j and %j', async (one, other) => {
    const results = [await run(...one), await run(...other)];
    expect(results[0]).toEqual(results[1]);
    expect(results[0]).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: oauthctl /),
    });
  });

  it('takes --help-all after -- for an argument', async () => {
    const { code, stdout } = await run('--json', 'jwt', 'decode', '--', '--help-all');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});

describe('the help topics', () => {
  it('are listed by the help of the program', async () => {
    const { stdout } = await run('help');
    for (const { name } of TOPICS) expect(stdout).toMatch(new RegExp(`^ {2}help ${name} `, 'm'));
  });

  it.each(TOPICS.map(({ name }) => name))('%s has no line that is too wide', async (name) => {
    const { runWith } = await machine();
    for (const columns of WIDTHS) {
      const { code, stdout } = await runWith({ stdoutColumns: columns }, 'help', name);
      expect(code).toBe(0);
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });

  it('exit-codes explains every exit code', async () => {
    const { stdout } = await run('help', 'exit-codes');
    for (const [name, code] of Object.entries(ExitCode)) {
      const [word = ''] = EXIT_CODE_MEANINGS[name as keyof typeof ExitCode].split(' ');
      expect(stdout).toMatch(new RegExp(`^ {2}${code} +${word}`, 'm'));
    }
  });

  it('environment lists every variable that is a setting, and the others', async () => {
    const { stdout } = await run('help', 'environment');
    for (const name of SETTING_NAMES)
      expect(stdout).toMatch(new RegExp(`^  ${findDefinition(name).env}\\s`, 'm'));
    for (const [name] of OTHER_VARIABLES) expect(stdout).toContain(name);
  });

  it('references lists every form of a secret and of a token', async () => {
    const { stdout } = await run('help', 'references');
    for (const text of [
      'env:NAME',
      'file:PATH',
      'cmd:COMMAND',
      '@FILE',
      '@last.access_token',
      '@last.id_token',
    ])
      expect(stdout).toContain(`  ${text} `);
    const kinds = SECRET_REFERENCES.map(([form]) => parseSecretReference(form).kind);
    expect(kinds).toEqual(['env', 'file', 'cmd', 'stdin', 'literal']);
  });
});

describe('what is meant by a word that is no command', () => {
  it.each([
    [['decode'], 'jwt decode'],
    [['tokn'], 'token'],
    [['ciba', 'strat'], 'start'],
    [['serve', 'tenants', 'lst'], 'list'],
    [['help', 'exit-code'], 'exit-codes'],
    [['help', 'ciba', 'strat'], 'ciba start'],
    [['ciba', 'start', '--clientid', 'a'], '--client-id'],
    [['list'], 'one of token list, profile list, serve tenants list'],
  ])('%j is told on exit 2: %s', async (argv, meant) => {
    const result = await run('--json', ...argv);
    expect(readFailure(result)).toMatchObject({
      code: 'usage',
      exit_code: 2,
      message: expect.stringContaining(`(Did you mean ${meant}?)`),
    });
  });

  it('is not guessed where nothing is similar', async () => {
    expect(readFailure(await run('--json', 'frobnicate')).message).toBe("unknown command 'frobnicate'");
  });
});
