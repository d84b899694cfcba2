import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CLIENT_ID } from '../../helpers/misbehaving-server.ts';
import { type Run, readFailure } from '../../helpers/run.ts';
import { type Script, startWorkplace, type Workplace } from '../../helpers/workplace.ts';

let place: Workplace;

/** Without a profile; a test that needs one calls serve. */
beforeEach(async () => {
  place = await startWorkplace({}, { env: SECRETS });
});

const SECRETS = { CLIENT: 'the-client-secret', USER: 'the-user-password' };

const run = (...argv: string[]): Promise<Run> => place.run(...argv);
const done = async (...argv: string[]): Promise<Run> => {
  const result = await run(...argv);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result;
};

/** A scripted server, and a profile of it in use. */
async function serve(script: Script): Promise<void> {
  place = await startWorkplace(script, { env: SECRETS, profile: ['--client-secret', 'env:CLIENT'] });
}

const json = (number: number, more: Readonly<Record<string, unknown>> = {}) => ({
  json: {
    access_token: `access-token-${number}`,
    token_type: 'Bearer',
    expires_in: 300,
    refresh_token: `refresh-token-${number}`,
    ...more,
  },
});
const REFUSED = { status: 400, json: { error: 'invalid_grant', error_description: 'no' } };
const grants = () => place.server.to('token').map(({ form }) => form.get('grant_type'));
const PASSWORD = ['token', 'password', '--username', 'cl-taro', '--password', 'env:USER'];
const CLIENT = ['token', 'client-credentials'];
const REUSE = ['--reuse', '--field', 'access_token'];

