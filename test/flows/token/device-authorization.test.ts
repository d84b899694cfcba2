import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import {
  authorizeDevice,
  type DeviceAuthorizationEvent,
  type DeviceAuthorizationOptions,
} from '../../../src/flows/token/device-authorization.ts';
import {
  DEVICE_AUTHORIZATION,
  PENDING,
  type ScriptedStep,
  SLOW_DOWN,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { awaitFailure, type LabOptions, ofType, startLab } from '../harness.ts';

async function start(
  { device = DEVICE_AUTHORIZATION, ...script }: LabOptions & { device?: ScriptedStep },
  options: Partial<DeviceAuthorizationOptions> = {},
) {
  const lab = await startLab({ device_authorization: [device], ...script });
  const events: DeviceAuthorizationEvent[] = [];
  const run = (onEvent: (event: DeviceAuthorizationEvent) => void = () => {}) =>
    authorizeDevice(lab.ctx, { target: lab.target, request: {}, ...options }, (event) => {
      events.push(event);
      onEvent(event);
    });
  return { ...lab, events, run };
}

describe('the device authorization grant', () => {
  it('asks for a code, polls with the device code, and keeps what came', async () => {
    const lab = await start({ token: [PENDING, TOKENS] }, { request: { scope: 'a b' } });
    const { tokens } = await lab.run();
    expect(tokens.json).toEqual(TOKENS.json);
    expect(Object.fromEntries(lab.server.to('device_authorization')[0]?.form ?? [])).toEqual({
      scope: 'a b',
    });
    expect(lab.server.to('token')).toHaveLength(2);
    for (const { form } of lab.server.to('token')) {
      expect(Object.fromEntries(form)).toEqual({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: 'the-device-code',
      });
    }
    const kept = await (await lab.ctx.store()).tokens.last('test');
    expect(kept).toMatchObject({
      response: TOKENS.json,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    });
  });

  it('waits five seconds before the first poll and between polls where no interval is named', async () => {
    const lab = await start({ token: [PENDING, PENDING, TOKENS] });
    await lab.run();
    expect((lab.server.to('token')[0]?.at ?? 0) - lab.start).toBe(5000);
    expect(lab.server.gaps()).toEqual([5000, 5000]);
  });

  it.each([
    ['the server’s interval', { interval: 2 }, undefined, 2000],
    ['the person’s own before the server’s', { interval: 2 }, 3, 3000],
    ['the person’s own where the server’s is senseless', { interval: 0 }, 3, 3000],
  ])('keeps to %s', async (_what, more, interval, gap) => {
    const device = { json: { ...DEVICE_AUTHORIZATION.json, ...more } };
    const lab = await start({ device, token: [PENDING, TOKENS] }, { interval });
    await lab.run();
    expect(lab.server.gaps()).toEqual([gap]);
  });

  it('adds five seconds after every slow_down, also where a 200 carries it', async () => {
    const lab = await start({ token: [SLOW_DOWN, { ...SLOW_DOWN, status: 200 }, PENDING, TOKENS] });
    await lab.run();
    expect(lab.server.gaps()).toEqual([10_000, 15_000, 15_000]);
  });

  it.each([200, 400, 403])('understands a denial with the status %d', async (status) => {
    const lab = await start({ token: [{ status, json: { error: 'access_denied' } }] });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'access_denied', exitCode: 7 });
  });

  it('understands an expiry by the server and by the clock, both with exit code 6', async () => {
    const told = await start({ token: [{ status: 400, json: { error: 'expired_token' } }] });
    expect(await awaitFailure(told.run())).toMatchObject({ code: 'expired_token', exitCode: 6 });
    const device = { json: { ...DEVICE_AUTHORIZATION.json, expires_in: 12 } };
    const untold = await start({ device, token: [PENDING, PENDING, PENDING] });
    expect(await awaitFailure(untold.run())).toMatchObject({ code: 'expired', exitCode: 6 });
  });

  it.each(['invalid_grant', 'invalid_request', 'bad_code'])(
    'takes %s after the lifetime of the code for an expiry: exit 6, with the lifetime',
    async (error) => {
      const device = { json: { ...DEVICE_AUTHORIZATION.json, expires_in: 12 } };
      const lab = await start({ device, token: [PENDING, PENDING, { status: 400, json: { error } }] });
      const failure = await awaitFailure(lab.run());
      expect(failure).toMatchObject({ code: 'expired', exitCode: 6, oauth: { error } });
      expect(failure.message).toContain('after its lifetime of 12 s');
    },
  );

  it('leaves a denial after the lifetime of the code a denial', async () => {
    const device = { json: { ...DEVICE_AUTHORIZATION.json, expires_in: 9 } };
    const lab = await start({ device, token: [PENDING, { status: 400, json: { error: 'access_denied' } }] });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'access_denied', exitCode: 7 });
  });

  it('gives up at the deadline', async () => {
    const lab = await start({ token: [PENDING] }, { deadlineMs: 7000 });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'deadline', exitCode: 6 });
  });

  it('ends at once when it is interrupted, and asks nothing more', async () => {
    const lab = await start({ token: [PENDING] });
    const run = lab.run((event) => {
      if (event.type === 'polled') lab.parts.abort(new InterruptedError('SIGINT'));
    });
    expect(await awaitFailure(run)).toMatchObject({ code: 'interrupted', exitCode: 130 });
  });

  it('sends the person’s own parameters with the first request alone', async () => {
    const lab = await start({
      token: [TOKENS],
      target: { extraParameters: [['acr_values', 'urn:a']] },
    });
    await lab.run();
    expect(lab.server.to('device_authorization')[0]?.form.get('acr_values')).toBe('urn:a');
    expect(lab.server.to('token')[0]?.form.has('acr_values')).toBe(false);
  });

  it('lets the listener of the event show the user code, and masks it from then on', async () => {
    const lab = await start({ token: [TOKENS] });
    const { user_code, device_code, verification_uri_complete } = DEVICE_AUTHORIZATION.json;
    const all = [user_code, device_code, verification_uri_complete].join(' ');
    const seen: string[] = [];
    await lab.run((event) => {
      if (event.type === 'device_authorization' || event.type === 'tokens')
        seen.push(lab.ctx.redactor.text(all));
    });
    expect(seen).toEqual([
      `${user_code} (masked) ${verification_uri_complete}`,
      '(masked) (masked) (masked)',
    ]);
  });

  it('verifies the ID token, and keeps nothing when it must not be trusted', async () => {
    const good = await start({
      token: [async () => ({ json: { ...TOKENS.json, id_token: await good.server.idToken() } })],
    });
    expect((await good.run()).idToken?.claims.sub).toBe('user-1');
    for (const flaws of [{ foreignKey: true }, { claims: { at_hash: 'AAAA' } }] as const) {
      const bad = await start({
        token: [async () => ({ json: { ...TOKENS.json, id_token: await bad.server.idToken(flaws) } })],
      });
      expect(await awaitFailure(bad.run())).toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
      expect(await (await bad.ctx.store()).tokens.last('test')).toBeUndefined();
    }
  });

  it('tells when openid was asked for and no ID token came', async () => {
    const asked = await start({ token: [TOKENS] }, { request: { scope: 'openid a' } });
    await asked.run();
    expect(ofType(asked.events, 'id_token_missing')).toHaveLength(1);
    const notAsked = await start({ token: [TOKENS] }, { request: { scope: 'a' } });
    await notAsked.run();
    expect(ofType(notAsked.events, 'id_token_missing')).toHaveLength(0);
  });

  it.each([
    ['a refusal', { status: 400, json: { error: 'unauthorized_client' } }, 'unauthorized_client', 3],
    ['a refusal with 200', { json: { error: 'invalid_scope' } }, 'invalid_scope', 3],
    ['a page', { text: '<html></html>' }, 'not_the_protocol', 5],
    ['a page with 400', { status: 400, text: '<html></html>' }, 'not_the_protocol', 5],
    ['a broken answer', { json: {} }, 'device_authorization_invalid', 4],
  ])('ends with %s to the first request, and never polls', async (_what, device, code, exitCode) => {
    const lab = await start({ device });
    expect(await awaitFailure(lab.run())).toMatchObject({ code, exitCode });
    expect(lab.server.to('token')).toEqual([]);
  });

  it('asks nobody where the server does not have the endpoint', async () => {
    const lab = await startLab({ metadata: { device_authorization_endpoint: undefined } });
    const run = authorizeDevice(lab.ctx, { target: lab.target, request: {} }, () => {});
    expect(await awaitFailure(run)).toMatchObject({ code: 'endpoint_missing', exitCode: 4 });
    expect(lab.server.requests).toEqual([]);
  });
});
