import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Cli, type ErrorDocument, failure, openCli, type RunningProgram, serverUrl } from './cli.ts';
import { onEachKeycloak, type Stage } from './keycloaks.ts';

const REQUEST = ['ciba', 'request', '--login-hint', 'cl-taro'];

/** A request that the server refuses, what it says on each version, and what the hint has to tell. */
interface Refusal {
  what: string;
  args: readonly string[];
  on26: NonNullable<ErrorDocument['oauth']>;
  on14: NonNullable<ErrorDocument['oauth']>;
  hint: RegExp;
}

function refusal(
  what: string,
  args: readonly string[],
  on26: readonly [status: number, error: string, error_description: string],
  on14: readonly [status: number, error: string, error_description: string],
  hint: RegExp,
): Refusal {
  const oauth = ([status, error, error_description]: typeof on26) => ({ status, error, error_description });
  return { what, args, on26: oauth(on26), on14: oauth(on14), hint };
}

/** Refused before any authentication device is asked. */
const REFUSALS: readonly Refusal[] = [
  refusal(
    'a wrong client secret',
    [...REQUEST, '--client-secret', 'env:WRONG_SECRET'],
    [401, 'unauthorized_client', 'Invalid client or Invalid client credentials'],
    [401, 'unauthorized_client', 'Invalid client secret'],
    /secret or key is wrong.*--client-id.*--client-secret/,
  ),
  refusal(
    'no client secret where one belongs',
    [...REQUEST, '--auth-method', 'none'],
    [401, 'unauthorized_client', 'Invalid client or Invalid client credentials'],
    [401, 'unauthorized_client', 'Client secret not provided in request'],
    /secret.*--client-secret/,
  ),
  refusal(
    'an unknown client',
    [...REQUEST, '--client-id', 'nobody'],
    [401, 'invalid_client', 'Invalid client or Invalid client credentials'],
    [400, 'invalid_client', 'Invalid client credentials'],
    /unknown or disabled client.*--client-id/,
  ),
  refusal(
    'a disabled client',
    [...REQUEST, '--client-id', 'disabled-client', '--client-secret', 'env:OTHER_SECRET'],
    [401, 'invalid_client', 'Invalid client or Invalid client credentials'],
    [400, 'unauthorized_client', 'Invalid client credentials'],
    /disabled.*--client-id/,
  ),
  refusal(
    'a secret of a client that authenticates with a signed JWT',
    [...REQUEST, '--client-id', 'jwt-client'],
    [401, 'invalid_client', 'Parameter client_assertion_type is missing'],
    [400, 'invalid_client', 'Parameter client_assertion_type is missing'],
    /signed JWT.*--auth-method/,
  ),
  refusal(
    'a client without the CIBA grant',
    [...REQUEST, '--client-id', 'plain-client', '--client-secret', 'env:OTHER_SECRET'],
    [401, 'invalid_grant', 'Client not allowed OIDC CIBA Grant'],
    [400, 'invalid_grant', 'Client not allowed OIDC CIBA Grant'],
    /disabled for this client.*oidc\.ciba\.grant\.enabled/,
  ),
  refusal(
    'an unknown user',
    ['ciba', 'request', '--login-hint', 'cl-nobody'],
    [400, 'invalid_request', 'invalid_user'],
    [400, 'invalid_request', 'invalid user'],
    /no such user.*--login-hint/,
  ),
  refusal(
    'a disabled user',
    ['ciba', 'request', '--login-hint', 'cl-disabled'],
    [400, 'invalid_request', 'invalid_user'],
    [400, 'invalid_request', 'invalid user'],
    /disabled or locked/,
  ),
  refusal(
    'a hint that Keycloak does not read',
    ['ciba', 'request', '--login-hint-token', 'env:OTHER_SECRET'],
    [400, 'invalid_request', 'missing parameter : login_hint'],
    [400, 'invalid_request', 'missing parameter : login_hint'],
    /parameter that was not sent.*use --login-hint/,
  ),
  refusal(
    'a user code',
    [...REQUEST, '--user-code', 'env:OTHER_SECRET'],
    [400, 'invalid_request', 'User code not supported'],
    [400, 'invalid_request', 'User code not supported'],
    /Omit --user-code/,
  ),
  refusal(
    'a notification token in poll mode',
    [...REQUEST, '--param', 'client_notification_token=0123456789abcdef0123456789abcdef'],
    [400, 'invalid_request', 'Client Notification token supported only for the ping mode'],
    [400, 'invalid_request', 'Ping and push modes not supported. Use poll mode instead.'],
    /delivery mode.*client_notification_token/,
  ),
  refusal(
    'a poll for an id that is none',
    ['ciba', 'poll', 'nonsense'],
    [400, 'invalid_grant', 'Invalid Auth Req ID'],
    [400, 'invalid_grant', 'Invalid Auth Req ID'],
    /auth_req_id is unknown.*new authentication request/,
  ),
  refusal(
    'a poll with a wrong client secret',
    ['ciba', 'poll', 'nonsense', '--client-secret', 'env:WRONG_SECRET'],
    [401, 'unauthorized_client', 'Invalid client or Invalid client credentials'],
    [401, 'unauthorized_client', 'Invalid client secret'],
    /secret or key is wrong.*--client-id.*--client-secret/,
  ),
];

