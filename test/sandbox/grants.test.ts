import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ASSERTION_ISSUER, PUBLIC_CLIENT, SERVICE_CLIENT } from '../../src/sandbox/index.ts';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import { sharedSandbox, startSandboxForTest } from './harness.ts';
import { Person, readFormValues } from './person.ts';
import { insecure, type RelyingParty, readError, relyingParty } from './relying-party.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

afterEach(() => {
  vi.useRealTimers();
});

async function standard() {
  return relyingParty(await sharedSandbox());
}

async function processed(client: RelyingParty, response: Response): Promise<oauth.TokenEndpointResponse> {
  return oauth.processGenericTokenEndpointResponse(client.server, client.client, response);
}

function passwordGrant(client: RelyingParty, changes: Record<string, string> = {}): Promise<Response> {
  const password = client.sandbox.passwords['cl-taro'] ?? '';
  return client.grant('password', { username: 'cl-taro', password, scope: 'openid', ...changes });
}

describe('passwords', () => {
  it('are random unless given, and of one user each', async () => {
    const passwords = { one: 'hers', constructor: 'nobody' };
    const sandbox = await startSandboxForTest({ users: ['one', 'two', 'constructor'], passwords });
    expect(sandbox.passwords).toEqual({
      one: 'hers',
      two: expect.stringMatching(/^[\w-]{16}$/),
      constructor: 'nobody',
    });
  });
});

describe('the password grant', () => {
  it('gives the tokens of a login', async () => {
    const client = await standard();
    const tokens = await processed(client, await passwordGrant(client, { scope: 'openid profile' }));
    expect(tokens).toMatchObject({
      expires_in: 300,
      refresh_expires_in: computeSecondsLeft(1800),
      scope: 'openid profile',
    });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({
      preferred_username: 'cl-taro',
      auth_time: expect.any(Number),
    });
    expect(await client.introspect(tokens.access_token)).toMatchObject({ active: true, username: 'cl-taro' });
    expect((await client.userinfo(tokens.access_token)).status).toBe(200);
    const refresh = await client.grant('refresh_token', { refresh_token: tokens.refresh_token as string });
    expect(refresh.status).toBe(200);
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, 401, 'invalid_grant', 'Invalid user credentials'],
    ['an unknown user', { username: 'nobody' }, 401, 'invalid_grant', 'Invalid user credentials'],
    ['no password', { password: '' }, 401, 'invalid_grant', 'Invalid user credentials'],
    ['no user', { username: '' }, 400, 'invalid_request', 'Missing parameter: username'],
    ['an unknown scope', { scope: 'nonsense' }, 400, 'invalid_scope', 'Invalid scopes: nonsense'],
  ])('refuses %s', async (_what, changes, status, error, description) => {
    const client = await standard();
    expect(await readError(await passwordGrant(client, changes))).toEqual({
      status,
      error,
      error_description: description,
    });
  });

  it('is not for every client', async () => {
    const client = await relyingParty(await sharedSandbox(), SERVICE_CLIENT);
    expect(await readError(await passwordGrant(client))).toMatchObject({ error: 'unauthorized_client' });
  });
});

