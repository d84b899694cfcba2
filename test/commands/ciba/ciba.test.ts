import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machine, readFailure, run } from '../../helpers/run.ts';

const SERVER = ['--issuer', 'http://127.0.0.1:1', '--client-id', 'a'];

describe('ciba start with neither profile nor issuer', () => {
  it('goes through all ten steps on the sandbox, and lets no secret out', async () => {
    const { home, run: runHere } = await machine();
    const trace = join(home, 'trace.jsonl');
    const { code, stdout, stderr } = await runHere('ciba', 'start', '--json', '-v', '--trace', trace);
    expect(code).toBe(0);

    const tokens = JSON.parse(stdout);
    expect(tokens).toMatchObject({
      access_token: expect.stringMatching(/^eyJ/),
      refresh_token: expect.any(String),
      id_token: expect.stringMatching(/^eyJ/),
      token_type: expect.stringMatching(/^bearer$/i),
      expires_in: expect.any(Number),
    });

    const steps = stderr.split('\n').filter((line) => /^ [①-⑩]/.test(line));
    const marks = new Set(steps.join('').match(/[①-⑩]/g));
    expect([...marks].toSorted()).toEqual([...'①②③④⑤⑥⑦⑧⑨⑩']);
    expect(stderr).toContain('sandbox');
    expect(stderr).toContain('authorization_pending');
    expect(stderr).toContain('id_token verified: RS256');
    expect(stderr).not.toContain('slow_down');

    const traced = await readFile(trace, 'utf8');
    const exchanges = traced
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exchanges.map(({ endpoint }) => endpoint)).toEqual(
      expect.arrayContaining([
        'metadata',
        'backchannel_authentication',
        'authentication_device',
        'ciba_callback',
        'token',
        'jwks',
      ]),
    );
    expect(exchanges.filter(({ endpoint }) => endpoint === 'ciba_callback')).toHaveLength(1);
    for (const text of [stderr, traced]) {
      for (const name of ['access_token', 'refresh_token', 'id_token'])
        expect(text).not.toContain(tokens[name]);
      expect(text).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
      expect(text).not.toMatch(/(?:Basic|Bearer) (?!\(masked\))\S/);
      expect(text).not.toMatch(/auth_req_id(?:=|":"|\\":\\")(?!\(masked\)|eyJh…\(masked\))/);
    }
    // Nothing of the sandbox is kept.
    expect(await readdir(home)).toEqual(['trace.jsonl']);
  });
});

describe('ciba start', () => {
  it.each([
    [['--login-hint', 'a', '--id-token-hint', 'env:HINT'], '--login-hint and --id-token-hint'],
    [['--login-hint', 'a', '--login-hint-token', 'env:HINT'], '--login-hint and --login-hint-token'],
  ])('with two hints says so before any server is asked: %j', async (hints, flags) => {
    const { runWith } = await machine();
    const result = await runWith(
      { env: { HINT: 'eyJ.hint.token' } },
      '--json',
      'ciba',
      'start',
      ...SERVER,
      ...hints,
    );
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      code: 'hint_ambiguous',
      message: `${flags} were given, but only one is allowed`,
      hint: 'Give exactly one of --login-hint, --login-hint-token and --id-token-hint.',
    });
  });

  it('with a hint by hand leaves the profile’s own aside', async () => {
    const { addProfile, runWith } = await machine();
    await addProfile('http://127.0.0.1:1', '--login-hint', 'b');
    const result = await runWith(
      { env: { HINT: 'eyJ.hint.token' } },
      '--json',
      'ciba',
      'start',
      '--id-token-hint',
      'env:HINT',
    );
    expect(readFailure(result)).toMatchObject({ code: 'connection_refused' });
  });

  it.each([
    [[], 'hint_missing'],
    [['--login-hint', 'a', '--requested-expiry', '0'], 'requested_expiry_invalid'],
    [['--login-hint', 'a', '--requested-expiry', 'soon'], 'requested_expiry_invalid'],
    [['--login-hint', 'a', '--approve', '--deny'], 'rule_ambiguous'],
    [['--login-hint', 'a', '--device'], 'rule_missing'],
    [['--login-hint', 'a', '--approve', '--listen', 'nowhere'], 'listen_invalid'],
    [['--login-hint', 'a', '--approve', '--after', 'later'], 'seconds_invalid'],
    [['--login-hint', 'a', '--respond', '99'], 'status_invalid'],
  ])('with %j exits with 2 (%s)', async (argv, code) => {
    const result = await run('--json', 'ciba', 'start', ...SERVER, ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe(code);
  });
});

describe('the other commands of ciba', () => {
  it('callback with an unknown result names those there are', async () => {
    const result = await run('--json', 'ciba', 'callback', 'maybe');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({
      code: 'result_unknown',
      hint: 'There are: succeed, unauthorized, cancelled.',
    });
  });

  it('callback with a bearer that is no JWT says so, and does not show it', async () => {
    const { runWith } = await machine();
    const result = await runWith(
      { stdin: 'opaque-bearer-value\n' },
      '--json',
      'ciba',
      'callback',
      'succeed',
      '--bearer',
      '-',
    );
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe('bearer_unreadable');
    expect(result.stderr).not.toContain('opaque-bearer-value');
  });

  it('device with --after pending says where that works', async () => {
    const result = await run('--json', 'ciba', 'device', ...SERVER, '--approve', '--after', 'pending');
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe('after_pending_elsewhere');
  });
});
