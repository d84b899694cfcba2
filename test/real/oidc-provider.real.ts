import { beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import type { OidcProviderServer } from '../lab/oidc-provider.ts';
import { askFor } from '../lab/provided.ts';
import type { Skipped } from '../lab/servers.ts';
import { type Cli, failure, openCli, type RunningProgram, SECRET_VARIABLE } from './cli.ts';
import { type Page, Person } from './person.ts';
import { expectPendingThenTokens } from './tokens.ts';

/** Seconds between two polls where the server names none. @see OpenID CIBA Core 1.0 §7.3 */
const DEFAULT_INTERVAL = 5;

const CIBA = ['--login-hint', 'cl-taro', '--binding-message', 'test-0001'];
const START = ['ciba', 'start', ...CIBA];
const REQUEST = ['ciba', 'request', ...CIBA];
const WITH_REFRESH_TOKEN = ['--scope', 'openid offline_access email'];
/** What oidc-provider issues a JWT for; its other access tokens are opaque. */
const FOR_RESOURCE = ['--param', 'resource=urn:example:api'];

describe('oidc-provider', () => {
  let provided: OidcProviderServer | Skipped = { skipped: 'not asked for yet' };

  beforeAll(async () => {
    provided = await askFor('oidc-provider');
  });

  beforeEach((context) => {
    if ('skipped' in provided) context.skip(provided.skipped);
  });

  function server(): OidcProviderServer {
    if ('skipped' in provided) throw new Error(provided.skipped);
    return provided;
  }

  /** Opens a shell with the profile `sample` in use. */
  async function open(context: TestContext, client = server().client): Promise<Cli> {
    const env = { WRONG_SECRET: 'not-the-secret-of-anybody' };
    const cli = await openCli(context, undefined, { client, env });
    await cli.json(
      ...['profile', 'add', 'sample', '--issuer', server().issuer],
      ...['--client-id', client.clientId, '--client-secret', `env:${SECRET_VARIABLE}`],
    );
    return cli;
  }

  /** Answers the last authentication request of the user, in place of an authentication device. */
  async function decide(decision: 'approve' | 'deny'): Promise<void> {
    const answer = await fetch(`${server().controlUrl}/${decision}?user=cl-taro`, { method: 'POST' });
    expect(answer.status).toBe(204);
  }

  /** Runs a flow that the user approves while the client polls every second. */
  async function signIn(cli: Cli, ...args: string[]): Promise<Record<string, unknown>> {
    const running = cli.start(...START, '--interval', '1', '--json', ...args);
    await running.says('authorization_pending');
    await decide('approve');
    return result(running);
  }

  async function result(running: RunningProgram): Promise<Record<string, unknown>> {
    const run = await running.ended;
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    return JSON.parse(run.stdout);
  }

  test('the metadata below the issuer names every endpoint', async (context) => {
    const cli = await open(context);
    const { issuer } = server();
    expect(await cli.json('discover')).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
      backchannel_authentication_endpoint: `${issuer}/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll'],
    });
  });

  describe('CIBA', () => {
    test('an approved request ends in tokens; without an interval polls are 5 s apart', async (context) => {
      const cli = await open(context);
      const running = cli.start(...START, ...WITH_REFRESH_TOKEN, '--json');
      await running.says('authorization_pending');
      await decide('approve');
      expect(await result(running)).toMatchObject({
        token_type: 'Bearer',
        scope: 'openid offline_access email',
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        id_token: expect.any(String),
      });
      expect((await running.ended).stderr).toContain('id_token verified: RS256, sub cl-taro');
      const [request] = cli.exchanges('backchannel_authentication');
      expect(Object.keys(JSON.parse(request?.answer?.body ?? ''))).toEqual(['expires_in', 'auth_req_id']);
      expectPendingThenTokens(cli);
      const sentAt = [request, ...cli.exchanges('token')].map((one) => Date.parse(one?.at ?? ''));
      for (const [index, at] of sentAt.slice(1).entries())
        expect(at - (sentAt[index] ?? 0)).toBeGreaterThanOrEqual(DEFAULT_INTERVAL * 1000);
    });

    test('a denied request exits 7', async (context) => {
      const cli = await open(context);
      const running = cli.start(...START, '--interval', '1', '--json');
      await running.says('authorization_pending');
      await decide('deny');
      const error = failure(await running.ended, 7);
      expect(error).toMatchObject({ code: 'access_denied', oauth: { status: 400 } });
      expect(error.hint).toContain('The user denied');
    });

    test('a request that nobody answers exits 6 once the lifetime asked for is over', async (context) => {
      const cli = await open(context);
      const error = await cli.fails(6, ...START, '--requested-expiry', '3', '--interval', '1');
      expect(['expired', 'expired_token']).toContain(error.code);
      const [request] = cli.exchanges('backchannel_authentication');
      expect(JSON.parse(request?.answer?.body ?? '')).toMatchObject({ expires_in: 3 });
    });

    test('request, poll --once and poll make one flow as separate processes', async (context) => {
      const cli = await open(context);
      const { auth_req_id } = await cli.json(...REQUEST);
      const once = await cli.fails(8, 'ciba', 'poll', '--once', '--interval', '1');
      expect(once.code).toBe('authorization_pending');
      const late = await cli.fails(6, 'ciba', 'poll', '--interval', '1', '--deadline', '2');
      expect(late).toMatchObject({ code: 'deadline', hint: expect.stringContaining('oauthctl ciba poll') });
      await decide('approve');
      expect(await cli.json('ciba', 'poll')).toMatchObject({ id_token: expect.any(String) });
      expect(await cli.fails(2, 'ciba', 'poll')).toMatchObject({ code: 'nothing_pending' });
      const used = await cli.fails(3, 'ciba', 'poll', String(auth_req_id), '--once');
      expect(used.code).toBe('invalid_grant');
    });

    test.for([
      ['an unknown user', ['--login-hint', 'cl-nobody'], 'unknown_user_id', /--login-hint/],
      [
        'a message with spaces',
        ['--binding-message', 'test message'],
        'invalid_binding_message',
        /^The server does not accept the binding message/,
      ],
    ] as const)('%s is refused', async ([, args, code, hint], context) => {
      const cli = await open(context);
      const error = await cli.fails(3, ...REQUEST, ...args);
      expect(error).toMatchObject({ code, oauth: { status: 400 }, hint: expect.stringMatching(hint) });
    });

    test('a client without the grant is refused', async (context) => {
      const cli = await open(context, server().plainClient);
      const error = await cli.fails(3, ...REQUEST);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('grant_types') });
    });
  });

  describe('tokens', () => {
    test('client credentials bring an opaque token, which is introspected and revoked', async (context) => {
      const cli = await open(context);
      const { access_token } = await cli.json('token', 'client-credentials');
      expect(await cli.json('introspect')).toMatchObject({ active: true, client_id: 'test-client' });
      expect(await cli.json('revoke')).toEqual({ accepted: true, forgotten: ['sample'] });
      const error = await cli.fails(4, 'introspect', String(access_token));
      expect(error.code).toBe('token_inactive');
    });

    test('a JWT is verified by the keys of the server, which neither introspects nor revokes it', async (context) => {
      const cli = await open(context);
      await cli.json('token', 'client-credentials', ...FOR_RESOURCE);
      expect(await cli.json('jwt', 'verify', '@last.access_token')).toMatchObject({ valid: true });
      for (const command of ['introspect', 'revoke'])
        expect(await cli.fails(3, command)).toMatchObject({
          code: 'unsupported_token_type',
          hint: expect.stringContaining('The access token is a JWT.'),
        });
      expect(await cli.json('token', 'list')).toMatchObject({ kept: { sample: expect.anything() } });
    });

    test('a refresh brings a verified ID token of the same user', async (context) => {
      const cli = await open(context);
      const first = await signIn(cli, ...WITH_REFRESH_TOKEN);
      const run = await cli.run('token', 'refresh', '--json');
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stderr).toContain('id_token verified: RS256, sub cl-taro');
      expect(JSON.parse(run.stdout).access_token).not.toBe(first.access_token);
      const refused = await cli.fails(3, 'token', 'refresh', 'not-a-refresh-token');
      expect(refused.code).toBe('invalid_grant');
      await cli.json('token', 'refresh');
    });

    test('a kept ID token says who is to be asked', async (context) => {
      const cli = await open(context);
      await signIn(cli);
      await cli.json('ciba', 'request', '--id-token-hint', '@last.id_token');
      await decide('approve');
      expect(await cli.json('ciba', 'poll', '--interval', '1')).toMatchObject({ scope: 'openid' });
    });

    test('the user of the token is shown', async (context) => {
      const cli = await open(context);
      await signIn(cli, ...WITH_REFRESH_TOKEN);
      expect(await cli.json('userinfo')).toEqual({ sub: 'cl-taro', email: 'cl-taro@example.org' });
    });

    test('a revoked refresh token takes its access token with it', async (context) => {
      const cli = await open(context);
      const { access_token, refresh_token } = await signIn(cli, ...WITH_REFRESH_TOKEN);
      expect(await cli.json('introspect', '@last.refresh_token')).toMatchObject({ active: true });
      await cli.json('revoke');
      for (const token of [access_token, refresh_token])
        expect(await cli.fails(4, 'introspect', `Bearer ${token}`)).toMatchObject({ code: 'token_inactive' });
      expect((await cli.fails(3, 'userinfo', String(access_token))).oauth?.status).toBe(401);
    });

    test('a grant that the server does not know is refused', async (context) => {
      const cli = await open(context);
      const args = ['--username', 'cl-taro', '--password', 'env:WRONG_SECRET'];
      const error = await cli.fails(3, 'token', 'password', ...args);
      expect(error).toMatchObject({ code: 'unsupported_grant_type', oauth: { status: 400 } });
    });

    test('a wrong client secret is refused', async (context) => {
      const cli = await open(context);
      const error = await cli.fails(3, 'token', 'client-credentials', '--client-secret', 'env:WRONG_SECRET');
      expect(error).toMatchObject({ code: 'invalid_client', oauth: { status: 401 } });
      expect(error.hint).toContain('--client-secret');
    });
  });

  describe('a person in front of a browser', () => {
    /** Signs in on oidc-provider's development pages and consents. @returns where the browser ended up */
    async function signInAt(person: Person, page: Page): Promise<Page> {
      const consent = await person.submit(page, { login: 'cl-taro', password: 'any' });
      return person.submit(consent, {});
    }

    test.for([
      [
        'an unknown redirect URI',
        ['--redirect-uri', 'http://127.0.0.1/no'],
        'invalid_redirect_uri',
        /not registered/,
      ],
      ['an unknown client', ['--client-id', 'nobody'], 'invalid_client', /does not know the client id/],
      [
        'an unknown response type',
        ['--response-type', 'token'],
        'unsupported_response_type',
        /does not know this/,
      ],
      [
        'a type that the client may not use',
        ['--response-type', 'id_token'],
        'invalid_request',
        /may not use this/,
      ],
      [
        'another method of the challenge',
        ['--param', 'code_challenge_method=plain'],
        'invalid_request',
        /PKCE/,
      ],
    ] as const)(
      '%s ends token code before a browser is sent: exit 3',
      async ([, args, code, hint], context) => {
        const cli = await open(context);
        const { exitCode, stderr } = await cli.start('token', 'code', '--json', ...args).ended;
        expect(exitCode, stderr).toBe(3);
        expect(stderr).not.toContain('Open ');
        expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
          code,
          hint: expect.stringMatching(hint),
        });
      },
    );

    test('logout sends neither secret nor refresh token: exit 4', async (context) => {
      const cli = await open(context);
      await signIn(cli, ...WITH_REFRESH_TOKEN);
      expect(await cli.fails(4, 'logout')).toMatchObject({ code: 'logout_by_browser_only' });
      expect(cli.exchanges('end_session')).toEqual([]);
    });

    test('token code brings verified tokens, which are refreshed', async (context) => {
      const cli = await open(context);
      const running = cli.start('token', 'code', '--json', ...WITH_REFRESH_TOKEN, '--prompt', 'consent');
      const [, address = ''] = await running.says(/Open (\S+)\n/);
      const person = new Person();
      const page = await signInAt(person, await person.open(address));
      expect(page.html).toContain('You may close this window');
      expect(await result(running)).toMatchObject({ scope: 'openid offline_access email' });
      expect((await running.ended).stderr).toContain('id_token verified: RS256, sub cl-taro');
      await cli.json('token', 'refresh');
    });

    test.for([
      ['approves', {}, 0],
      ['aborts', { abort: 'yes' }, 7],
    ] as const)(
      'token device, where the person %s, exits with the right code',
      async ([, button, exitCode], context) => {
        const cli = await open(context);
        const running = cli.start('token', 'device', '--scope', 'openid', '--json');
        const [, address = '', code = ''] = await running.says(/Open (\S+)\s+and enter the code (\S+)/);
        const person = new Person();
        const confirmation = await person.submit(await person.open(address), { user_code: code });
        const next = await person.submit(confirmation, button);
        if (exitCode === 0) await signInAt(person, next);
        const run = await running.ended;
        expect(run.exitCode, run.stderr).toBe(exitCode);
        if (exitCode === 0) expect(run.stderr).toContain('id_token verified: RS256, sub cl-taro');
      },
    );
  });
});