describe('refresh tokens that rotate', () => {
  it('are good for one use, and a second one ends the grant', async () => {
    const client = await relyingParty(await startSandboxForTest({ rotateRefreshTokens: true }));
    const first = await client.tokens();
    const refresh = (token: unknown) => client.grant('refresh_token', { refresh_token: token as string });
    const second = await processed(client, await refresh(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.refresh_expires_in).toEqual(computeSecondsLeft(1800));
    expect(await client.introspect(second.access_token)).toMatchObject({ active: true });
    expect(await readError(await refresh(first.refresh_token))).toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    expect(await readError(await refresh(second.refresh_token))).toMatchObject({ error: 'invalid_grant' });
    expect(await client.introspect(second.access_token)).toEqual({ active: false });
  });
});

describe('the device flow', () => {
  async function startDeviceFlow(client: RelyingParty) {
    const { server, client: registered, authenticate } = client;
    const parameters = { scope: 'openid profile' };
    return oauth.processDeviceAuthorizationResponse(
      server,
      registered,
      await oauth.deviceAuthorizationRequest(server, registered, authenticate, parameters, insecure),
    );
  }

  const poll = (client: RelyingParty, code: string) =>
    oauth.deviceCodeGrantRequest(client.server, client.client, client.authenticate, code, insecure);

  it.each(['by hand', 'by the complete address'])('ends with tokens, the code given %s', async (way) => {
    const client = await relyingParty(await sharedSandbox(), PUBLIC_CLIENT, oauth.None());
    const { person, sandbox } = client;
    const flow = await startDeviceFlow(client);
    expect(flow).toMatchObject({ verification_uri: `${sandbox.issuer}/device`, expires_in: 120 });
    expect(flow.interval).toBeUndefined();
    expect(await readError(await poll(client, flow.device_code))).toMatchObject({
      status: 400,
      error: 'authorization_pending',
    });

    const isComplete = way !== 'by hand';
    const input = await person.open(
      (isComplete ? flow.verification_uri_complete : flow.verification_uri) ?? '',
    );
    expect(input.html).not.toMatch(/<script|\bon\w+=/i);
    expect(readFormValues(input.html).user_code).toBe(isComplete ? flow.user_code : '');
    const confirmation = await person.submit(input, { user_code: flow.user_code.toLowerCase() });
    expect(confirmation.html).toContain(`<dd>${flow.user_code}</dd>`);
    const login = await person.submit(confirmation, { confirm: 'yes' });
    expect((await person.signIn(login)).html).toContain('The device may go on');

    const response = await poll(client, flow.device_code);
    const tokens = await oauth.processDeviceCodeResponse(client.server, client.client, response);
    expect(tokens).toMatchObject({ scope: 'openid profile', refresh_token: expect.any(String) });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ preferred_username: 'cl-taro' });
    expect(await readError(await poll(client, flow.device_code))).toMatchObject({ error: 'invalid_grant' });
  });

  it.each(['at the code', 'at the login'])(
    'ends with access_denied when the person cancels %s',
    async (where) => {
      const client = await standard();
      const flow = await startDeviceFlow(client);
      const input = await client.person.open(flow.verification_uri_complete ?? '');
      const confirmation = await client.person.submit(input);
      const cancelled =
        where === 'at the code'
          ? await client.person.submit(confirmation, { abort: 'yes' })
          : await client.person.submit(await client.person.submit(confirmation, { confirm: 'yes' }), {
              cancel: 'yes',
            });
      expect(cancelled.html).toContain('You have cancelled');
      expect(await readError(await poll(client, flow.device_code))).toMatchObject({
        status: 400,
        error: 'access_denied',
      });
    },
  );

  it('says what is wrong with a code, and shows it as text', async () => {
    const client = await standard();
    const flow = await startDeviceFlow(client);
    let page = await client.person.open(flow.verification_uri);
    page = await client.person.submit(page, { user_code: 'AAAA-AAAA' });
    expect(page.html).toContain('There is no such code.');
    page = await client.person.submit(page, { user_code: '<b>"x' });
    expect(page.html).toContain('There is no such code.');
    expect(page.html).not.toContain('<b>');
    page = await client.person.submit(page, { user_code: '' });
    expect(page.html).toContain('Enter the code first.');
    const fresh = await client.person.open(`${flow.verification_uri}?user_code=%22%3E%3Cb%3E`);
    expect(readFormValues(fresh.html).user_code).toBe('"><b>');
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 121_000);
    const late = await client.person.submit(fresh, { user_code: flow.user_code });
    expect(late.html).toContain('This code has expired.');
  });

  it('says expired_token to a device when nobody came in time', async () => {
    const client = await relyingParty(await startSandboxForTest({ expiresIn: 30 }));
    const flow = await startDeviceFlow(client);
    expect(flow.expires_in).toBe(30);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 31_000);
    expect(await readError(await poll(client, flow.device_code))).toMatchObject({ error: 'expired_token' });
  });

  it('takes a form from the browser alone that got it', async () => {
    const client = await standard();
    const flow = await startDeviceFlow(client);
    const input = await client.person.open(flow.verification_uri_complete ?? '');
    const stranger = await new Person(client.sandbox).submit(input);
    expect(stranger.status).toBe(400);
    const resumed = await new Person(client.sandbox).open(`${flow.verification_uri}/some-sign-in`);
    expect(resumed.status).toBe(400);
    const login = await client.person.submit(await client.person.submit(input), { confirm: 'yes' });
    expect((await new Person(client.sandbox).signIn(login)).status).toBe(400);
    expect(await readError(await poll(client, flow.device_code))).toMatchObject({
      error: 'authorization_pending',
    });
  });

  it('slows a device down that polls too early', async () => {
    let now = 0;
    const client = await relyingParty(await startSandboxForTest({ interval: 5, now: () => now }));
    const flow = await startDeviceFlow(client);
    expect(flow.interval).toBe(5);
    const error = async () => (await readError(await poll(client, flow.device_code))).error;
    expect(await error()).toBe('authorization_pending');
    now += 4_999;
    expect(await error()).toBe('slow_down');
    now += 1;
    expect(await error()).toBe('authorization_pending');
  });
});

