import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTokenServer } from '../helpers/token-server.ts';
import { parseMarkdown, ROOT } from './markdown.ts';

const COPIED = ['src', 'bin', 'test', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** A change that CONTRIBUTING.md shows: a new file, or code that comes after a line of a file, or in its place. */
interface Change {
  readonly file: string;
  /** Undefined for a new file. */
  readonly line: string | undefined;
  readonly text: string;
}

function findChanges(): Change[] {
  const { blocks } = parseMarkdown('CONTRIBUTING.md', readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8'));
  return blocks.flatMap(({ marker = '', text: code }): Change[] => {
    const [, added, after = ''] = /^add to (\S+) after: (.+)$/.exec(marker) ?? [];
    if (added !== undefined) return [{ file: added, line: after, text: `${after}\n${code}` }];
    const [, created] = /^create (\S+)$/.exec(marker) ?? [];
    if (created !== undefined) return [{ file: created, line: undefined, text: code }];
    const [, replaced, line = ''] = /^replace in (\S+): (.+)$/.exec(marker) ?? [];
    return replaced === undefined ? [] : [{ file: replaced, line, text: code }];
  });
}

/** @throws Error where the file does not have the line exactly once */
function apply({ file, line, text }: Change): void {
  const path = join(copy, file);
  if (line === undefined) {
    writeFileSync(path, text);
    return;
  }
  const parts = `\n${readFileSync(path, 'utf8')}`.split(`\n${line}\n`);
  if (parts.length !== 2) throw new Error(`${file} has the line "${line}" ${parts.length - 1} times`);
  writeFileSync(path, parts.join(`\n${text}\n`).slice(1));
}

let copy: string;

/** Runs a program in the copy. */
function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: copy, env: { PATH: process.env.PATH, HOME: copy, NO_PROXY: '*', ...env } };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

function oauthctl(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return run(process.execPath, ['bin/oauthctl.js', ...args], { OAUTHCTL_HOME: join(copy, 'home'), ...env });
}

/** A server with metadata, which refuses every other request. @returns its issuer */
async function listen(): Promise<string> {
  const server = createServer((request, response) => {
    const issuer = `http://${request.headers.host}`;
    const isMetadata = request.url?.startsWith('/.well-known/');
    const body = isMetadata
      ? { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` }
      : { error: 'invalid_grant', error_description: 'Client is not approved' };
    response.writeHead(isMetadata ? 200 : 400, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// The changes are made in a copy of the repository, as somebody who follows the page would make them.
beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'oauthctl-contributing-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const change of findChanges()) apply(change);
  const built = await run(process.execPath, ['bin/build.js']);
  if (built.code !== 0) throw new Error(built.stderr);
});

afterAll(() => rm(copy, { recursive: true, force: true }));

describe('what CONTRIBUTING.md says, followed to the letter', () => {
  it('the types agree', async () => {
    const config = { extends: './tsconfig.json', include: ['src', 'test/explain'] };
    writeFileSync(join(copy, 'tsconfig.changed.json'), JSON.stringify(config));
    const args = ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.changed.json'];
    const { code, stdout } = await run(process.execPath, args);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });

  it('a setting has an option, a variable, a member of the profile, a check and help', async () => {
    const issuer = await listen();
    const note = (page: string) => `questions are answered at ${page}`;
    const [flag, variable, member] = ['https://a.example/', 'https://b.example/', 'https://c.example/'];
    const added = await oauthctl(['profile', 'add', 'p', '--issuer', issuer, '--contact', member]);
    expect(added.stdout, added.stderr).toContain('profile "p"');
    const shown = await oauthctl(['profile', 'show', 'p', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ contact: member });
    expect((await oauthctl(['discover'])).stderr).toContain(note(member));
    const env = { OAUTHCTL_CONTACT: variable };
    const told = await oauthctl(['discover', '-v'], env);
    expect(told.stderr).toContain(note(variable));
    expect(told.stderr).toContain('contact from environment');
    expect((await oauthctl(['discover', '--contact', flag], env)).stderr).toContain(note(flag));
    const refused = await oauthctl(['discover', '--contact', 'nonsense']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--contact') });
    const help = await oauthctl(['discover', '--help']);
    expect(help.stdout).toMatch(/--contact <url>\s+where questions/);
  });

  it('a grant has a command with its option and its help', async () => {
    expect((await oauthctl(['--help'])).stdout.replace(/\s+/g, ' ')).toMatch(
      /request tokens: (\S+, )*voucher\b/,
    );
    const { stdout } = await oauthctl(['token', 'voucher', '--help']);
    expect(stdout).toContain('With a voucher that was sold to the user (Example §2)');
    expect(stdout).toMatch(/--voucher <ref> +the voucher/);
  });

  it('a grant sends its form once, shows its secret nowhere, and its tokens are reused', async () => {
    const { issuer, forms } = await startTokenServer((_form, number) => ({
      json: { access_token: `token-${number}`, token_type: 'Bearer', expires_in: 86_400 },
    }));
    const args = ['token', 'voucher', '--issuer', issuer, '--client-id', 'a', '--scope', 'x', '-v'];
    const send = (...more: string[]) =>
      oauthctl([...args, '--voucher', 'env:VOUCHER', ...more], { VOUCHER: 'the-voucher' });
    const { stdout: curl } = await send('--curl');
    expect(curl).toContain('voucher="$OAUTHCTL_VOUCHER"');
    const first = await send('--field', 'access_token');
    const second = await oauthctl([...args, '--reuse', '--field', 'access_token']);
    expect([first.stdout, second.stdout], first.stderr).toEqual(['token-1\n', 'token-1\n']);
    expect(forms.map((form) => [...form])).toEqual([
      [
        ['grant_type', 'urn:example:grant-type:voucher'],
        ['scope', 'x'],
        ['voucher', 'the-voucher'],
        ['client_id', 'a'],
      ],
    ]);
    expect(first.stderr).toContain('voucher=(masked)');
    for (const shown of [curl, first.stderr, second.stderr]) expect(shown).not.toContain('the-voucher');
  });

  it('an explained refusal is printed with its cause and remedy', async () => {
    const issuer = await listen();
    const { code, stderr } = await oauthctl(
      [
        'token',
        'client-credentials',
        '--issuer',
        issuer,
        '--client-id',
        'a',
        '--client-secret',
        'env:SECRET',
      ],
      { SECRET: 'the-secret' },
    );
    expect(stderr).toContain('cause   The client waits for an approval.');
    expect(stderr).toContain('remedy  Approve the client at the server.');
    expect(code).toBe(3);
  });

  it('the example of an explained refusal passes the test of the table', async () => {
    const args = [
      'run',
      '--config',
      'test/vitest.config.ts',
      '--project',
      'unit',
      '--reporter=verbose',
      'test/explain/explain.test.ts',
    ];
    const { code, stdout } = await run(process.execPath, ['node_modules/vitest/vitest.mjs', ...args]);
    expect(stdout).toContain('Client is not approved');
    expect(code).toBe(0);
  });
});
