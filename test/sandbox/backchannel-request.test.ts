import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { SERVICE_CLIENT } from '../../src/sandbox/index.ts';
import { basic, Harness, startDevice, startHarness, startSandboxForTest } from './harness.ts';

describe('the delegation', () => {
  it('carries what the client asked for, in JSON, to the path of the device', async () => {
    const harness = await startHarness();
    await harness.request({ scope: 'openid profile', acr_values: 'gold silver' });
    const [delegation] = harness.received;
    expect(delegation).toMatchObject({ method: 'POST', path: '/api/v1/auth' });
    expect(delegation?.headers['content-type']).toBe('application/json');
    expect(delegation?.body).toEqual({
      scope: 'openid profile',
      login_hint: 'cl-taro',
      binding_message: 'test-0001',
      acr_values: 'gold silver',
      is_consent_required: false,
    });
  });

  it('leaves out what the client left out', async () => {
    const harness = await startHarness();
    await harness.request({ binding_message: undefined });
    expect(harness.received[0]?.body).toEqual({
      scope: 'openid',
      login_hint: 'cl-taro',
      is_consent_required: false,
    });
  });

  it('is authorized by a JWT of the realm for this user and this client', async () => {
    const harness = await startHarness({ expiresIn: 90 });
    const { issuer } = harness.sandbox;
    const { access_token: accessToken } = await harness.tokens();
    const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`));
    const { payload, protectedHeader } = await jwtVerify(harness.bearer, keys, { issuer, audience: issuer });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({ azp: 'sandbox-client', typ: 'Bearer' });
    expect(payload.sub).toBe(decodeJwt(accessToken ?? '').sub);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(90);
    expect(payload.jti).toBeTypeOf('string');
  });

  it('goes to the device set last', async () => {
    const harness = await startHarness();
    const other = await startDevice();
    harness.sandbox.setDevice(other.url);
    expect((await harness.request()).status).toBe(200);
    expect(harness.received).toHaveLength(0);
    expect(other.received).toHaveLength(1);
  });

  it.each([200, 202, 302, 400, 500])('that the device answers with %i ends in 503', async (status) => {
    const harness = await startHarness({}, () => status);
    expect(await harness.request()).toMatchObject({
      status: 503,
      json: { error: 'server_error', error_description: 'Unexpected response from authentication device' },
    });
    expect((await harness.callback('SUCCEED')).status).toBe(403);
  });

  it('that reaches nobody ends in 503', async () => {
    const sandbox = await startSandboxForTest({ device: 'http://127.0.0.1:1/api/v1/auth' });
    expect(await new Harness(sandbox, []).request()).toMatchObject({
      status: 503,
      json: { error: 'server_error', error_description: 'Failed to send authentication request' },
    });
  });

  it('is given up when the sandbox closes', async () => {
    const device = await startDevice(() => new Promise<number>(() => {}));
    const sandbox = await startSandboxForTest({ device: device.url });
    const request = new Harness(sandbox, device.received).request();
    const settled = request.then(
      () => 'answered',
      () => 'ended',
    );
    await expect.poll(() => device.received.length).toBe(1);
    await sandbox.close();
    await settled;
  });
});

describe('an authentication request', () => {
  const refused: [string, Record<string, string | undefined>, number, string, string | RegExp][] = [
    ['for an unknown user', { login_hint: 'nobody' }, 400, 'invalid_request', 'invalid_user'],
    [
      'without login_hint',
      { login_hint: undefined },
      400,
      'invalid_request',
      'missing parameter : login_hint',
    ],
    ['without scope', { scope: undefined }, 400, 'invalid_request', 'missing parameter : scope'],
    [
      'with a space in its binding_message',
      { binding_message: 'test message 0001' },
      400,
      'invalid_binding_message',
      /characters/,
    ],
    [
      'with a binding_message of 51 characters',
      { binding_message: 'x'.repeat(51) },
      400,
      'invalid_binding_message',
      /50/,
    ],
    ['with a user_code', { user_code: '1234' }, 400, 'invalid_request', 'User code not supported'],
    [
      'with a client_notification_token',
      { client_notification_token: 'abc' },
      400,
      'invalid_request',
      'Client Notification token supported only for the ping mode',
    ],
    [
      'for an unknown scope',
      { scope: 'openid nonsense' },
      400,
      'invalid_scope',
      'Invalid scopes: openid nonsense',
    ],
    ['that is signed', { request: 'e30.e30.' }, 400, 'invalid_request', /signed/],
    ['with two hints', { id_token_hint: 'e30.e30.' }, 400, 'invalid_request', /only one/],
  ];

  it.each(refused)(
    '%s is refused, and reaches no device',
    async (_what, parameters, status, error, description) => {
      const harness = await startHarness();
      const answer = await harness.request(parameters);
      expect(answer.status).toBe(status);
      expect(answer.json.error).toBe(error);
      if (typeof description === 'string') {
        expect(answer.json.error_description).toBe(description);
      } else {
        expect(answer.json.error_description).toMatch(description);
      }
      expect(harness.received).toHaveLength(0);
    },
  );

  it('of a client without the CIBA grant is refused with 401', async () => {
    const harness = await startHarness();
    expect(await harness.request({}, basic(SERVICE_CLIENT, harness.sandbox.clientSecret))).toMatchObject({
      status: 401,
      json: { error: 'invalid_grant', error_description: 'Client not allowed OIDC CIBA Grant' },
    });
  });

  it.each([
    ['with a wrong secret', basic('sandbox-client', 'wrong')],
    ['of an unknown client', basic('nobody', 'wrong')],
    ['without client authentication', ''],
  ])('%s is refused with 401', async (_what, authorization) => {
    const harness = await startHarness();
    expect(await harness.request({}, authorization)).toMatchObject({
      status: 401,
      json: { error: 'invalid_client', error_description: 'Invalid client or Invalid client credentials' },
    });
  });

  it('with a parameter given twice is refused', async () => {
    const harness = await startHarness();
    for (const twice of [
      'scope=openid&scope=openid&login_hint=cl-taro',
      'scope=openid&login_hint=a&login_hint=b',
    ]) {
      expect(await harness.post('/ext/ciba/auth', twice)).toMatchObject({
        status: 400,
        json: { error: 'invalid_request' },
      });
    }
  });

  it('may use every allowed character in its binding_message', async () => {
    const harness = await startHarness();
    expect((await harness.request({ binding_message: 'azAZ09-._+/!?#' })).status).toBe(200);
  });

  it('without openid is accepted, and gets no ID token', async () => {
    const harness = await startHarness();
    const tokens = await harness.tokens({ scope: 'profile' });
    expect(harness.received[0]?.body.scope).toBe('profile');
    expect(tokens.scope).toBe('profile');
    expect(tokens).not.toHaveProperty('id_token');
    expect(tokens).toHaveProperty('refresh_token');
  });

  it('cannot change its expiry', async () => {
    const harness = await startHarness({ expiresIn: 77 });
    expect((await harness.request({ requested_expiry: '10' })).json.expires_in).toBe(77);
  });
});
