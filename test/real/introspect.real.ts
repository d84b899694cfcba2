import { expect, type TestContext, test } from 'vitest';
import type { SampleClient } from '../lab/sample-realm.ts';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { createIntrospector, signIn, untilExpired } from './tokens.ts';

onEachKeycloak({ also24: true }, (stage) => {
  /** The client of a resource server; on 26 it is in the `aud` of what `test-client` gets. */
  let introspector: SampleClient;

  stage.prepare(async () => {
    introspector = await createIntrospector(stage.sample);
  });

  const open = (context: TestContext, client = stage.sample.client): Promise<Cli> =>
    stage.cli(context, undefined, { client, env: { INTROSPECTOR_SECRET: introspector.secret } });
  const AS_INTROSPECTOR = ['--client-id', 'introspector', '--client-secret', 'env:INTROSPECTOR_SECRET'];
  const introspect = (cli: Cli, ...args: string[]) => cli.json('introspect', ...AS_INTROSPECTOR, ...args);
  const inactive = async (cli: Cli, hint: RegExp, ...args: string[]) => {
    const error = await cli.fails(4, 'introspect', ...AS_INTROSPECTOR, ...args);
    expect(error).toMatchObject({ code: 'token_inactive', hint: expect.stringMatching(hint) });
  };

  test('a live token is active, and everything that the server knows of it is shown', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const answer = await introspect(cli);
    expect(answer).toMatchObject({
      active: true,
      client_id: 'test-client',
      username: 'cl-taro',
      iss: stage.sample.issuer,
      sub: stage.sample.user.id,
    });
    const run = await cli.run('introspect', ...AS_INTROSPECTOR);
    expect(run.stdout).toMatch(/^active · expires in 4 min \d+ s\n/);
    expect(run.stdout).toMatch(/^ +exp +\d+ \(\d{4}-\d\d-\d\dT[\d:]+Z\)$/m);
    expect(run.stderr).toMatch(/server → client +200 +active/);
  });

  test('a kept refresh token is asked for with its hint, without which 26 does not know it', async (context) => {
    const cli = await open(context);
    const { refresh_token } = await signIn(cli);
    const answer = await cli.json('introspect', '@last.refresh_token');
    expect(answer).toMatchObject({ active: true, typ: 'Refresh' });
    expect(cli.exchanges('introspection').at(-1)?.request.body).toContain('token_type_hint=refresh_token');
    const given = await cli.run('introspect', String(refresh_token));
    expect(given.exitCode).toBe(stage.expected(4, 0, 0));
    if (stage.version === 26) expect(given.stderr).toContain('--token-type-hint refresh_token');
  });

  test('a client that is not in aud is told so on 26', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const run = await cli.run('introspect', '--json');
    expect(run.exitCode).toBe(stage.expected(4, 0, 0));
    if (stage.version === 26)
      expect(run.stderr).toMatch(/test-client is not in its aud, which is introspector/);
  });

  test('what was ended is inactive, however it was ended', async (context) => {
    const cli = await open(context);
    const { admin, realm, user, client } = stage.sample;
    const ended = /By its claims it is valid, so it was revoked/;

    const { access_token } = await signIn(cli);
    await cli.json('revoke', '@last.access_token');
    await inactive(cli, ended, String(access_token));

    await signIn(cli);
    await admin.logoutUser(realm, user.id);
    await inactive(cli, ended);

    await signIn(cli);
    await admin.updateUser(realm, user.id, { enabled: false });
    await inactive(cli, ended);
    await admin.updateUser(realm, user.id, { enabled: true });

    await signIn(cli);
    await admin.updateClient(realm, client.id, { enabled: false });
    await inactive(cli, ended);
    await admin.updateClient(realm, client.id, { enabled: true });

    const { access_token: last } = await signIn(cli);
    await introspect(cli);
    await cli.json('logout');
    await inactive(cli, ended, String(last));
  });

  test('an expired token, one of another realm and one that is none are told apart', async (context) => {
    const cli = await open(context);
    const { admin, realm, client } = stage.sample;
    await admin.updateClient(realm, client.id, { attributes: { 'access.token.lifespan': '1' } });
    const brief = await cli.json('token', 'client-credentials');
    await admin.updateClient(realm, client.id, { attributes: { 'access.token.lifespan': '' } });
    await untilExpired(brief.access_token);
    await inactive(cli, /^It expired \d+ s ago \(exp\)\.$/);

    const other = await stage.realm(context, {});
    const foreign = await stage.cli(context, other);
    const { access_token } = await signIn(foreign);
    cli.know(String(access_token));
    await inactive(cli, /^It is of another issuer: /, String(access_token));
    await inactive(cli, /^The token cannot be decoded here/, 'not-a-token');
  });

  test('who may not ask is refused, and told why', async (context) => {
    const cli = await open(context);
    const { admin, realm } = stage.sample;
    await signIn(cli);
    await admin.createClient(realm, { clientId: 'public-client', publicClient: true });
    const asPublic = ['--client-id', 'public-client', '--auth-method', 'none'];
    const refused = async (hint: RegExp, ...args: string[]) => {
      const error = await cli.fails(3, 'introspect', ...args);
      expect(error).toMatchObject({ hint: expect.stringMatching(hint) });
      return error;
    };
    await refused(/to confidential clients only/, ...asPublic);
    const wrong = await refused(/--client-secret/, '--client-secret', 'env:USER_PASSWORD');
    expect(wrong.oauth?.status).toBe(401);
    await refused(/token_type_hint/, '--token-type-hint', 'nonsense');
  });

  test('a signed answer that was asked for and did not come is no answer', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const error = await cli.fails(4, 'introspect', ...AS_INTROSPECTOR, '--jwt');
    expect(error).toMatchObject({ code: 'introspection_not_signed' });
    expect(cli.exchanges('introspection')[0]?.request.headers.accept).toBe(
      'application/token-introspection+jwt',
    );
  });

  test("Keycloak 26's member jwt is shown where the client may have it", async (context) => {
    const cli = await open(context);
    const { admin, realm } = stage.sample;
    const attributes = { 'client.introspection.response.allow.jwt.claim.enabled': 'true' };
    await admin.updateClient(realm, introspector.id, { attributes });
    await signIn(cli);
    const answer = await introspect(cli, '--accept', 'application/jwt');
    cli.know(String(answer.jwt));
    expect(answer).toMatchObject({
      active: true,
      ...stage.expected({ jwt: expect.stringMatching(/^eyJ[^.]+\.[^.]+\.[^.]+$/) }, {}, {}),
    });
    expect('jwt' in answer).toBe(stage.version === 26);
  });
});
