import { expect, type TestContext, test } from 'vitest';
import { openPage, signIn as signInWith } from './browser.ts';
import type { Cli, RunningProgram } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { type Page, Person } from './person.ts';

onEachKeycloak({ also24: true, attributes: { oauth2DevicePollingInterval: '1' } }, (stage) => {
  const open = async (context: TestContext): Promise<Cli> => {
    const { admin, realm, client } = stage.sample;
    const attributes = { 'oauth2.device.authorization.grant.enabled': 'true' };
    await admin.updateClient(realm, client.id, { attributes });
    return stage.cli(context);
  };

  /** What the person is told on stderr. */
  const invitation = async (run: RunningProgram) => {
    const [, page = '', code = '', complete = ''] = await run.says(
      /Open (\S+)\s+and enter the code (\S+)\s+or open (\S+)\n/,
    );
    return { page, code, complete };
  };

  const signIn = (person: Person, page: Page) => {
    const { username, password } = stage.sample.user;
    return person.submit(page, { username, password });
  };

  test('a person who enters the code, signs in and says yes brings verified tokens', async (context) => {
    const cli = await open(context);
    const running = cli.start('token', 'device', '--scope', 'openid', '--json', '-v');
    const { page, code, complete } = await invitation(running);
    const person = new Person();
    const login = await person.submit(await person.open(page), { device_user_code: code });
    const done = await person.submit(await signIn(person, login), { accept: 'Yes' });
    expect(done.html).toContain('Device Login Successful');

    const run = await running.ended;
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
    expect(run.stderr).toContain('id_token verified: RS256');
    // Shown to be typed, in both forms, and nowhere else.
    expect(complete).toContain(code);
    expect(run.stderr.split(code)).toHaveLength(3);
    expect(run.traceText).not.toContain(code);
    const polls = cli.exchanges('token');
    expect(polls.at(-1)?.answer?.status).toBe(200);
    for (const { request } of polls) expect(request.body).toContain('device_code=(masked)');
    // What came is kept.
    await cli.json('token', 'refresh');
  });

  test('in a real Chromium, from the code to the tokens', async (context) => {
    const cli = await open(context);
    const tab = await openPage(context);
    const running = cli.start('token', 'device', '--scope', 'openid', '--json');
    const { page, code } = await invitation(running);
    await tab.goto(page);
    await tab.fill('[name=device_user_code]', code);
    await tab.keyboard.press('Enter');
    await signInWith(tab, stage.sample.user);
    await tab.click('[name=accept]');
    await tab.getByText('Device Login Successful').waitFor();
    const run = await running.ended;
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
  });

  test('a person who says no ends the flow with exit code 7', async (context) => {
    const cli = await open(context);
    const running = cli.start('token', 'device', '--json');
    const { complete } = await invitation(running);
    const person = new Person();
    const consent = await signIn(person, await person.open(complete));
    const done = await person.submit(consent, { cancel: 'No' });
    expect(done.html).toContain('Consent denied');

    const run = await running.ended;
    expect(run).toMatchObject({ exitCode: 7, stdout: '' });
    const { error } = JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '');
    expect(error).toMatchObject({ code: 'access_denied', oauth: { status: 400 } });
    expect(error.hint).toContain('denied the request');
  });

  test('a code that nobody enters expires with exit code 6', async (context) => {
    const cli = await open(context);
    const { admin, realm } = stage.sample;
    await admin.updateRealm(realm, { oauth2DeviceCodeLifespan: 3 });
    context.onTestFinished(() => admin.updateRealm(realm, { oauth2DeviceCodeLifespan: 600 }));
    const error = await cli.fails(6, 'token', 'device');
    expect(['expired', 'expired_token']).toContain(error.code);
    expect(error.hint).toMatch(/did not approve|new request/);
  });

  test('an interruption while the code waits ends it with exit code 130', async (context) => {
    const cli = await open(context);
    const running = cli.start('token', 'device');
    await running.says('authorization_pending');
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130, stdout: '' });
  });

  test('a client without the grant is told which switch is off', async (context) => {
    const client = stage.sample.plainClient;
    const cli = await stage.cli(context, undefined, { client });
    // 14 refuses with a page for people.
    const error = await cli.fails(stage.expected(3, 5), 'token', 'device');
    expect(error.code).toBe(stage.expected('unauthorized_client', 'not_the_protocol'));
    expect(error.hint).toContain('oauth2.device.authorization.grant.enabled');
  });
});
