import { describe, expect, it } from 'vitest';
import { machine, readFailure } from '../helpers/run.ts';

describe('a setting that its check refuses', () => {
  it.each([
    [{ OAUTHCTL_ISSUER: 'as.example' }, 'issuer_invalid', 'OAUTHCTL_ISSUER takes an http or https URL'],
    [{ OAUTHCTL_TIMEOUT: 'soon' }, 'seconds_invalid', 'OAUTHCTL_TIMEOUT takes a positive number of seconds'],
    [{ OAUTHCTL_DPOP: 'maybe' }, 'dpop_invalid', 'OAUTHCTL_DPOP takes true or false'],
    [
      { OAUTHCTL_AUTH_METHOD: 'magic' },
      'auth_method_unknown',
      'OAUTHCTL_AUTH_METHOD: "magic" is not a supported client authentication method',
    ],
    [{ OAUTHCTL_DEVICE_LISTEN: 'nowhere' }, 'listen_invalid', 'OAUTHCTL_DEVICE_LISTEN: "nowhere" is not'],
  ])('is named by its environment variable before anything is sent: %j', async (env, code, message) => {
    const { runWith } = await machine();
    const given = { OAUTHCTL_ISSUER: 'http://127.0.0.1:1', OAUTHCTL_CLIENT_ID: 'a', ...env };
    const result = await runWith({ env: given }, 'ciba', 'start', '--login-hint', 'a', '--json');
    expect(readFailure(result)).toMatchObject({
      code,
      exit_code: 2,
      message: expect.stringContaining(message),
    });
  });

  it('is named by its member where a profile holds it', async () => {
    const { home, addProfile, run } = await machine();
    await addProfile('http://127.0.0.1:1');
    const { openStore } = await import('../../src/store/index.ts');
    const { profiles } = openStore({ OAUTHCTL_HOME: home });
    await profiles.set('sample', { dpop: 'maybe' });
    expect(readFailure(await run('token', 'client-credentials', '--json'))).toMatchObject({
      code: 'dpop_invalid',
      message: 'dpop of the profile takes true or false; "maybe" is invalid',
    });
  });

  it('hinders no command that has no option for it', async () => {
    const { runWith } = await machine();
    const { code } = await runWith({ env: { OAUTHCTL_DPOP: 'maybe' } }, 'profile', 'list');
    expect(code).toBe(0);
  });
});

describe('standard input that two readers want', () => {
  it.each([
    [
      ['token', 'password', '--username', 'a', '--password', '-', '--client-secret', '-'],
      ['--password', '--client-secret'],
    ],
    [
      ['token', 'password', '--username', 'a', '--client-secret', '-', '--password', '-'],
      ['--password', '--client-secret'],
    ],
    [
      ['introspect', '-', '--client-secret', '-'],
      ['--client-secret', 'the argument token'],
    ],
    [
      ['jwt', 'decode', '-', '-'],
      ['the argument token', 'the argument token'],
    ],
    [
      ['jwt', 'verify', '--secret', '-'],
      ['--secret', 'the token'],
    ],
    [
      ['jwt', 'verify', '--secret', '-', '--lines'],
      ['--secret', '--lines'],
    ],
    [
      ['call', 'http://127.0.0.1:1/', '--token', '-', '--data', '-'],
      ['--token', '--data'],
    ],
    [
      ['token', 'exchange', '--subject-token', '-', '--actor-token', '-'],
      ['--subject-token', '--actor-token'],
    ],
    [
      ['ciba', 'request', '--user-code', '-', '--id-token-hint', '-'],
      ['--user-code', '--id-token-hint'],
    ],
    [
      ['profile', 'add', 'a', '--client-secret', '-', '--client-assertion', '-'],
      ['--client-secret', '--client-assertion'],
    ],
    [
      ['ciba', 'poll', '-', '--client-secret', '-'],
      ['--client-secret', 'the argument auth_req_id'],
    ],
  ])('is refused before anything is sent, and both are named: %j', async (argv, [one = '', other = '']) => {
    const { runWith } = await machine();
    // Nothing listens there: a request would fail with another code.
    const env = { OAUTHCTL_ISSUER: 'http://127.0.0.1:1', OAUTHCTL_CLIENT_ID: 'a' };
    const failure = readFailure(await runWith({ stdin: 'text', env }, ...argv, '--json'));
    expect(failure).toMatchObject({ code: 'stdin_twice', exit_code: 2 });
    expect(failure.message).toMatch(/^standard input cannot be both /);
    expect(failure.message).toContain(one);
    expect(failure.message).toContain(other);
  });

  it('may come from the environment', async () => {
    const { runWith } = await machine();
    const env = {
      OAUTHCTL_ISSUER: 'http://127.0.0.1:1',
      OAUTHCTL_CLIENT_ID: 'a',
      OAUTHCTL_CLIENT_SECRET: '-',
    };
    const result = await runWith({ env }, 'introspect', '-', '--json');
    expect(readFailure(result)).toMatchObject({ code: 'stdin_twice' });
  });
});