/** Refused on 26 alone: 14 takes them, and asks the device. */
const REFUSALS_OF_26: readonly Omit<Refusal, 'on14'>[] = [
  ...['test message 0001', 'x'.repeat(51), 'größe'].map((message) => ({
    what: `the binding message "${message}"`,
    args: [...REQUEST, '--binding-message', message],
    on26: {
      status: 400,
      error: 'invalid_binding_message',
      error_description:
        'the binding_message value has to be max 50 characters in length and must contain only basic plain-text ' +
        'characters without spaces',
    },
    hint: /1 to 50 characters: letters, digits and - \. _ \+ \/ ! \? #, but no space\..*test-0001/,
  })),
  {
    what: 'an unknown scope',
    args: [...REQUEST, '--scope', 'openid nonsense'],
    on26: { status: 400, error: 'invalid_scope', error_description: 'Invalid scopes: openid nonsense' },
    hint: /scope is unknown.*Compare --scope/,
  },
];

/** Rows whose tests are called by what they are about. */
function named<Row extends { what: string }>(rows: readonly Row[]): (readonly [string, Row])[] {
  return rows.map((row) => [row.what, row]);
}

/** Listens on a free port until the test ends. */
async function occupyPort(context: { onTestFinished(clean: () => Promise<void>): void }): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  context.onTestFinished(() => new Promise((resolve) => listener.close(() => resolve())));
  return (listener.address() as AddressInfo).port;
}

/** A port on which nothing listens any more. */
async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

describe('without any server', () => {
  test('no profile and no issuer: says what is missing, and how to give it', async (context) => {
    const cli = await openCli(context);
    for (const args of [REQUEST, ['ciba', 'poll'], ['ciba', 'device', '--approve'], ['discover']]) {
      const error = await cli.fails(2, ...args);
      expect(error).toMatchObject({ code: 'setting_missing', hint: expect.stringContaining('profile add') });
      expect(error.hint).toContain('--issuer');
    }
  });

  test('an unknown profile: names it', async (context) => {
    const cli = await openCli(context);
    const error = await cli.fails(2, ...REQUEST, '--profile', 'nothing-like-it');
    expect(error).toMatchObject({
      code: 'profile_unknown',
      message: expect.stringContaining('nothing-like-it'),
      hint: expect.stringContaining('profile'),
    });
  });

  test('an unreachable server: names host, port and cause', async (context) => {
    const cli = await openCli(context);
    const address = `127.0.0.1:${await closedPort()}`;
    for (const args of [
      [...REQUEST, '--issuer', `http://${address}/realms/SampleRealm`, '--client-id', 'test-client'],
      ['profile', 'add', '--url', `http://${address}`, '--realm', 'SampleRealm'],
    ]) {
      const error = await cli.fails(5, ...args);
      expect(error).toMatchObject({
        code: 'connection_refused',
        message: `${address} refused the connection`,
        hint: expect.stringContaining('check that the server runs'),
      });
    }
  });
});

