import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSecretReference, resolveSecretReference } from '../../src/store/secret-reference.ts';
import { emptyFolder } from './folder.ts';

const resolve = (
  reference: string,
  sources: { env?: Record<string, string>; stdin?: string; repairs?: string[] } = {},
) =>
  resolveSecretReference(parseSecretReference(reference), {
    env: sources.env ?? {},
    readStdin: async () => sources.stdin ?? '',
    onRepair: (what) => sources.repairs?.push(what),
  });

/** A program that Node runs, as a command line of any shell. */
const node = (script: string) => `cmd:"${process.execPath}" -e "${script}"`;

async function failureOf(attempt: Promise<string>): Promise<{ message: string; all: string }> {
  const error = await attempt.then(
    (value) => Promise.reject(new Error(`there was a secret: ${value}`)),
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: 'secret_unavailable', exitCode: 2 });
  return { message: error.message, all: `${error.message} ${error.hint} ${error.stack} ${error.cause}` };
}

describe('a reference to a secret', () => {
  it.each([
    ['-', { kind: 'stdin' }],
    ['env:NAME', { kind: 'env', name: 'NAME' }],
    ['file:/a b/c', { kind: 'file', path: '/a b/c' }],
    ['cmd:pass show a:b', { kind: 'cmd', command: 'pass show a:b' }],
    ['plain', { kind: 'literal', value: 'plain' }],
    ['environment', { kind: 'literal', value: 'environment' }],
    ['ENV:NAME', { kind: 'literal', value: 'ENV:NAME' }],
    ['--', { kind: 'literal', value: '--' }],
    ['a:env:b', { kind: 'literal', value: 'a:env:b' }],
  ])('%j is read as %j', (text, reference) => {
    expect(parseSecretReference(text)).toEqual(reference);
  });

  it('to the environment gives the value without line breaks at its end, which is said', async () => {
    const repairs: string[] = [];
    expect(await resolve('env:A', { env: { A: ' s3cret ' }, repairs })).toBe(' s3cret ');
    expect(repairs).toEqual([]);
    expect(await resolve('env:A', { env: { A: ' s3cret\r\n' }, repairs })).toBe(' s3cret');
    expect(repairs).toEqual(['line breaks at the end of the environment variable A were removed']);
    expect(await resolve('s3cret\n', { repairs })).toBe('s3cret');
    expect(repairs).toHaveLength(2);
  });

  it.each([
    ['UTF-8', Buffer.from('\ufeffs3cret\n')],
    ['UTF-16 of Windows', Buffer.from('\ufeffs3cret\r\n', 'utf16le')],
    ['UTF-16 in the other order', Buffer.from('\ufeffs3cret\n', 'utf16le').swap16()],
  ])(
    'to a file in %s with a byte order mark gives the secret, and that is said',
    async (_encoding, bytes) => {
      const path = join(await emptyFolder(), 'secret');
      await writeFile(path, bytes);
      const repairs: string[] = [];
      expect(await resolve(`file:${path}`, { repairs })).toBe('s3cret');
      expect(repairs).toEqual([`the byte order mark at the beginning of the file ${path} was removed`]);
      expect(await resolve('-', { stdin: '\ufeffs3cret\n', repairs })).toBe('s3cret');
    },
  );

  it.each([{}, { A: '' }])('to the environment fails with the name when %j is all there is', async (env) => {
    expect((await failureOf(resolve('env:A', { env }))).message).toContain(
      'the environment variable A is not set',
    );
  });

  it.each([
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['s3cret\n\n', 's3cret'],
    [' s3 cret ', ' s3 cret '],
    ['-----BEGIN\nline\n-----END\n', '-----BEGIN\nline\n-----END'],
  ])('to a file or standard input with %j in it gives %j', async (text, secret) => {
    const path = join(await emptyFolder(), 'secret');
    await writeFile(path, text);
    expect(await resolve(`file:${path}`)).toBe(secret);
    expect(await resolve('-', { stdin: text })).toBe(secret);
  });

  it.each(['', '\n', '\r\n'])('to a file or standard input with %j in it fails', async (text) => {
    const path = join(await emptyFolder(), 'secret');
    await writeFile(path, text);
    expect((await failureOf(resolve(`file:${path}`))).message).toContain(`the file ${path} is empty`);
    expect((await failureOf(resolve('-', { stdin: text }))).message).toContain('standard input is empty');
  });

  it('to a file that is not there fails with its path', async () => {
    const path = join(await emptyFolder(), 'missing');
    expect((await failureOf(resolve(`file:${path}`))).message).toContain(`${path} cannot be read (ENOENT)`);
  });

  it('to a command gives what it prints, without the line break', async () => {
    expect(await resolve(node(`console.log('s3cret')`))).toBe('s3cret');
  });

  it('to a command that fails tells its code and nothing that it printed', async () => {
    const script = `process.stdout.write('half-a-'+'secret');process.stderr.write('other-'+'half');process.exitCode=7`;
    const { message, all } = await failureOf(resolve(node(script)));
    expect(message).toContain('ended with code 7');
    expect(all).not.toContain('half-a-secret');
    expect(all).not.toContain('other-half');
  });

  it('to a command that prints nothing fails', async () => {
    expect((await failureOf(resolve(node('0')))).message).toMatch(/what the command .* printed is empty/);
  });

  it('to a command that prints without end fails', async () => {
    const { message } = await failureOf(resolve(node(`process.stdout.write('x'.repeat(70000))`)));
    expect(message).toContain('printed more than 64 KiB');
  });

  it('to a command that is killed tells the signal', async () => {
    const { message } = await failureOf(resolve(node(`process.kill(process.pid,'SIGKILL')`)));
    expect(message).toMatch(/was ended by SIGKILL|ended with code 137/);
  });

  it('to a command that does not exist fails', async () => {
    expect((await failureOf(resolve('cmd:oauthctl-no-such-program'))).message).toContain('ended with code');
  });
});
