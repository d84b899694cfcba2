import { expect, test } from 'vitest';
import type { Cli, RunningProgram } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { Person } from './person.ts';
import { signIn } from './tokens.ts';

onEachKeycloak({}, (stage) => {
  /** The address holds the ID token: whoever opens it has to see it. */
  const start = (cli: Cli, ...args: string[]) => cli.start('logout', '--json', '--show-secrets', ...args);
  const addressOf = async (running: RunningProgram) => (await running.says(/Open (\S+)\n/))[1] ?? '';
  const isActive = async (cli: Cli, token: unknown): Promise<boolean> => {
    const { exitCode } = await cli.run('introspect', String(token), '--token-type-hint', 'refresh_token');
    return exitCode === 0;
  };
  const register = (redirectUris: string[]) =>
    stage.sample.admin.updateClient(stage.sample.realm, stage.sample.client.id, {
      standardFlowEnabled: true,
      redirectUris,
      attributes: { 'post.logout.redirect.uris': '+' },
    });

  test('the session of the kept refresh token is ended, and its tokens are forgotten', async (context) => {
    const cli = await stage.cli(context);
    const { refresh_token } = await signIn(cli);
    expect(await isActive(cli, refresh_token)).toBe(true);
    expect(await cli.json('logout')).toEqual({ by: 'refresh_token', forgotten: ['sample'] });
    expect(cli.exchanges('end_session')[0]?.answer?.status).toBe(204);
    expect(await isActive(cli, refresh_token)).toBe(false);
    expect(await cli.json('token', 'list')).toEqual({ kept: {} });
  });

  test('what is no refresh token of the client ends nothing, and the refusal is explained', async (context) => {
    const cli = await stage.cli(context);
    const { access_token, refresh_token } = await signIn(cli);
    const refused = async (at: Cli, hint: RegExp, ...args: string[]) => {
      const error = await at.fails(3, 'logout', ...args);
      expect(error).toMatchObject({ code: 'invalid_grant', hint: expect.stringMatching(hint) });
    };
    await refused(cli, /not a refresh token of this server/, 'not-a-token');
    await refused(cli, /not the access token/, String(access_token));
    const other = await stage.cli(context, undefined, { client: stage.sample.plainClient });
    await refused(other, /issued to another client/, String(refresh_token));
    expect(await isActive(cli, refresh_token)).toBe(true);
  });

  test('a browser that is waited for comes back, and the tokens are forgotten', async (context) => {
    await register(['http://127.0.0.1/*']);
    const cli = await stage.cli(context);
    const { refresh_token } = await signIn(cli);
    const running = start(cli, '--post-logout-redirect-uri', 'http://127.0.0.1/gone');
    const url = await addressOf(running);
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      client_id: 'test-client',
      id_token_hint: expect.stringMatching(/^eyJ/),
      state: expect.stringMatching(/^[\w-]{32}$/),
    });
    const forged = new URL(new URL(url).searchParams.get('post_logout_redirect_uri') ?? '');
    forged.searchParams.set('state', 'of-somebody-else');
    expect((await fetch(forged)).status).toBe(400);

    const page = await new Person().open(url);
    expect(page.html).toContain('oauthctl has the answer');
    const { stdout, stderr, exitCode } = await running.ended;
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('was refused');
    expect(JSON.parse(stdout)).toEqual({ by: 'browser', url, returned: true, forgotten: ['sample'] });
    expect(await isActive(cli, refresh_token)).toBe(false);
  });

  test('without the hint the person is asked, on 26, and it may be another session that ends', async (context) => {
    await register(['http://127.0.0.1/*']);
    const cli = await stage.cli(context);
    const person = new Person();
    const code = cli.start(
      ...['token', 'code', '--json', '--scope', 'openid', '--redirect-uri', 'http://127.0.0.1/callback'],
    );
    const { username, password } = stage.sample.user;
    await person.submit(await person.open(await addressOf(code)), { username, password });
    const { refresh_token } = JSON.parse((await code.ended).stdout);

    const way = ['--omit', 'id_token_hint', '--post-logout-redirect-uri', 'http://127.0.0.1/gone'];
    const running = start(cli, ...way);
    const page = await person.open(await addressOf(running));
    if (stage.version === 26) {
      expect(page.html).toContain('Do you want to log out?');
      expect(await isActive(cli, refresh_token)).toBe(true);
      await person.submit(page, { confirmLogout: 'Logout' });
    }
    const { stdout } = await running.ended;
    expect(JSON.parse(stdout)).toMatchObject({ returned: true, forgotten: [] });
    expect(await isActive(cli, refresh_token)).toBe(false);
  });

  test('without a way back the address is all there is, and nothing is forgotten', async (context) => {
    const cli = await stage.cli(context);
    const { refresh_token } = await signIn(cli);
    const running = start(cli, '--no-browser');
    const url = await addressOf(running);
    expect(JSON.parse((await running.ended).stdout)).toEqual({
      by: 'browser',
      url,
      returned: false,
      forgotten: [],
    });
    expect(await isActive(cli, refresh_token)).toBe(true);
    expect((await new Person().open(url)).status).toBe(200);
    expect(await isActive(cli, refresh_token)).toBe(false);
  });

  test('a server that refuses sends nobody back, and the wait ends', async (context) => {
    await register(['http://127.0.0.1/elsewhere']);
    const cli = await stage.cli(context);
    await signIn(cli);
    const running = cli.start(
      ...['logout', '--json', '--show-secrets', '--deadline', '3'],
      ...['--post-logout-redirect-uri', 'http://127.0.0.1/unregistered'],
    );
    const page = await new Person().open(await addressOf(running));
    expect(page.status).toBe(400);
    expect(page.html).toMatch(/invalid redirect uri/i);
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(6);
    expect(stderr).toMatch(/"code":"nobody_came".*register http:\/\/127\.0\.0\.1:\d+\/unregistered/);
  });
});