describe('--reuse', () => {
  it.each([
    ['client-credentials', CLIENT],
    ['password', PASSWORD],
  ])('of %s asks the server once, and no server at all while the token lives', async (_name, argv) => {
    await serve({ token: [json(1)] });
    const first = await done(...argv, ...REUSE);
    const requests = place.server.requests.length;
    const second = await done(...argv, ...REUSE);
    expect([first.stdout, second.stdout]).toEqual(['access-token-1\n', 'access-token-1\n']);
    expect(place.server.requests).toHaveLength(requests);
    expect(first.stderr).toContain('no tokens are kept · requesting');
    expect(second.stderr).toContain('the kept access_token is reused · expires in 5 min');
  });

  it('of refresh takes what any grant has kept', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    expect((await done('token', 'refresh', ...REUSE)).stdout).toBe('access-token-1\n');
    place.clock.pass(300_000);
    const { stdout, stderr } = await done('token', 'refresh', ...REUSE);
    expect(stdout).toBe('access-token-2\n');
    expect(stderr).toContain('the kept access_token has expired · refreshing');
    expect(grants()).toEqual(['password', 'refresh_token']);
  });

  it('of refresh with nothing kept says so', async () => {
    await serve({});
    const result = await run('--json', 'token', 'refresh', '--reuse');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('"nothing_kept"');
    expect(grants()).toEqual([]);
  });

  it('of ciba start asks nobody again', async () => {
    await serve({
      backchannel: [{ json: { auth_req_id: 'the-auth-req-id', expires_in: 120, interval: 1 } }],
      token: [json(1), json(2)],
    });
    const ciba = ['ciba', 'start', '--login-hint', 'cl-taro', ...REUSE];
    expect((await done(...ciba)).stdout).toBe('access-token-1\n');
    const requests = place.server.requests.length;
    const again = await done(...ciba, '--binding-message', 'another');
    expect(again.stdout).toBe('access-token-1\n');
    expect(place.server.requests).toHaveLength(requests);
    place.clock.pass(300_000);
    expect((await done(...ciba)).stdout).toBe('access-token-2\n');
    expect(place.server.to('backchannel')).toHaveLength(1);
  });

  it('needs neither password nor client secret while the token lives', async () => {
    await serve({ token: [json(1)] });
    await done(...PASSWORD);
    const { code, stdout } = await place.runWith({ env: { CLIENT: '', USER: '' } }, ...PASSWORD, ...REUSE);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'access-token-1\n' });
  });

  it.each([
    [[], 270_000, 270_001],
    [['--min-ttl', '100'], 200_000, 200_001],
    [['--min-ttl', '0'], 299_999, 300_000],
  ])('with %j takes a token for the last time after %i ms', async (flags, last, after) => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    place.clock.pass(last);
    expect((await done(...PASSWORD, ...REUSE, ...flags)).stdout).toBe('access-token-1\n');
    place.clock.pass(after - last);
    expect((await done(...PASSWORD, ...REUSE, ...flags)).stdout).toBe('access-token-2\n');
    expect(grants()).toEqual(['password', 'refresh_token']);
  });

  it('gives the lifetimes that are left, and every other member as it came', async () => {
    await serve({ token: [json(1, { refresh_expires_in: 1800, 'not-before-policy': 0 })] });
    await done(...PASSWORD);
    place.clock.pass(60_500);
    const { stdout } = await done('--json', ...PASSWORD, '--reuse');
    expect(JSON.parse(stdout)).toEqual(
      json(1, { expires_in: 239, refresh_expires_in: 1739, 'not-before-policy': 0 }).json,
    );
  });

  it('trusts no token that was received in the future', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    place.clock.pass(-1000);
    const { stdout, stderr } = await done(...PASSWORD, ...REUSE);
    expect(stdout).toBe('access-token-2\n');
    expect(stderr).toContain('has an unknown lifetime · refreshing');
  });

  it('requests anew where there is no refresh token, or it has ended', async () => {
    await serve({
      token: [json(1, { refresh_token: undefined }), json(2, { refresh_expires_in: 300 }), json(3)],
    });
    await done(...CLIENT);
    for (const expected of ['access-token-2\n', 'access-token-3\n']) {
      place.clock.pass(300_000);
      const { stdout, stderr } = await done(...CLIENT, ...REUSE);
      expect(stdout).toBe(expected);
      expect(stderr).toContain('there is no valid refresh token · requesting');
    }
    expect(new Set(grants())).toEqual(new Set(['client_credentials']));
  });

  it('requests anew after a refused refresh, and tells the refusal even where it is to be quiet', async () => {
    await serve({ token: [json(1), REFUSED, json(3)] });
    await done(...PASSWORD);
    place.clock.pass(300_000);
    const { stdout, stderr } = await done('-q', ...PASSWORD, ...REUSE);
    expect(stdout).toBe('access-token-3\n');
    expect(stderr).toBe('warning: the server answered 400 invalid_grant: no · requesting new tokens\n');
    expect(grants()).toEqual(['password', 'refresh_token', 'password']);
  });

  it('passes on what befell a refresh on the way', async () => {
    await serve({ token: [json(1), 'reset'] });
    await done(...PASSWORD);
    place.clock.pass(300_000);
    expect((await run(...PASSWORD, ...REUSE)).code).toBe(5);
    expect(grants()).toEqual(['password', 'refresh_token']);
  });

  it.each([
    ['another scope', ['--scope', 'a c'], 'lack a requested scope'],
    ['another user', ['--username', 'someone'], 'of another user'],
    ['other parameters', ['--param', 'audience=x'], 'with other parameters'],
    ['another client', ['--client-id', 'b'], 'of another client'],
  ])('requests anew for %s', async (_what, flags, why) => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD, '--scope', 'a b');
    const { stdout, stderr } = await done(...PASSWORD, '--scope', 'a', ...flags, ...REUSE);
    expect(stdout).toBe('access-token-2\n');
    expect(stderr).toContain(why);
  });

  it('requests anew for another grant, and keeps to a part of the scope', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD, '--scope', 'a b');
    expect((await done(...PASSWORD, '--scope', 'b', ...REUSE)).stdout).toBe('access-token-1\n');
    expect((await done(...CLIENT, ...REUSE)).stdout).toBe('access-token-2\n');
  });

  it('under --curl shows the request of a new grant, whatever is kept', async () => {
    await serve({ token: [json(1)] });
    await done(...CLIENT);
    const { stdout } = await done(...CLIENT, '--reuse', '--curl');
    expect(stdout).toMatch(/^curl /);
    expect(stdout).toContain('grant_type=client_credentials');
    expect(grants()).toEqual(['client_credentials']);
  });

  it.each([
    [['token', 'client-credentials', '--min-ttl', '5'], 'min_ttl_alone'],
    [['token', 'client-credentials', '--reuse', '--min-ttl', 'soon'], 'seconds_invalid'],
    [['token', 'client-credentials', '--reuse', '--min-ttl', '-1'], 'seconds_invalid'],
    [['token', 'client-credentials', '--reuse', '--no-keep'], 'usage'],
    [['token', 'refresh', 'given-token', '--reuse'], 'reuse_of_given'],
  ])('that makes no sense is said before any server is asked: %j', async (argv, code) => {
    await serve({});
    const result = await run('--json', ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe(code);
    expect(place.server.requests).toEqual([]);
  });
});