onEachKeycloak({ interval: 1 }, (stage) => {
  const secrets = { WRONG_SECRET: 'not-the-secret-of-anybody', OTHER_SECRET: 'a-secret-of-other-clients' };

  const openShell = (context: Parameters<Stage['cli']>[0], sample = stage.sample) =>
    stage.cli(context, sample, { env: secrets });

  stage.prepare(async () => {
    const { admin, realm, plainClient } = stage.sample;
    const client = {
      publicClient: false,
      secret: secrets.OTHER_SECRET,
      attributes: { 'oidc.ciba.grant.enabled': 'true' },
    };
    await admin.createClient(realm, { ...client, clientId: 'other-client' });
    await admin.createClient(realm, { ...client, clientId: 'disabled-client', enabled: false });
    await admin.createClient(realm, {
      ...client,
      clientId: 'jwt-client',
      clientAuthenticatorType: 'client-jwt',
    });
    await admin.updateClient(realm, plainClient.id, { secret: secrets.OTHER_SECRET });
    for (const [username, changes] of Object.entries({
      'cl-disabled': { enabled: false },
      'cl-todo': { requiredActions: ['UPDATE_PASSWORD'] },
      'cl-soon-disabled': {},
    })) {
      await admin.createUser(realm, {
        username,
        email: `${username}@example.org`,
        firstName: 'Test',
        lastName: 'Sample',
        ...changes,
      });
    }
  });

  describe('before the device is asked', () => {
    async function expectRefusal(cli: Cli, { args, hint }: Pick<Refusal, 'args' | 'hint'>, oauth: unknown) {
      for (const verbosity of [[], ['-v']]) {
        const error = await cli.fails(3, ...args, ...verbosity);
        expect(error).toMatchObject({ oauth, hint: expect.stringMatching(hint) });
        expect(error.message).toContain('the server answered');
      }
      const { exitCode, stdout, stderr } = await cli.run(...args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
      expect(stderr).toMatch(/^error: the server answered .*\n {2}cause {3}.*\n {2}remedy {2}.*\n$/m);
    }

    test.for(named(REFUSALS))('%s is refused, with a hint', async ([, row], context) => {
      await expectRefusal(await openShell(context), row, stage.expected(row.on26, row.on14));
    });

    test.for(named(stage.expected(REFUSALS_OF_26, [])))(
      '%s is refused by 26, with a hint',
      async ([, row], context) => {
        await expectRefusal(await openShell(context), row, row.on26);
      },
    );

    test('an unknown realm is refused with 404, when it is added and when it is used', async (context) => {
      const cli = await openShell(context);
      const issuer = stage.sample.issuer.replace(stage.sample.realm, 'NoSuchRealm');
      for (const args of [
        ['profile', 'add', '--url', serverUrl(stage.server), '--realm', 'NoSuchRealm'],
        [...REQUEST, '--issuer', issuer, '--client-id', 'test-client'],
        ['discover', issuer],
      ]) {
        const error = await cli.fails(3, ...args);
        expect(error).toMatchObject({
          code: 'metadata_not_found',
          oauth: { status: 404 },
          hint: expect.stringContaining('has no realm of this name'),
        });
      }
      expect(await cli.json('profile', 'list')).toMatchObject({ current: 'sample' });
    });

    test('a realm without /auth where it belongs, or with it where it does not, is explained', async (context) => {
      const cli = await openShell(context);
      const prefix = stage.expected('/auth', '');
      const error = await cli.fails(
        3,
        'discover',
        `${serverUrl(stage.server)}${prefix}/realms/${stage.sample.realm}`,
      );
      expect(error).toMatchObject({ code: 'metadata_not_found', oauth: { status: 404 } });
      expect(error.hint).toMatch(/\/auth/);
    });

    test('a disabled realm is named as the reason', async (context) => {
      const sample = await stage.realm(context, { interval: 1 });
      const cli = await openShell(context, sample);
      await sample.admin.updateRealm(sample.realm, { enabled: false });
      const error = failure(await cli.run(...REQUEST, '--json'), 3);
      expect(error).toMatchObject({
        oauth: {
          error: 'access_denied',
          error_description: 'Realm not enabled',
          status: stage.expected(401, 403),
        },
        hint: expect.stringContaining('realm is disabled'),
      });
    });

    test('two hints and no hint are usage errors, and nothing is asked of the CIBA endpoint', async (context) => {
      const cli = await openShell(context);
      const two = await cli.fails(2, ...REQUEST, '--id-token-hint', 'env:OTHER_SECRET');
      expect(two).toMatchObject({
        code: 'hint_ambiguous',
        message: expect.stringContaining('--login-hint and --id-token-hint'),
        hint: expect.stringContaining('exactly one'),
      });
      const none = await cli.fails(2, 'ciba', 'request');
      expect(none).toMatchObject({ code: 'hint_missing', hint: expect.stringContaining('--login-hint') });
      expect(cli.exchanges('backchannel_authentication')).toEqual([]);
    });

    test('a port that is in use is a usage error of the device', async (context) => {
      const cli = await openShell(context);
      const address = `127.0.0.1:${await occupyPort(context)}`;
      for (const args of [
        ['ciba', 'device', '--approve'],
        ['ciba', 'start', '--login-hint', 'cl-taro', '--device', '--approve'],
      ]) {
        const error = await cli.fails(2, ...args, '--listen', `${address}/api/v1/auth`);
        expect(error).toMatchObject({
          code: 'address_in_use',
          message: expect.stringContaining(address),
          hint: expect.stringContaining('--listen'),
        });
      }
      expect(cli.exchanges('backchannel_authentication')).toEqual([]);
    });

    test('metadata that names another issuer is refused with both, unless it is accepted', async (context) => {
      const sample = await stage.realm(context, { attributes: { frontendUrl: stage.server.baseUrl } });
      const cli = await openShell(context, sample);
      const inner = sample.issuer.replace('127.0.0.1', 'localhost');
      const url = serverUrl(stage.server).replace('127.0.0.1', 'localhost');
      for (const args of [
        ['discover', inner],
        [...REQUEST, '--issuer', inner, '--client-id', 'test-client'],
        ['profile', 'add', 'inner', '--url', url, '--realm', sample.realm],
      ]) {
        const error = await cli.fails(4, ...args);
        expect(error).toMatchObject({
          code: 'issuer_mismatch',
          message: `the metadata is of another issuer: asked for ${inner}, got ${sample.issuer}`,
          hint: expect.stringContaining(`--accept-issuer ${sample.issuer}`),
        });
      }
      const profile = await cli.json(
        ...['profile', 'set', 'sample', '--issuer', inner, '--accept-issuer', sample.issuer],
      );
      expect(profile).toMatchObject({ issuer: inner, accept_issuer: sample.issuer });
      const tokens = await cli.json('ciba', 'start', '--login-hint', 'cl-taro', '--device', '--approve');
      expect(tokens).toMatchObject({ id_token: expect.any(String) });
    });
  });

  describe('at the device', () => {
    test('a device that does not listen', async (context) => {
      const cli = await openShell(context);
      const error = await cli.fails(3, ...REQUEST);
      expect(error).toMatchObject({
        oauth: {
          status: 503,
          error: 'server_error',
          error_description: 'Failed to send authentication request',
        },
        hint: expect.stringMatching(
          /could not reach the authentication device.*oauthctl ciba device.*ciba-http-auth-channel/,
        ),
      });
    });

    const unexpected = {
      status: 503,
      error: 'server_error',
      error_description: 'Unexpected response from authentication device',
    };

    test.for(['500', '401', '200'])('a device that answers %s', async (status, context) => {
      const cli = await openShell(context);
      const error = await cli.fails(
        3,
        ...['ciba', 'start', '--login-hint', 'cl-taro', '--device', '--respond', status],
      );
      expect(error).toMatchObject({
        oauth: unexpected,
        hint: expect.stringMatching(/answered the delegation, but not with 201/),
      });
      expect(cli.exchanges('authentication_device')).toMatchObject([{ answer: { status: Number(status) } }]);
      expect(cli.exchanges('ciba_callback')).toEqual([]);
    });

    test('a device that listens at another path', async (context) => {
      const cli = await openShell(context);
      const listen = stage.server.deviceListen.replace(/\/.*/, '/elsewhere');
      const error = await cli.fails(
        3,
        ...['ciba', 'start', '--login-hint', 'cl-taro', '--device', '--approve', '--listen', listen],
      );
      expect(error).toMatchObject({
        oauth: unexpected,
        hint: expect.stringContaining('404 that the path differs'),
      });
    });

    test('a device of another realm does not trust the bearer, and says why', async (context) => {
      const cli = await openShell(context);
      const otherIssuer = stage.sample.issuer.replace('127.0.0.1', 'localhost');
      await cli.json('profile', 'set', 'sample', '--issuer', otherIssuer);
      const device = cli.start('ciba', 'device', '--approve');
      await device.says('device listens on');
      await cli.json('profile', 'set', 'sample', '--issuer', stage.sample.issuer);
      const error = await cli.fails(3, ...REQUEST);
      expect(error).toMatchObject({
        oauth: unexpected,
        hint: expect.stringContaining('does not trust the bearer'),
      });
      device.signal('SIGTERM');
      const { stderr } = await device.ended;
      expect(stderr).toContain('a delegation was refused with 401');
      expect(stderr).toContain(`its issuer is ${stage.sample.issuer}, not ${otherIssuer}`);
      expect(cli.exchanges('ciba_callback')).toEqual([]);
    });

    test('a request that nobody approves in time makes poll exit 6', async (context) => {
      const sample = await stage.realm(context, { expiresIn: 5, interval: 2 });
      const cli = await openShell(context, sample);
      const device = cli.start('ciba', 'device', '--ignore', '--count', '1');
      await device.says('device listens on');
      await cli.json(...REQUEST);
      const error = await cli.fails(6, 'ciba', 'poll');
      // Whether the last poll still meets "pending" hangs on fractions of a second.
      expect(['expired', 'expired_token']).toContain(error.code);
      expect(error.message).toMatch(/expired/);
      expect(error.hint).toMatch(/new request/);
      expect(await cli.fails(2, 'ciba', 'poll')).toMatchObject({ code: 'nothing_pending' });
      expect(await device.ended).toMatchObject({ exitCode: 0 });
    });

    test('a result that comes too late is refused, and the device says so', async (context) => {
      const sample = await stage.realm(context, { expiresIn: 10, interval: 1 });
      const cli = await openShell(context, sample);
      const device = cli.start('ciba', 'device', '--approve', '--after', '12', '--count', '1', '--json');
      await device.says('device listens on');
      const { auth_req_id } = await cli.json(...REQUEST);
      const late = failure(await device.ended, 3);
      expect(late).toMatchObject({
        oauth: { status: 403, error: 'invalid_token' },
        hint: expect.stringContaining('expired'),
      });
      const error = await cli.fails(6, 'ciba', 'poll', String(auth_req_id));
      expect(error).toMatchObject({
        oauth: { status: 400, error: 'expired_token', error_description: 'authentication timed out' },
        message: expect.stringContaining('after its lifetime of 10 s'),
        hint: 'Send a new request.',
      });
    });
  });

  describe('after the device has approved', () => {
    let cli: Cli;
    let device: RunningProgram;
    const cleaners: (() => unknown)[] = [];

    beforeAll(async () => {
      if ('skipped' in inject(stage.expected('keycloak26', 'keycloak14'))) return;
      cli = await openShell({ onTestFinished: (clean) => cleaners.push(clean as () => unknown) });
      device = cli.start('ciba', 'device', '--approve');
      await device.says('device listens on');
    });

    afterAll(async () => {
      device?.signal('SIGTERM');
      await device?.ended;
      for (const clean of cleaners) await clean();
    });

    const request = async (...args: string[]) =>
      String((await cli.json('ciba', 'request', ...args)).auth_req_id);

    const expectInvalidGrant = (error: ErrorDocument, error_description: string, hint: RegExp) =>
      expect(error).toMatchObject({
        oauth: { status: 400, error: 'invalid_grant', error_description },
        hint: expect.stringMatching(hint),
      });

    test.for(named(stage.expected([], REFUSALS_OF_26)))('%s is accepted by 14', async ([, { args }]) => {
      expect(await cli.json(...args)).toMatchObject({ auth_req_id: expect.any(String) });
    });

    test('an id of another client is refused, and remains good for its own', async () => {
      const id = await request('--login-hint', 'cl-taro');
      const error = await cli.fails(
        3,
        ...['ciba', 'poll', id, '--client-id', 'other-client', '--client-secret', 'env:OTHER_SECRET'],
      );
      expectInvalidGrant(error, 'unauthorized client', /belongs to another client.*--client-id/);
      expect(await cli.json('ciba', 'poll', id)).toMatchObject({ token_type: 'Bearer' });
    });

    test('a used id is refused when it is polled for again by hand', async () => {
      const id = await request('--login-hint', 'cl-taro');
      expect(await cli.json('ciba', 'poll', id)).toMatchObject({ token_type: 'Bearer' });
      const again = await cli.fails(3, 'ciba', 'poll', id);
      expectInvalidGrant(again, 'Invalid auth_req_id', /used before.*new authentication request/);
      expect(await cli.fails(2, 'ciba', 'poll')).toMatchObject({ code: 'nothing_pending' });
    });

    test('a user with a required action gets no tokens', async () => {
      const id = await request('--login-hint', 'cl-todo');
      const error = await cli.fails(3, 'ciba', 'poll', id);
      expectInvalidGrant(error, 'Account is not fully set up', /required actions.*sign in once/);
    });

    test('a user who was disabled meanwhile gets no tokens', async () => {
      const { admin, realm } = stage.sample;
      const users = await admin.request('GET', `/${realm}/users?username=cl-soon-disabled`);
      const [user] = (await users.json()) as { id: string }[];
      const id = await request('--login-hint', 'cl-soon-disabled');
      await admin.updateUser(realm, user?.id ?? '', { enabled: false });
      expectInvalidGrant(await cli.fails(3, 'ciba', 'poll', id), 'User disabled', /disabled or removed/);
      await admin.request('DELETE', `/${realm}/users/${user?.id}`);
    });

    test('a user who was removed meanwhile gets no tokens', async () => {
      const { admin, realm } = stage.sample;
      const user = await admin.createUser(realm, {
        username: 'cl-removed',
        email: 'cl-removed@example.org',
        firstName: 'Test',
        lastName: 'Sample',
      });
      const id = await request('--login-hint', 'cl-removed');
      await admin.request('DELETE', `/${realm}/users/${user}`);
      const error = await cli.fails(3, 'ciba', 'poll', id);
      expectInvalidGrant(error, 'Could not identify user', /disabled or removed/);
    });

    test('a client whose grant was disabled meanwhile gets no tokens', async () => {
      const { admin, realm } = stage.sample;
      const client = ['--client-id', 'short-client', '--client-secret', 'env:OTHER_SECRET'];
      const clientId = await admin.createClient(realm, {
        clientId: 'short-client',
        publicClient: false,
        secret: secrets.OTHER_SECRET,
        attributes: { 'oidc.ciba.grant.enabled': 'true' },
      });
      const id = await request('--login-hint', 'cl-taro', ...client);
      await admin.updateClient(realm, clientId, { attributes: { 'oidc.ciba.grant.enabled': 'false' } });
      const error = await cli.fails(3, 'ciba', 'poll', id, ...client);
      expectInvalidGrant(error, 'Client not allowed OIDC CIBA Grant', /disabled for this client/);
    });
  });
});