describe('token exchange', () => {
  const exchange = (client: RelyingParty, token: string, changes: Record<string, string> = {}) =>
    client.grant(EXCHANGE, { subject_token: token, subject_token_type: ACCESS_TOKEN, ...changes });

  it('makes an access token for another client, which that client may introspect', async () => {
    const client = await standard();
    const service = await relyingParty(client.sandbox, SERVICE_CLIENT);
    const { access_token: subject } = await client.tokens();
    const tokens = await processed(
      client,
      await exchange(client, subject, { audience: SERVICE_CLIENT, scope: 'profile' }),
    );
    expect(tokens).toMatchObject({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'bearer',
      expires_in: 300,
      scope: 'profile',
    });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(await service.introspect(subject)).toEqual({ active: false });
    for (const party of [service, client]) {
      expect(await party.introspect(tokens.access_token)).toMatchObject({
        active: true,
        aud: SERVICE_CLIENT,
        client_id: 'sandbox-client',
        username: 'cl-taro',
      });
    }
    const claims = await oauth.validateJwtAccessToken(
      client.server,
      new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${tokens.access_token}` } }),
      SERVICE_CLIENT,
      insecure,
    );
    expect(claims).toMatchObject({ azp: 'sandbox-client', scope: 'profile' });
  });

  it('makes one for a resource, and one for the client itself with all scopes', async () => {
    const client = await standard();
    const { access_token: subject } = await client.tokens();
    const audience = async (changes: Record<string, string>) => {
      const tokens = await processed(client, await exchange(client, subject, changes));
      return { aud: (await client.introspect(tokens.access_token)).aud, scope: tokens.scope };
    };
    const resource = 'https://api.example/orders';
    expect(await audience({ resource })).toEqual({ aud: resource, scope: 'openid profile' });
    expect(await audience({})).toEqual({ aud: 'sandbox-client', scope: 'openid profile' });
  });

  const refused: [string, Record<string, string>, number, string][] = [
    ['an unknown audience', { audience: 'nobody' }, 400, 'invalid_client'],
    ['a resource that is no URI', { resource: 'api' }, 400, 'invalid_target'],
    ['two kinds of audience', { resource: 'urn:a', audience: SERVICE_CLIENT }, 400, 'invalid_target'],
    ['a scope beyond that of the subject', { scope: 'offline_access' }, 400, 'invalid_scope'],
    ['what is no token', { subject_token: 'x.y.z' }, 400, 'invalid_request'],
    ['another type of subject', { subject_token_type: 'urn:x' }, 400, 'invalid_request'],
    ['another type of token', { requested_token_type: 'urn:x' }, 400, 'invalid_request'],
    ['an actor', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 400, 'invalid_request'],
  ];
  it.each(refused)('refuses %s', async (_what, changes, status, error) => {
    const client = await standard();
    const { access_token: subject } = await client.tokens();
    expect(await readError(await exchange(client, subject, changes))).toMatchObject({ status, error });
  });

  it('refuses a token of another client, one that was revoked and one that is too old', async () => {
    const client = await standard();
    const other = await relyingParty(client.sandbox, PUBLIC_CLIENT, oauth.None());
    const foreign = (await other.tokens()).access_token;
    expect(await readError(await exchange(client, foreign))).toEqual({
      status: 403,
      error: 'access_denied',
      error_description: 'Client is not within the token audience',
    });
    const { access_token: token } = await client.tokens({ prompt: 'login' });
    expect((await exchange(client, token)).status).toBe(200);
    const { server, client: registered, authenticate } = client;
    await oauth.revocationRequest(server, registered, authenticate, token, insecure);
    expect(await readError(await exchange(client, token))).toMatchObject({ error: 'invalid_request' });
    const { access_token: old } = await client.tokens({ prompt: 'login' });
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 400_000);
    expect(await readError(await exchange(client, old))).toMatchObject({ error: 'invalid_request' });
  });
});

describe('the JWT bearer grant', () => {
  async function withAssertions() {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const clientKeys = [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'key' }];
    const client = await relyingParty(await startSandboxForTest({ clientKeys }));
    const assertion = (changes: Record<string, unknown> = {}, key = privateKey) =>
      new SignJWT({
        iss: ASSERTION_ISSUER,
        sub: 'cl-taro',
        aud: client.sandbox.issuer,
        exp: Math.floor(Date.now() / 1000) + 60,
        ...changes,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'key' })
        .sign(key);
    return { client, assertion };
  }

  it('gives tokens for the user whom the assertion names', async () => {
    const { client, assertion } = await withAssertions();
    for (const aud of [client.sandbox.issuer, client.server.token_endpoint as string]) {
      const response = await client.grant(JWT_BEARER, {
        assertion: await assertion({ aud }),
        scope: 'openid',
      });
      const tokens = await processed(client, response);
      expect(tokens).not.toHaveProperty('refresh_token');
      expect(await client.introspect(tokens.access_token)).toMatchObject({ username: 'cl-taro' });
    }
  });

  it('refuses an assertion that is wrong in any way', async () => {
    const { client, assertion } = await withAssertions();
    const stranger = await generateKeyPair('ES256');
    for (const wrong of [
      await assertion({}, stranger.privateKey),
      await assertion({ iss: 'someone-else' }),
      await assertion({ aud: 'https://elsewhere.example' }),
      await assertion({ sub: 'nobody' }),
      await assertion({ exp: 1 }),
      await assertion({ exp: undefined }),
      'e30.e30.',
    ]) {
      const answer = await readError(await client.grant(JWT_BEARER, { assertion: wrong }));
      expect(answer).toMatchObject({ status: 400, error: 'invalid_grant' });
    }
    expect(await readError(await client.grant(JWT_BEARER, {}))).toMatchObject({ error: 'invalid_request' });
  });

  it('takes an assertion with a jti once', async () => {
    const { client, assertion } = await withAssertions();
    const once = await assertion({ jti: 'one' });
    expect((await client.grant(JWT_BEARER, { assertion: once })).status).toBe(200);
    expect(await readError(await client.grant(JWT_BEARER, { assertion: once }))).toMatchObject({
      error: 'invalid_grant',
      error_description: 'the assertion was used before',
    });
  });

  it('refuses every assertion where the sandbox knows no key', async () => {
    const { assertion } = await withAssertions();
    const client = await standard();
    const answer = await client.grant(JWT_BEARER, {
      assertion: await assertion({ aud: client.sandbox.issuer }),
    });
    expect(await readError(answer)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });
});
