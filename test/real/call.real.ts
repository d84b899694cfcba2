import { expect, test } from 'vitest';
import type { Run } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { PASSWORD_GRANT, signIn, untilExpired } from './tokens.ts';

onEachKeycloak({}, (stage) => {
  const userinfo = () => `${stage.sample.issuer}/protocol/openid-connect/userinfo`;
  /** The error of a refused call: 26 says it in the challenge alone. */
  const refusal = (run: Run) => {
    expect(run).toMatchObject({ exitCode: 3, stdout: '' });
    return JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '').error;
  };

  test('the kept token brings the claims of the person, as they come and as JSON', async (context) => {
    const cli = await stage.cli(context);
    await cli.json(...PASSWORD_GRANT, '--scope', 'openid');
    expect(await cli.json('call', userinfo())).toMatchObject({ preferred_username: 'cl-taro' });
    const raw = await cli.run('call', userinfo());
    expect(raw.stdout).not.toContain('\n');
    expect(JSON.parse(raw.stdout)).toMatchObject({ preferred_username: 'cl-taro' });
    const field = await cli.run('call', userinfo(), '--field', 'preferred_username');
    expect(field.stdout).toBe('cl-taro\n');
    const [exchange] = cli.exchanges('resource');
    expect(exchange?.request.headers.authorization).toBe('Bearer (masked)');
  });

  test('a token that is none is refused and explained', async (context) => {
    const cli = await stage.cli(context);
    const error = refusal(await cli.run('call', userinfo(), '--token', 'garbage-of-a-token', '--json'));
    expect(error).toMatchObject({
      code: 'invalid_token',
      exit_code: 3,
      oauth: { error: 'invalid_token', error_description: 'Token verification failed', status: 401 },
      hint: expect.stringContaining('does not accept the token'),
    });
  });

  test('an expired token is told before, refused and refreshed', async (context) => {
    const sample = await stage.realm(context, {});
    await sample.admin.updateRealm(sample.realm, { accessTokenLifespan: 10 });
    const cli = await stage.cli(context, sample);
    const url = `${sample.issuer}/protocol/openid-connect/userinfo`;
    const { access_token } = await signIn(cli);
    await untilExpired(access_token);
    const run = await cli.run('call', url, '--json');
    expect(run.stderr).toMatch(/^warning: the kept access token has expired/m);
    expect(refusal(run)).toMatchObject({
      oauth: { status: 401 },
      hint: expect.stringContaining('--refresh'),
    });
    expect(await cli.json('call', url, '--refresh')).toMatchObject({ preferred_username: 'cl-taro' });
  });

  test('a token without the scope that is needed is refused with 403 on 26, and taken by 14', async (context) => {
    const cli = await stage.cli(context);
    await cli.json(...PASSWORD_GRANT);
    const run = await cli.run('call', userinfo(), '--json');
    if (stage.version === 14) {
      expect(run.exitCode).toBe(0);
      return;
    }
    expect(refusal(run)).toMatchObject({
      code: 'insufficient_scope',
      oauth: { status: 403 },
      hint: expect.stringContaining('--scope openid'),
    });
  });

  test('a client that may not use an interface is refused with 403', async (context) => {
    const cli = await stage.cli(context);
    await cli.json('token', 'client-credentials');
    const admin = `${stage.server.baseUrl}/admin/realms/${stage.sample.realm}/users`;
    const error = refusal(await cli.run('call', admin, '--json'));
    expect(error).toMatchObject({ exit_code: 3, oauth: { status: 403 } });
    expect(error.hint).toBeTruthy();
  });

  test('without a token the server says what it wants', async (context) => {
    const cli = await stage.cli(context);
    const error = refusal(await cli.run('call', userinfo(), '--no-token', '--json'));
    expect(error.oauth).toMatchObject(
      stage.expected({ status: 401 }, { status: 400, error: 'invalid_request' }),
    );
  });
});