describe('token list', () => {
  it('has a line for each profile: grant, client, issuer, scope and what is left', async () => {
    await serve({
      token: [json(1, { scope: 'openid', refresh_expires_in: 1800 }), json(2, { expires_in: 1 })],
    });
    await done(...PASSWORD);
    await done(
      ...CLIENT,
      '--issuer',
      place.server.issuer,
      '--client-id',
      'b',
      '--client-secret',
      'env:CLIENT',
    );
    place.clock.pass(60_000);
    const { stdout } = await done('token', 'list');
    const other = `${place.server.issuer} b`;
    expect(stdout.split('\n')).toEqual([
      `${'sample'.padEnd(other.length)}  password · test-client · ${place.server.issuer} · scope openid · access_token 4 min · refresh_token 29 min`,
      `${other}  client_credentials · b · ${place.server.issuer} · access_token expired · refresh_token`,
      '',
    ]);
  });

  it('under --json has documented members, the tokens masked', async () => {
    await serve({ token: [json(1, { scope: 'openid' })] });
    await done(...PASSWORD);
    place.clock.pass(500);
    const { stdout } = await done('--json', 'token', 'list');
    expect(JSON.parse(stdout)).toEqual({
      kept: {
        sample: {
          grant_type: 'password',
          client_id: CLIENT_ID,
          issuer: place.server.issuer,
          scope: 'openid',
          user: 'cl-taro',
          token_type: 'Bearer',
          dpop_jkt: null,
          received_at: '2026-01-01T00:00:00.000Z',
          access_token: '(masked)',
          expires_in: 299,
          refresh_token: '(masked)',
          refresh_expires_in: null,
          id_token: null,
        },
      },
    });
    expect((await done('--json', '--show-secrets', 'token', 'list')).stdout).toContain('access-token-1');
  });

  it('of nothing is empty', async () => {
    expect(await done('token', 'list')).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('no tokens'),
    });
    expect(JSON.parse((await done('--json', 'token', 'list')).stdout)).toEqual({ kept: {} });
  });
});

