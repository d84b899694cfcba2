import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../src/errors.ts';
import { main } from '../src/main.ts';
import { testParts } from './helpers/parts.ts';
import { machine, readFailure, run } from './helpers/run.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('help', () => {
  it.each([[], ['--help'], ['-h'], ['help']])(
    'of the program is the result, and lists the commands: %j',
    async (...argv) => {
      const { code, stdout, stderr } = await run(...argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: oauthctl /);
      for (const name of ['ciba', 'profile', 'discover', 'sandbox'])
        expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    },
  );

  it.each([
    [['discover', '--help'], 'Usage: oauthctl discover '],
    [['help', 'discover'], 'Usage: oauthctl discover '],
    [['profile', '--help'], 'Usage: oauthctl profile '],
    [['profile', 'add', '--help'], 'Usage: oauthctl profile add '],
    [['--json', 'ciba', 'start', '-h'], 'Usage: oauthctl ciba start '],
  ])('of a command is the result: %j', async (argv, usage) => {
    const { code, stdout, stderr } = await run(...argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(usage)).toBe(true);
    expect(stdout).toContain('\nExamples:\n  oauthctl ');
  });
});

describe('a mistake in the arguments', () => {
  it.each([
    [['discovr'], /unknown command 'discovr'.*Did you mean discover/],
    [['profile', 'lst'], /unknown command 'lst'.*Did you mean list/],
    [['ciba', 'frobnicate'], /unknown command 'frobnicate'/],
    [['discover', '--jsn'], /unknown option '--jsn'.*Did you mean --json/],
    [['ciba', 'callback'], /missing required argument 'result'/],
    [['profile', 'list', 'extra'], /too many arguments/],
    [['discover', '--issuer'], /option '--issuer <url>' argument missing/],
    [['discover', '--auth-method', 'magic', 'https://as.example'], /'magic' is invalid.*client_secret_basic/],
    [['ciba'], /a subcommand is missing/],
    [['profile'], /a subcommand is missing/],
  ])('exits with 2, says what is wrong and how to find help: %j', async (argv, message) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    const [first = '', second] = stderr.split('\n');
    expect(first).toMatch(/^error: [^\n]+$/);
    expect(first).not.toMatch(/error: error/);
    expect(first).toMatch(message);
    expect(second).toMatch(/^ {2}remedy {2}.*--help/);
  });

  it('does not repeat a token that begins with a hyphen', async () => {
    const token = '-kAN3J3ok3OFB_obG3PCEXaJ9L_2LW5y9Ha-ItvEvSH';
    const { code, stdout, stderr } = await run('introspect', token);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain(token.slice(1, 20));
    expect(stderr).toContain("unknown option '(masked)'");
  });

  it.each([[['discovr']], [['profile', 'remove']], [['discover', '--jsn', 'x']], [['ciba']]])(
    'is one line of JSON under --json: %j',
    async (argv) => {
      const result = await run('--json', ...argv);
      expect(result.code).toBe(2);
      expect(result.stderr.match(/\n/g)).toHaveLength(1);
      expect(readFailure(result)).toEqual({
        code: 'usage',
        message: expect.stringMatching(/\w/),
        hint: expect.stringContaining('--help'),
        exit_code: 2,
      });
    },
  );
});

describe('a failure', () => {
  it('of the network is one line of JSON under --json', async () => {
    const result = await run('--json', 'discover', '--issuer', 'http://127.0.0.1:1/realms/R');
    expect(result.code).toBe(5);
    expect(readFailure(result)).toEqual({
      code: 'connection_refused',
      message: '127.0.0.1:1 refused the connection',
      hint: expect.any(String),
      exit_code: 5,
    });
  });

  it('comes after warnings and exchanges on stderr, and is still the last line', async () => {
    const result = await run('-v', '--json', 'discover', 'http://127.0.0.1:1/');
    expect(result.stderr.split('\n').length).toBeGreaterThan(3);
    expect(result.stderr).toContain('> GET http://127.0.0.1:1/.well-known/openid-configuration');
    expect(readFailure(result)).toMatchObject({ code: 'connection_refused' });
  });

  it('for people has a cause or a remedy below it', async () => {
    const { code, stdout, stderr } = await run('discover', 'http://127.0.0.1:1/');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^error: 127\.0\.0\.1:1 refused the connection\n {2}remedy {2}.*\n$/);
  });

  it('is told to people who want quiet', async () => {
    const { stderr } = await run('-q', 'discover', 'http://127.0.0.1:1/');
    expect(stderr).toMatch(/^error: /);
  });

  describe('that is a defect of ours', () => {
    const runBroken = async (...argv: string[]) => {
      const parts = await testParts();
      const out = () => {
        throw new TypeError('a bug');
      };
      const code = await main(argv, { ...parts, io: Object.assign(Object.create(parts.io), { out }) });
      return { code, stdout: parts.stdout(), stderr: parts.stderr() };
    };

    it('exits with 1, says so, and shows where', async () => {
      const { code, stderr } = await runBroken('profile', 'list');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: a defect of oauthctl: a bug\n {2}remedy {2}Please report it.*\nTypeError: a bug\n {4}at /,
      );
    });

    it('is one line of JSON under --json', async () => {
      const result = await runBroken('--json', 'profile', 'list');
      expect(result.code).toBe(1);
      expect(readFailure(result)).toMatchObject({ code: 'defect', exit_code: 1 });
    });
  });

  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
  ] as const)('by %s exits with %d', async (signal, exitCode, code) => {
    const parts = await testParts();
    parts.abort(new InterruptedError(signal));
    expect(await main(['--json', 'discover', 'http://127.0.0.1:1/'], parts)).toBe(exitCode);
    expect(readFailure({ code: exitCode, stdout: '', stderr: parts.stderr() })).toMatchObject({
      code,
      exit_code: exitCode,
    });
  });
});

