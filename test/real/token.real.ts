import { expect, test } from 'vitest';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { PASSWORD_GRANT } from './tokens.ts';

onEachKeycloak({ also24: true }, (stage) => {
  test('client credentials bring a token for the client itself', async (context) => {
    const cli = await stage.cli(context);
    const tokens = await cli.json('token', 'client-credentials');
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: computeSecondsLeft(300) });
    expect(tokens).not.toHaveProperty('id_token');
    expect(cli.exchanges('token')).toHaveLength(1);
  });

  test('client_secret_post is taken as well', async (context) => {
    const cli = await stage.cli(context);
    await cli.json('token', 'client-credentials', '--auth-method', 'client_secret_post');
    const [exchange] = cli.exchanges('token');
    expect(exchange?.request.body).toContain('client_secret=(masked)');
    expect(exchange?.request.headers).not.toHaveProperty('authorization');
  });

  test('a password brings tokens, and the ID token is verified', async (context) => {
    const cli = await stage.cli(context);
    const run = await cli.run(...PASSWORD_GRANT, '--scope', 'openid');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('id_token verified: RS256');
    expect(run.stdout).toContain('preferred_username');
  });

  test('a refresh takes what was kept, and what it brings is kept in turn', async (context) => {
    const cli = await stage.cli(context);
    const first = await cli.json(...PASSWORD_GRANT);
    const second = await cli.json('token', 'refresh');
    const third = await cli.json('token', 'refresh', '@last.refresh_token');
    const brought = [first, second, third].map((tokens) => tokens.refresh_token);
    expect(new Set(brought).size).toBe(3);
    expect(cli.exchanges('token').map(({ answer }) => answer?.status)).toEqual([200, 200, 200]);
  });

  test('a refused refresh leaves the kept token as it was', async (context) => {
    const cli = await stage.cli(context);
    await cli.json(...PASSWORD_GRANT);
    const error = await cli.fails(3, 'token', 'refresh', 'not-a-refresh-token');
    expect(error.code).toBe('invalid_grant');
    await cli.json('token', 'refresh');
  });

  test('a wrong password is refused with what to do about it', async (context) => {
    const cli = await stage.cli(context, undefined, { env: { USER_PASSWORD: 'not-the-password' } });
    // 14 answers 401, 26 answers 400.
    const error = await cli.fails(3, ...PASSWORD_GRANT);
    expect(error).toMatchObject({
      code: 'invalid_grant',
      oauth: { error_description: 'Invalid user credentials' },
    });
    expect(error.hint).toContain('password');
  });

  test('a client without a service account is told which switch is off', async (context) => {
    const cli = await stage.cli(context, undefined, { client: stage.sample.plainClient });
    const error = await cli.fails(3, 'token', 'client-credentials');
    expect(error.code).toBe('unauthorized_client');
    expect(error.hint).toContain('Service accounts');
  });

  test('an unknown scope is refused', async (context) => {
    const cli = await stage.cli(context);
    const error = await cli.fails(3, 'token', 'client-credentials', '--scope', 'no-such-scope');
    expect(error.code).toBe('invalid_scope');
  });
});