describe('token show', () => {
  it('shows people what is left and no token, and scripts the response as it came', async () => {
    await serve({ token: [json(1, { session_state: 'the-session' })] });
    await done(...PASSWORD);
    place.clock.pass(60_000);
    const shown = (await done('token', 'show')).stdout;
    expect(shown).toMatch(/^sample {2}password · test-client · /);
    expect(shown).toContain('expires in 4 min');
    expect(shown).toMatch(/session_state +the-session/);
    expect(shown).not.toMatch(/(?:access|refresh)-token-1/);
    const raw = await done('--json', 'token', 'show', 'sample');
    expect(JSON.parse(raw.stdout)).toEqual(json(1, { session_state: 'the-session' }).json);
    expect((await done('token', 'show', '--field', 'access_token')).stdout).toBe('access-token-1\n');
  });

  it('gives by --field what @last stands for', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    const { stdout } = await done('token', 'show', '--field', 'refresh_token');
    await done('token', 'refresh', '@last.refresh_token');
    expect(`${place.server.to('token')[1]?.form.get('refresh_token')}\n`).toBe(stdout);
  });

  it('knows tokens of a profile that is gone, and of none', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    await done(
      ...CLIENT,
      '--issuer',
      place.server.issuer,
      '--client-id',
      'b',
      '--client-secret',
      'env:CLIENT',
    );
    await done('profile', 'remove', 'sample');
    for (const [owner, token] of [
      ['sample', 'access-token-1\n'],
      [`${place.server.issuer} b`, 'access-token-2\n'],
    ] as const)
      expect((await done('token', 'show', owner, '--field', 'access_token')).stdout).toBe(token);
  });

  it('shows a refresh token that came with nothing to be trusted', async () => {
    await serve({ token: [json(1), json(2, { id_token: 'no JWT' })] });
    await done(...PASSWORD);
    await rm(join(place.home, 'tokens.json'));
    expect((await run('token', 'refresh', 'given-token')).code).toBe(4);
    expect((await done('token', 'show')).stdout).toMatch(/refresh_token +\(masked\) · opaque/);
    expect((await done('token', 'show', '--field', 'refresh_token')).stdout).toBe('refresh-token-2\n');
  });
});

describe('token forget', () => {
  it('forgets the tokens of one profile, and --all those of every one', async () => {
    await serve({ token: [json(1), json(2), json(3)] });
    await done(...PASSWORD);
    await done(
      ...CLIENT,
      '--issuer',
      place.server.issuer,
      '--client-id',
      'b',
      '--client-secret',
      'env:CLIENT',
    );
    expect(JSON.parse((await done('--json', 'token', 'forget')).stdout)).toEqual({ forgotten: ['sample'] });
    const kept = JSON.parse(await readFile(join(place.home, 'tokens.json'), 'utf8')).last;
    expect(Object.keys(kept)).toEqual([`${place.server.issuer} b`]);
    await done(...PASSWORD);
    const { stdout } = await done('token', 'forget', '--all');
    expect(stdout).toBe(`tokens of "${place.server.issuer} b" forgotten\ntokens of "sample" forgotten\n`);
    expect((await done('token', 'forget', '--all')).stdout).toBe('nothing forgotten\n');
  });

  it('takes a profile or --all', async () => {
    const result = await run('--json', 'token', 'forget', 'sample', '--all');
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe('forget_ambiguous');
  });
});

describe('kept tokens that are not there', () => {
  it.each([['show'], ['forget']])('are an error of token %s that names those there are', async (command) => {
    await serve({ token: [json(1)] });
    const before = await run('--json', 'token', command);
    expect(before.code).toBe(2);
    expect(readFailure(before)).toMatchObject({
      code: 'nothing_kept',
      message: 'no tokens of "sample" are kept',
      hint: expect.stringContaining('Request tokens first'),
    });
    await done(...CLIENT);
    expect(readFailure(await run('--json', 'token', command, 'nobody'))).toMatchObject({
      code: 'nothing_kept',
      message: 'no tokens of "nobody" are kept',
      hint: 'There are those of: sample.',
    });
  });

  it('are an error where no profile is in use either', async () => {
    expect(readFailure(await run('--json', 'token', 'show'))).toMatchObject({
      code: 'nothing_kept',
      message: 'no tokens are kept',
    });
  });

  it('are told from a file that cannot be read', async () => {
    await writeFile(join(place.home, 'tokens.json'), '{"version":1,"last":{"sample":{"response":{}}}}');
    expect(readFailure(await run('--json', 'token', 'list'))).toMatchObject({ code: 'file_unreadable' });
  });
});

describe('a refresh of kept tokens', () => {
  it('with --no-keep warns that it may use the kept one up', async () => {
    await serve({ token: [json(1), json(2)] });
    await done(...PASSWORD);
    expect((await done('token', 'refresh', '--no-keep')).stderr).toContain(
      'warning: the server may invalidate the kept refresh token',
    );
    expect((await done('token', 'show', '--field', 'refresh_token')).stdout).toBe('refresh-token-1\n');
  });
});
