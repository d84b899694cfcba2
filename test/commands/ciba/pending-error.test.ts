import { expect, it } from 'vitest';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  ACKNOWLEDGEMENT,
  CLIENT_ID,
  PENDING,
  type ScriptedStep,
  startMisbehavingServer,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { machine, readFailure } from '../../helpers/run.ts';

const ODD = { status: 400, json: { error: 'invalid_grant', error_description: 'not yet' } };
const SHORT = { json: { ...ACKNOWLEDGEMENT.json, expires_in: 12 } };

/** A machine with the profile `sample`, whose server answers polls so. */
async function setUp(
  token: readonly ScriptedStep[],
  backchannel: readonly ScriptedStep[] = [ACKNOWLEDGEMENT],
) {
  const clock = new FakeClock();
  const server = await startMisbehavingServer({ clock, token, backchannel });
  const { addProfile, runWith } = await machine();
  await addProfile(server.issuer, '--client-id', CLIENT_ID, '--login-hint', 'a');
  const run = (...argv: string[]) => runWith({ clock }, ...argv);
  const runIn = (env: Record<string, string>, ...argv: string[]) => runWith({ clock, env }, ...argv);
  return { server, run, runIn };
}

it('ciba request keeps --pending-error for ciba poll, and repeats it in what to go on with', async () => {
  const { run } = await setUp([ODD, ODD, TOKENS]);
  const requested = await run('ciba', 'request', '--pending-error', 'invalid_grant');
  expect(requested.stdout).toContain(
    'Go on with: oauthctl ciba poll --pending-error invalid_grant (within 120 s)',
  );
  expect(await run('ciba', 'poll', '--once')).toMatchObject({ code: 8 });
  const polled = await run('ciba', 'poll', '--field', 'access_token');
  expect(polled).toMatchObject({ code: 0, stdout: 'the-access-token\n' });
});

it('a profile and the environment name pending errors', async () => {
  const start = ['ciba', 'start', '--field', 'access_token'];
  const { run, runIn } = await setUp([ODD, TOKENS, ODD, PENDING, TOKENS], [ACKNOWLEDGEMENT, ACKNOWLEDGEMENT]);
  expect(await runIn({ OAUTHCTL_PENDING_ERROR: 'not_yet, invalid_grant' }, ...start)).toMatchObject({
    code: 0,
  });
  expect(await run('profile', 'set', 'sample', '--pending-error', 'invalid_grant')).toMatchObject({
    code: 0,
  });
  expect(await run(...start)).toMatchObject({ code: 0, stdout: 'the-access-token\n' });
});

it('a first invalid_grant names the option beside its explanation, and the request can be gone on with', async () => {
  const { run } = await setUp([ODD, ODD, TOKENS]);
  const result = await run('--json', 'ciba', 'start');
  expect(result.code).toBe(3);
  const error = readFailure(result);
  expect(error.code).toBe('invalid_grant');
  expect(error.hint).toMatch(
    /^The server does not accept the code, .*go on with "oauthctl ciba poll --pending-error invalid_grant"/,
  );
  expect(await run('ciba', 'poll', '--pending-error', 'invalid_grant')).toMatchObject({ code: 0 });
});

it('a server with another error for pending and for the expiry ends in 6, with its lifetime', async () => {
  const refused = { status: 400, json: { error: 'invalid_request' } };
  const { run } = await setUp([ODD, ODD, refused], [SHORT]);
  const result = await run(
    ...['--json', 'ciba', 'start', '--pending-error', 'invalid_grant', '--requested-expiry', '12'],
  );
  expect(result.code).toBe(6);
  expect(readFailure(result)).toMatchObject({
    code: 'expired',
    message:
      'the request expired 3 s ago, after its lifetime of 12 s; the server answered 400 invalid_request',
    oauth: { error: 'invalid_request' },
  });
});

it('ciba poll --once says how long it waits, but not under --quiet', async () => {
  const { run } = await setUp([PENDING, PENDING]);
  await run('ciba', 'request');
  const first = await run('ciba', 'poll', '--once');
  expect(first).toMatchObject({
    code: 8,
    stderr: expect.stringContaining('the next poll is allowed in 5 s'),
  });
  const second = await run('-q', 'ciba', 'poll', '--once');
  expect(second).toMatchObject({ code: 8, stderr: expect.not.stringContaining('allowed in') });
});

it('ciba poll --once with a deadline before the interval has passed sends nothing, and says so', async () => {
  const { run, server } = await setUp([]);
  await run('ciba', 'request');
  const result = await run('--json', 'ciba', 'poll', '--once', '--deadline', '2');
  expect(result.code).toBe(6);
  expect(readFailure(result)).toMatchObject({
    code: 'deadline',
    message: 'no poll was sent: the next one is allowed in 5 s, and the deadline is in 2 s',
    hint: 'The request is kept; go on with "oauthctl ciba poll".',
  });
  expect(server.to('token')).toEqual([]);
});