describe('without a profile', () => {
  it.each([
    [['discover'], /authorization server/, /--issuer.*OAUTHCTL_ISSUER.*profile add/],
    [
      ['ciba', 'request', '--login-hint', 'a'],
      /authorization server/,
      /--issuer.*OAUTHCTL_ISSUER.*profile add/,
    ],
    [['ciba', 'poll'], /authorization server/, /--issuer.*OAUTHCTL_ISSUER.*profile add/],
    [
      ['ciba', 'device', '--approve'],
      /issuer of the delegations is missing/,
      /--issuer.*OAUTHCTL_ISSUER.*profile add/,
    ],
    [
      ['ciba', 'start', '--issuer', 'https://as.example', '--login-hint', 'a'],
      /the client/,
      /--client-id.*OAUTHCTL_CLIENT_ID/,
    ],
    [['ciba', 'callback', 'succeed'], /no delegation is held/, /ciba device --hold/],
    [['profile', 'show'], /no profile is in use/, /profile add/],
  ])('%j says what is missing and exits with 2', async (argv, message, hint) => {
    const result = await run('--json', ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
      exit_code: 2,
    });
  });
});

describe('an unknown profile', () => {
  it.each([
    ['by -p', ['-p', 'other', 'discover'], {}],
    ['by OAUTHCTL_PROFILE', ['discover'], { OAUTHCTL_PROFILE: 'other' }],
    [
      'by -p, which goes before OAUTHCTL_PROFILE',
      ['discover', '--profile', 'other'],
      { OAUTHCTL_PROFILE: 'mine' },
    ],
  ])('%s is named, with those that there are', async (_how, argv, env) => {
    const { run: runHere, runWith } = await machine();
    await runHere('profile', 'add', 'mine', '--issuer', 'https://as.example');
    const result = await runWith({ env }, '--json', ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      code: 'profile_unknown',
      message: 'there is no profile "other"',
      hint: 'There are: mine.',
    });
  });
});

describe('global options', () => {
  it.each([['0'], ['-1'], ['soon']])('--timeout %s is refused', async (value) => {
    const result = await run('--json', `--timeout=${value}`, 'discover', 'https://as.example');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      code: 'seconds_invalid',
      message: expect.stringContaining('--timeout'),
    });
  });

  it.each(['--ca-cert', '--cert', '--key'])('%s with a file that is not there names it', async (option) => {
    const { home, run: runHere } = await machine();
    const path = join(home, 'missing.pem');
    const result = await runHere('--json', 'discover', 'https://as.example', option, path);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      code: 'file_unreadable',
      message: `${path} cannot be read (ENOENT)`,
    });
  });

  it('--ca-cert with a file that holds no certificate exits with 2', async () => {
    const { home, run: runHere } = await machine();
    const path = join(home, 'ca.pem');
    await writeFile(path, 'nonsense');
    const result = await runHere('--json', 'discover', 'https://127.0.0.1:1', '--ca-cert', path);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'certificate_unusable' });
  });

  it('--proxy that is no address exits with 2', async () => {
    const result = await run('--json', 'discover', 'http://127.0.0.1:1', '--proxy', 'ftp://a.example');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'proxy_invalid' });
  });

  it('-v says where each setting came from', async () => {
    const { addProfile, runWith } = await machine();
    await addProfile('http://127.0.0.1:1', '--scope', 'openid');
    const { stderr } = await runWith(
      { env: { OAUTHCTL_CLIENT_ID: 'b', OAUTHCTL_CLIENT_SECRET: 's3cret-value' } },
      '-v',
      'discover',
      '--auth-method',
      'none',
    );
    expect(stderr.split('\n').filter((line) => line.startsWith('# '))).toEqual([
      '# issuer from profile: http://127.0.0.1:1',
      '# client-id from environment: b',
      '# client-secret from environment: (masked)',
      '# auth-method from flag: none',
      '# scope from profile: openid',
    ]);
    expect(stderr).not.toContain('s3cret-value');
  });
});

describe('bin/oauthctl.js', () => {
  it.each(['--version', '-V'])('%s prints the version of the package', async (option) => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const result = await promisify(execFile)(process.execPath, [join(ROOT, 'bin/oauthctl.js'), option]);
    expect(result).toEqual({ stdout: `${version}\n`, stderr: '' });
  });
});
