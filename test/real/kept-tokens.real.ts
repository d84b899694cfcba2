import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { PASSWORD_GRANT, untilExpired } from './tokens.ts';

/** Seconds; enough for two runs of the program on a busy machine, short enough to be waited for. */
const LIFESPAN = 20;

onEachKeycloak({}, (stage) => {
  /** A shell on a realm that takes each refresh token once. */
  const open = async (context: TestContext, lifespan = 300) => {
    const sample = await stage.realm(context, {});
    await sample.admin.updateRealm(sample.realm, {
      revokeRefreshToken: true,
      refreshTokenMaxReuse: 0,
      accessTokenLifespan: lifespan,
    });
    return { cli: await stage.cli(context, sample), sample };
  };
  const grants = (cli: Cli) =>
    cli.exchanges('token').map(({ request }) => new URLSearchParams(request.body).get('grant_type'));
  const kept = async (cli: Cli) =>
    JSON.parse(await readFile(join(cli.home, 'tokens.json'), 'utf8')).last.sample.response;

  test('a refresh token is taken once by this realm', async (context) => {
    const { cli } = await open(context);
    const { refresh_token } = await cli.json(...PASSWORD_GRANT);
    await cli.json('token', 'refresh', String(refresh_token));
    expect((await cli.fails(3, 'token', 'refresh', String(refresh_token))).code).toBe('invalid_grant');
  });

  test('runs that refresh at the same time all succeed, and what is kept still refreshes', async (context) => {
    const { cli } = await open(context);
    await cli.json(...PASSWORD_GRANT);
    const brought = await Promise.all([1, 2, 3, 4].map(() => cli.json('token', 'refresh')));
    const { refresh_token } = await kept(cli);
    expect(brought.map((tokens) => tokens.refresh_token)).toContain(refresh_token);
    expect(cli.exchanges('token').map(({ answer }) => answer?.status)).not.toContain(400);
    await cli.json('token', 'refresh');
  });

  test('--reuse gives the same token without a request, then refreshes it', async (context) => {
    const { cli } = await open(context, LIFESPAN);
    const reuse = [...PASSWORD_GRANT, '--reuse', '--min-ttl', '1'];
    const first = await cli.json(...reuse);
    const again = await cli.run(...reuse, '--field', 'access_token');
    expect(again).toMatchObject({ exitCode: 0, stdout: `${first.access_token}\n`, trace: [] });
    await untilExpired(first.access_token);
    const later = await cli.json(...reuse);
    expect(later.access_token).not.toBe(first.access_token);
    expect(grants(cli)).toEqual(['password', 'refresh_token']);
  });

  test('--reuse requests anew where the session has ended, and tells the refusal', async (context) => {
    const { cli, sample } = await open(context);
    const first = await cli.json(...PASSWORD_GRANT, '--reuse');
    await sample.admin.logoutUser(sample.realm, sample.user.id);
    const run = await cli.run(...PASSWORD_GRANT, '--reuse', '--min-ttl', '1000', '--field', 'access_token');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toMatch(/warning: the server answered 400 invalid_grant.*requesting new tokens/);
    expect(run.stdout.trim()).not.toBe(first.access_token);
    expect(grants(cli)).toEqual(['password', 'refresh_token', 'password']);
  });

  test('--reuse does for client credentials, which bring no refresh token', async (context) => {
    const { cli } = await open(context);
    const reuse = ['token', 'client-credentials', '--reuse', '--field', 'access_token'];
    const [first, second] = [await cli.run(...reuse), await cli.run(...reuse)];
    expect(second).toMatchObject({ exitCode: 0, stdout: first.stdout, trace: [] });
    const third = await cli.run(...reuse, '--min-ttl', '1000');
    expect(third.exitCode).toBe(0);
    expect(third.stdout).not.toBe(first.stdout);
  });
});
