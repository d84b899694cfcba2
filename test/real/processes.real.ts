import { expect, test } from 'vitest';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import type { Cli, RunningProgram } from './cli.ts';
import { failure } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { claimsOf, expectPendingThenTokens, expectTokens } from './tokens.ts';

/** Seconds between two polls, as in the walk-through. */
const INTERVAL = 5;

const REQUEST = ['ciba', 'request', '--login-hint', 'cl-taro', '--binding-message', 'test-0001'];

/** Starts `ciba device` in the background, and waits until it listens. */
async function startDevice(cli: Cli, ...args: string[]): Promise<RunningProgram> {
  const device = cli.start('ciba', 'device', ...args);
  await device.says('device listens on');
  return device;
}

onEachKeycloak({ interval: INTERVAL, also24: true }, (stage) => {
  test('device, request, poll --once and poll make one flow as separate processes', async (context) => {
    const cli = await stage.cli(context);
    const device = await startDevice(cli, '--approve', '--count', '1', '--after', '20', '--json');

    const acknowledgement = await cli.json(...REQUEST);
    expect(acknowledgement).toEqual({
      auth_req_id: expect.any(String),
      expires_in: computeSecondsLeft(600),
      interval: INTERVAL,
    });

    const pending = await cli.fails(8, 'ciba', 'poll', '--once');
    expect(pending).toMatchObject({
      code: 'authorization_pending',
      hint: expect.stringContaining('next poll'),
    });

    const tokens = await cli.json('ciba', 'poll', '-v');
    expect(claimsOf(tokens.id_token)).toMatchObject({
      iss: stage.sample.issuer,
      aud: stage.sample.client.clientId,
      sub: stage.sample.user.id,
    });

    const { exitCode, stdout } = await device.ended;
    expect({ exitCode, result: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      result: { delegations: 1, results: { SUCCEED: 1 } },
    });
    expectPendingThenTokens(cli);
    expect(cli.exchanges('ciba_callback')).toMatchObject([{ answer: { status: 200 } }]);

    const polls = cli.exchanges('token').length;
    const again = await cli.fails(2, 'ciba', 'poll');
    expect(again).toMatchObject({ code: 'nothing_pending' });
    expect(cli.exchanges('token')).toHaveLength(polls);
  });

  test('what device --hold kept, callback sends once', async (context) => {
    const cli = await stage.cli(context);
    const device = await startDevice(cli, '--hold', '--count', '1', '-v');
    await cli.json(...REQUEST, '-v');
    expect(await device.ended).toMatchObject({ exitCode: 0 });
    expect(cli.exchanges('ciba_callback')).toEqual([]);

    const sent = await cli.run('ciba', 'callback', 'succeed', '--json', '-v');
    expect(sent.exitCode).toBe(0);
    expect(JSON.parse(sent.stdout)).toEqual({ status: 'SUCCEED' });

    const again = await cli.fails(2, 'ciba', 'callback', 'succeed');
    expect(again).toMatchObject({
      code: 'nothing_held',
      hint: expect.stringContaining('ciba device --hold'),
    });

    const tokens = await cli.json('ciba', 'poll');
    expect(claimsOf(tokens.access_token)).toMatchObject({ preferred_username: 'cl-taro' });
    expect(cli.exchanges('ciba_callback')).toMatchObject([
      { request: { body: '{"status":"SUCCEED"}' }, answer: { status: 200 } },
    ]);
  });

  test.for([
    ['unauthorized', 'UNAUTHORIZED'],
    ['cancelled', 'CANCELLED'],
  ] as const)('callback %s makes poll exit 7', async ([result, status], context) => {
    const cli = await stage.cli(context);
    const device = await startDevice(cli, '--hold', '--count', '1');
    await cli.json(...REQUEST);
    await device.ended;
    expect(await cli.json('ciba', 'callback', result)).toEqual({ status });
    const error = await cli.fails(7, 'ciba', 'poll');
    expect(error.oauth).toMatchObject({ error: 'access_denied', status: stage.expected(400, 403) });
    expect(cli.exchanges('ciba_callback')).toHaveLength(1);
  });

  test('one device serves two users who are asked at the same time from two shells', async (context) => {
    const { admin, realm } = stage.sample;
    await admin.createUser(realm, {
      username: 'cl-hanako',
      email: 'cl-hanako@example.org',
      firstName: 'Hanako',
      lastName: 'Sample',
    });
    const room = await stage.cli(context);
    const device = await startDevice(room, '--approve', '--count', '2', '--json');
    const users = ['cl-taro', 'cl-hanako'];
    const clis = await Promise.all(users.map(() => stage.cli(context)));
    const answers = await Promise.all(
      users.map((user, index) =>
        clis[index]?.json('ciba', 'start', '--login-hint', user, '--binding-message', `for-${user}`),
      ),
    );
    expect(answers.map((answer) => claimsOf(answer?.id_token).preferred_username)).toEqual(users);

    const { exitCode, stdout } = await device.ended;
    expect({ exitCode, result: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      result: { delegations: 2, results: { SUCCEED: 2 } },
    });
    const callbacks = room.exchanges('ciba_callback');
    expect(callbacks).toMatchObject([{ answer: { status: 200 } }, { answer: { status: 200 } }]);
    const asked = room.exchanges('authentication_device').map(({ request }) => JSON.parse(request.body));
    expect(asked.map(({ login_hint, binding_message }) => `${login_hint} ${binding_message}`).sort()).toEqual(
      users.map((user) => `${user} for-${user}`).sort(),
    );
    for (const cli of clis) expectTokens(cli);
  });

  test('one shell makes two requests at the same time, and polls for each by its id', async (context) => {
    const cli = await stage.cli(context);
    const device = await startDevice(cli, '--approve', '--count', '2');
    const requests = await Promise.all([cli.json(...REQUEST), cli.json(...REQUEST)]);
    const polls = requests.map(({ auth_req_id }) => cli.json('ciba', 'poll', String(auth_req_id)));
    const [one, other] = await Promise.all(polls);
    expect(one?.access_token).not.toBe(other?.access_token);
    expect(await device.ended).toMatchObject({ exitCode: 0 });
    expect(cli.exchanges('ciba_callback')).toHaveLength(2);
    expectTokens(cli, 2);
  });

  test('a start and a poll that are interrupted end before the next poll, and poll goes on where they stopped', async (context) => {
    const cli = await stage.cli(context);
    const device = await startDevice(cli, '--approve', '--count', '1', '--after', '20');

    const expectNoPollAfter = (time: number) =>
      expect(cli.exchanges('token').filter(({ at }) => Date.parse(at) > time)).toEqual([]);

    const start = cli.start('ciba', 'start', '--login-hint', 'cl-taro', '--json');
    await start.says('②');
    const interruptedAt = Date.now();
    start.signal('SIGINT');
    const interrupted = failure(await start.ended, 130);
    expectNoPollAfter(interruptedAt);
    expect(interrupted).toMatchObject({
      code: 'interrupted',
      hint: expect.stringContaining('oauthctl ciba poll'),
    });

    const poll = cli.start('ciba', 'poll');
    await poll.says('authorization_pending');
    const terminatedAt = Date.now();
    poll.signal('SIGTERM');
    const terminated = await poll.ended;
    expectNoPollAfter(terminatedAt);
    expect(terminated).toMatchObject({ exitCode: 143, stdout: '' });
    expect(terminated.stderr).toContain('oauthctl ciba poll');

    expect(await cli.json('ciba', 'poll')).toMatchObject({ token_type: 'Bearer' });
    expect(await device.ended).toMatchObject({ exitCode: 0 });
    expectPendingThenTokens(cli);
    expect(cli.exchanges('backchannel_authentication')).toHaveLength(1);
    expect(cli.exchanges('ciba_callback')).toHaveLength(1);
  });

  test('a device that is interrupted while it waits exits 130 and frees its port', async (context) => {
    const cli = await stage.cli(context);
    for (const [signal, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const device = await startDevice(cli, '--approve', '--json');
      device.signal(signal);
      failure(await device.ended, exitCode);
    }
  });
});
