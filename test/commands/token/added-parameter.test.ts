import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram, runBundle } from '../../helpers/bundle.ts';
import { startTokenServer } from '../../helpers/token-server.ts';
import { emptyFolder } from '../../store/folder.ts';

/** Found by its name only: it is too short to be masked by value. */
const SHORT = 'qZx7w';
const LONG = 'correct horse/battery+staple';

/** Adds parameters to the definition of the password grant, as a developer would. */
const addParameters: Plugin = {
  name: 'add parameters',
  setup({ onLoad }) {
    onLoad({ filter: /definitions[\\/]grants[\\/]password\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const added = `parameters: {
        pin: { is: 'secret', option: { flags: '--pin <ref>', help: 'the PIN', read: 'secret', required: true } },
        badge: { is: 'secret-identity', option: { flags: '--badge <ref>', help: 'the badge', read: 'secret' } },
        floor: { is: 'plain', option: { flags: '--floor <text>', help: 'the floor', read: 'text' } },`;
      const contents = source.replace('parameters: {', added);
      if (contents === source) throw new Error('the definition of the password grant looks different');
      return { contents, loader: 'ts' };
    });
  },
};

/** A server that refuses every token request and repeats what it was sent. */
const startEchoingServer = () =>
  startTokenServer((form, _number, issuer) => {
    const { pin = '', badge = '', floor } = Object.fromEntries(form);
    return {
      status: 400,
      json: {
        error: 'invalid_grant',
        error_description: `the badge ${badge} is of another floor than ${floor}`,
        pin,
        nested: [{ pin: [pin, { badge }] }],
      },
      headers: {
        location: `${issuer}/help?${new URLSearchParams({ pin, badge })}`,
        'x-badge': encodeURI(badge),
      },
    };
  });

describe('a parameter that is added to a definition', () => {
  let folder: string;
  let script: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oauthctl-bundle-'));
    script = await bundleProgram(folder, [addParameters]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function run(issuer: string, ...args: string[]) {
    const home = await emptyFolder();
    const request = ['token', 'password', '--issuer', issuer, '--client-id', 'a', '--username', 'taro'];
    const env = { OAUTHCTL_HOME: home, PW: 'the-password', PIN: SHORT, BADGE: LONG };
    return runBundle(script, [...request, '--password', 'env:PW', ...args], env);
  }

  const PARAMETERS = ['--pin', 'env:PIN', '--badge', 'env:BADGE', '--floor', 'floor-12'];

  /** A secret as it stands in text, in a form, in a URL and in JSON. */
  const spellings = [SHORT, ...[LONG, encodeURI(LONG), encodeURIComponent(LONG)], LONG.replaceAll(' ', '+')]
    .flatMap((value) => [value, new URLSearchParams([['', value]]).toString().slice(1)])
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);

  it('is sent, and where it is secret shown nowhere: in steps, -v, trace and failure', async () => {
    const { issuer, forms } = await startEchoingServer();
    const trace = join(folder, 'trace.jsonl');
    const { code, stdout, stderr } = await run(issuer, ...PARAMETERS, '-v', '--trace', trace);
    expect(code, stderr).toBe(3);
    expect(forms.map((form) => [form.get('pin'), form.get('badge')])).toEqual([[SHORT, LONG]]);
    const recorded = await readFile(trace, 'utf8');
    expect(recorded).toContain('pin=(masked)');
    expect(stderr).toContain('pin=(masked)  ');
    for (const secret of spellings)
      for (const shown of [stdout, stderr, recorded]) expect(shown).not.toContain(secret);
    // A plain one is shown, so that the comparison above would find a secret.
    expect(stderr).toContain('floor=floor-12  ');
    expect(recorded).toContain('floor=floor-12');
  });

  it('is a shell variable under --curl where it is secret', async () => {
    const { issuer, forms } = await startEchoingServer();
    const { code, stdout, stderr } = await run(issuer, ...PARAMETERS, '-v', '--curl');
    expect(code, stderr).toBe(0);
    expect(forms).toEqual([]);
    expect(stdout).toContain('pin="$OAUTHCTL_PIN"');
    expect(stdout).toContain('floor=floor-12');
    for (const secret of spellings) for (const shown of [stdout, stderr]) expect(shown).not.toContain(secret);
  });

  it('that is required is missed before any server is asked', async () => {
    const { issuer, forms } = await startEchoingServer();
    const { code, stderr } = await run(issuer, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'setting_missing',
      message: 'the pin is missing',
      hint: 'Give --pin env:NAME, file:PATH, cmd:COMMAND or -.',
    });
    expect(forms).toEqual([]);
  });
});
