import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createContext } from '../../../src/context.ts';
import { InterruptedError, RefusedError, TimeoutError, UsageError } from '../../../src/errors.ts';
import { sendResult } from '../../../src/flows/ciba/callback.ts';
import {
  type CibaStartEvent,
  type CibaStartOptions,
  type OwnDevice,
  startCiba,
} from '../../../src/flows/ciba/start.ts';
import { discover } from '../../../src/flows/server/discover.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/index.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { ACKNOWLEDGEMENT, HTML_PAGE, PENDING, TOKENS, USER } from '../../helpers/misbehaving-server.ts';
import { testParts } from '../../helpers/parts.ts';
import { silence, until } from '../../helpers/wait.ts';
import { awaitFailure, ofType, startLab } from '../harness.ts';

const INTERVAL = 1;
const DEVICE: OwnDevice = {
  listen: { host: '127.0.0.1', port: 0, path: '/api/v1/auth' },
  metadata: undefined,
  rule: 'approve',
  after: 'acknowledged',
};

let sandbox: Sandbox;
let clock: FakeClock;

// Its keys take a while, so one sandbox serves all; its throttle goes by the clock of the test.
beforeAll(async () => {
  sandbox = await startSandbox({ interval: INTERVAL, now: () => clock.now() });
});
afterAll(() => sandbox.close());

type StartOptions = Partial<Omit<CibaStartOptions, 'target' | 'device'>> & {
  readonly device?: Partial<OwnDevice>;
};

/** A client of the sandbox that plays the device too. */
async function startAgainstSandbox(ownClock: FakeClock, { device, ...options }: StartOptions = {}) {
  clock = ownClock;
  const parts = await testParts({ clock });
  const ctx = createContext(parts);
  const { metadata } = await discover(ctx, { issuer: sandbox.issuer });
  const tokenRequests: { at: number; error: unknown }[] = [];
  ctx.onExchange(({ endpoint, startedAt, answer }) => {
    if (endpoint === 'token') {
      tokenRequests.push({ at: startedAt - start, error: JSON.parse(answer?.body ?? '{}').error });
    }
  });
  const events: CibaStartEvent[] = [];
  let listener = (_event: CibaStartEvent) => {};
  const start = clock.now();
  const run = startCiba(
    ctx,
    {
      target: {
        metadata,
        client: {
          client_id: sandbox.clientId,
          client_secret: sandbox.clientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
        },
        extraParameters: [],
        owner: 'test',
        keepTokens: true,
      },
      request: { login_hint: USER, binding_message: 'test-0001' },
      ...options,
      device: {
        ...DEVICE,
        metadata,
        ...device,
        onListening: (url) => sandbox.setDevice(url),
      },
    },
    (event) => {
      events.push(event);
      listener(event);
    },
  );
  run.catch(() => {});
  const { pending, tokens } = await ctx.store();
  return {
    parts,
    ctx,
    run,
    events,
    tokenRequests,
    types: () => events.map(({ type }) => type).filter((type) => type !== 'waiting'),
    listen: (hear: typeof listener) => {
      listener = hear;
    },
    kept: () => tokens.last('test'),
    pending: () => pending.last('test'),
    takeHeld: () => pending.takeHeld(),
  };
}

/** The ID tokens of the sandbox are of the real time, and so is this clock in the beginning. */
const autoClock = () => new FakeClock({ now: Date.now() });
const manualClock = () => new FakeClock({ now: Date.now(), auto: false });

async function expectDeviceClosed(events: readonly CibaStartEvent[]): Promise<void> {
  const [listening] = ofType(events, 'device_listening');
  if (listening === undefined) expect.fail('the device never listened');
  await expect(fetch(listening.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
}

describe('the whole flow against the sandbox, with an own device', () => {
  it('that approves takes all ten steps', async () => {
    const { run, events, kept, pending, types } = await startAgainstSandbox(autoClock());
    const { tokens, idToken } = await run;
    expect(idToken?.claims).toMatchObject({ iss: sandbox.issuer, aud: sandbox.clientId });
    expect(tokens.refresh_token).toBeDefined();
    expect(types()).toEqual(
      expect.arrayContaining([
        'authentication_request',
        'delegated',
        'delegation_answered',
        'acknowledged',
        'decided',
        'result_sent',
        'result_accepted',
        'polling',
        'tokens',
        'id_token_verified',
      ]),
    );
    expect(ofType(events, 'delegated')[0]?.summary).toMatchObject({
      user: USER,
      client: sandbox.clientId,
      bindingMessage: 'test-0001',
    });
    expect(ofType(events, 'result_sent')).toHaveLength(1);
    expect(ofType(events, 'slowed_down')).toEqual([]);
    expect(await kept()).toMatchObject({ response: tokens.json });
    expect(await pending()).toMatchObject({ ended: true });
    await expectDeviceClosed(events);
  });

  it('that approves at once polls at once: no interval is waited for', async () => {
    const time = manualClock();
    const { run, tokenRequests } = await startAgainstSandbox(time);
    await until(() => time.asleep === 2, 'client and device are asleep');
    time.advance(0);
    await run;
    expect(tokenRequests).toEqual([{ at: 0, error: undefined }]);
  });

  it('that approves after half an interval polls then, and not before', async () => {
    const time = manualClock();
    const { run, tokenRequests } = await startAgainstSandbox(time, { device: { afterMs: 500 } });
    await until(() => time.asleep === 2, 'client and device are asleep');
    time.advance(499);
    await silence();
    expect(tokenRequests).toEqual([]);
    time.advance(1);
    await run;
    expect(tokenRequests).toEqual([{ at: 500, error: undefined }]);
  });

  it('that approves after the first pending polls an interval later, never too early', async () => {
    const { run, types, tokenRequests } = await startAgainstSandbox(autoClock(), {
      device: { after: 'pending' },
    });
    await run;
    const told = types();
    expect(told.indexOf('polled')).toBeLessThan(told.indexOf('decided'));
    expect(tokenRequests[0]).toEqual({ at: 1_000, error: 'authorization_pending' });
    expect(tokenRequests.at(-1)).toMatchObject({ error: undefined });
    const errors = tokenRequests.slice(0, -1).map(({ error }) => error);
    expect(new Set(errors)).toEqual(new Set(['authorization_pending']));
    const gaps = tokenRequests.slice(1).map(({ at }, index) => at - (tokenRequests[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  it.each(['deny', 'cancel'] as const)('that chooses to %s ends in access_denied: exit 7', async (rule) => {
    const { run, events, kept, pending } = await startAgainstSandbox(autoClock(), { device: { rule } });
    const error = await awaitFailure(run);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: 'access_denied', exitCode: 7 });
    expect(await kept()).toBeUndefined();
    expect(await pending()).toMatchObject({ ended: true });
    await expectDeviceClosed(events);
  });

  it('that ignores it ends with the deadline: exit 6, and the request stays pending', async () => {
    const { run, events, pending, tokenRequests } = await startAgainstSandbox(autoClock(), {
      device: { rule: 'ignore' },
      deadlineMs: 12_000,
    });
    const error = await awaitFailure(run);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'deadline', exitCode: 6 });
    expect(error.message).toContain(
      'the device was called, and sends no result (--ignore); the server still answers authorization_pending',
    );
    expect(tokenRequests.length).toBeGreaterThan(5);
    expect(new Set(tokenRequests.map((poll) => poll.error))).toEqual(new Set(['authorization_pending']));
    expect(await pending()).not.toHaveProperty('ended');
    expect(ofType(events, 'result_sent')).toEqual([]);
    await expectDeviceClosed(events);
  });

  it('that holds it waits for the callback of another command', async () => {
    const time = manualClock();
    const { run, ctx, takeHeld, events, tokenRequests } = await startAgainstSandbox(time, {
      device: { rule: 'hold' },
    });
    await until(() => time.asleep === 2, 'client and device are asleep');
    time.advance(0);
    await until(() => ofType(events, 'decided').length === 1 && time.asleep === 1);
    time.advance(1_000);
    await until(() => tokenRequests.length === 1 && time.asleep === 1);
    let held: Awaited<ReturnType<typeof takeHeld>>;
    while (held === undefined) held = await takeHeld();
    expect(await takeHeld()).toBeUndefined();
    await sendResult(ctx, { url: held.callback_url, bearer: held.bearer, status: 'SUCCEED' }, () => {});
    time.advance(1_000);
    await run;
    expect(tokenRequests).toEqual([
      { at: 1_000, error: 'authorization_pending' },
      { at: 2_000, error: undefined },
    ]);
  });

  it('that answers the delegation with 500 is refused by the server, and nothing is polled', async () => {
    const { run, events, types } = await startAgainstSandbox(autoClock(), { device: { respond: 500 } });
    const error = await awaitFailure(run);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      exitCode: 3,
      oauth: { error: 'server_error', status: 503, endpoint: 'backchannel_authentication' },
    });
    expect(types()).not.toContain('polling');
    expect(ofType(events, 'delegation_answered')).toMatchObject([{ status: 500 }]);
    await expectDeviceClosed(events);
  });

  it('asks the person, and says so to the server', async () => {
    const asked: unknown[] = [];
    const { run } = await startAgainstSandbox(autoClock(), {
      device: {
        rule: 'ask',
        ask: async (summary) => {
          asked.push(summary);
          return 'deny';
        },
      },
    });
    expect(await awaitFailure(run)).toMatchObject({ code: 'access_denied' });
    expect(asked).toMatchObject([{ user: USER, bindingMessage: 'test-0001', waiting: 0 }]);
  });

  it('ends at once with the reason of the signal, the device with it', async () => {
    const time = manualClock();
    const reason = new InterruptedError('SIGINT');
    const { run, parts, events, pending } = await startAgainstSandbox(time, { device: { rule: 'ignore' } });
    await until(() => time.asleep === 2, 'client and device are asleep');
    time.advance(0);
    await until(() => ofType(events, 'decided').length === 1 && time.asleep === 1);
    parts.abort(reason);
    expect(await awaitFailure(run)).toBe(reason);
    expect(time.asleep).toBe(0);
    expect(await pending()).not.toHaveProperty('ended');
    await expectDeviceClosed(events);
  });

  it('polls no more when the device fails, whose failure is the outcome', async () => {
    const failure = new UsageError('no_terminal', 'there is nobody to ask');
    const time = manualClock();
    const { run, events, tokenRequests } = await startAgainstSandbox(time, {
      device: {
        rule: 'ask',
        ask: async () => {
          await until(() => time.asleep === 1, 'the client waits for its first poll');
          throw failure;
        },
      },
    });
    expect(await awaitFailure(run)).toBe(failure);
    await until(() => time.asleep === 0, 'the client sleeps no more');
    time.advance(10_000);
    await silence();
    expect(tokenRequests).toEqual([]);
    await expectDeviceClosed(events);
  });
});

describe('the whole flow without an own device', () => {
  async function startPlain(
    lab: Awaited<ReturnType<typeof startLab>>,
    options: Partial<CibaStartOptions> = {},
  ) {
    const events: CibaStartEvent[] = [];
    const run = startCiba(
      lab.ctx,
      { target: lab.target, request: { login_hint: USER }, ...options },
      (event) => events.push(event),
    );
    run.catch(() => {});
    return { run, events };
  }
  const polls = (lab: Awaited<ReturnType<typeof startLab>>) =>
    lab.server.to('token').map(({ at }) => at - lab.start);

  it('polls first one interval after the acknowledgement arrived', async () => {
    const lab = await startLab({
      backchannel: [{ json: { ...ACKNOWLEDGEMENT.json, interval: 7 }, takes: 1_500 }],
      token: [PENDING, TOKENS],
    });
    await (await startPlain(lab)).run;
    expect(polls(lab)).toEqual([8_500, 15_500]);
  });

  it('polls every five seconds where the acknowledgement names no interval', async () => {
    const lab = await startLab({ backchannel: [ACKNOWLEDGEMENT], token: [PENDING, PENDING, TOKENS] });
    await (await startPlain(lab)).run;
    expect(polls(lab)).toEqual([5_000, 10_000, 15_000]);
  });

  it('obeys an interval of 31 seconds', async () => {
    const lab = await startLab({
      backchannel: [{ json: { ...ACKNOWLEDGEMENT.json, interval: 31 } }],
      token: [PENDING, TOKENS],
    });
    await (await startPlain(lab)).run;
    expect(polls(lab)).toEqual([31_000, 62_000]);
  });

  it('counts the deadline from the very start', async () => {
    const lab = await startLab({ backchannel: [{ ...ACKNOWLEDGEMENT, takes: 4_000 }], token: [PENDING] });
    const { run } = await startPlain(lab, { deadlineMs: 10_000 });
    expect(await awaitFailure(run)).toMatchObject({ code: 'deadline', exitCode: 6 });
    expect(polls(lab)).toEqual([9_000]);
  });

  it('ends with the expiry that the acknowledgement names', async () => {
    const lab = await startLab({
      backchannel: [{ json: { ...ACKNOWLEDGEMENT.json, expires_in: 12 } }],
      token: [PENDING, PENDING, PENDING],
    });
    expect(await awaitFailure((await startPlain(lab)).run)).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(polls(lab)).toEqual([5_000, 10_000, 15_000]);
  });

  it.each([
    ['openid is asked for without being named', {}, 1],
    ['openid is among the scopes', { scope: 'profile openid' }, 1],
    ['openid is not asked for', { scope: 'profile' }, 0],
  ])('misses an ID token where one was due: %s', async (_what, request, times) => {
    const lab = await startLab({ backchannel: [ACKNOWLEDGEMENT], token: [TOKENS] });
    const { run, events } = await startPlain(lab, { request: { login_hint: USER, ...request } });
    await run;
    expect(ofType(events, 'id_token_missing')).toHaveLength(times);
  });

  it('sends no poll when the acknowledgement is none', async () => {
    const lab = await startLab({ backchannel: [{ text: HTML_PAGE }] });
    expect(await awaitFailure((await startPlain(lab)).run)).toMatchObject({ code: 'not_the_protocol' });
    await silence();
    expect(lab.server.requests).toHaveLength(1);
  });

  it('refuses an ID token that is older than the request, by the clock of the request', async () => {
    const lab = await startLab({
      backchannel: [ACKNOWLEDGEMENT],
      token: [
        async () => ({
          json: {
            ...TOKENS.json,
            id_token: await lab.server.idToken({ claims: { iat: lab.start / 1000 - 7 * 24 * 3600 } }),
          },
        }),
      ],
    });
    expect(await awaitFailure((await startPlain(lab)).run)).toMatchObject({
      code: 'id_token_invalid',
      exitCode: 4,
    });
    expect(await (await lab.ctx.store()).tokens.last('test')).toBeUndefined();
  });
});

describe('an own device that was never called', () => {
  const run = (lab: Awaited<ReturnType<typeof startLab>>, options: Partial<CibaStartOptions> = {}) =>
    startCiba(
      lab.ctx,
      { target: lab.target, request: { login_hint: USER }, device: DEVICE, ...options },
      () => {},
    );
  const never = expect.stringContaining('the device was never called');
  const short = { json: { ...ACKNOWLEDGEMENT.json, expires_in: 12 } };

  it('is named at the deadline', async () => {
    const lab = await startLab({ backchannel: [ACKNOWLEDGEMENT], token: [PENDING] });
    const error = await awaitFailure(run(lab, { deadlineMs: 8_000 }));
    expect(error).toMatchObject({ code: 'deadline', exitCode: 6, message: never });
  });

  it.each([
    ['which the server does not say', PENDING, 'expired', 'message'],
    ['which it says otherwise', { status: 400, json: { error: 'invalid_request' } }, 'expired', 'message'],
    ['which it says', { status: 400, json: { error: 'expired_token' } }, 'expired_token', 'message'],
  ])('is named at the expiry, %s', async (_what, last, code, member) => {
    const lab = await startLab({ backchannel: [short], token: [PENDING, PENDING, last] });
    expect(await awaitFailure(run(lab))).toMatchObject({ code, exitCode: 6, [member]: never });
  });

  it('is named where the server says that the request has expired before its time', async () => {
    const expired = { status: 400, json: { error: 'expired_token' } };
    const lab = await startLab({ backchannel: [ACKNOWLEDGEMENT], token: [expired] });
    expect(await awaitFailure(run(lab))).toMatchObject({
      code: 'expired_token',
      exitCode: 6,
      furtherHint: 'Known is: the device was never called.',
    });
  });

  it('is named where the server fails at the authentication request, and only there', async () => {
    const failed = { status: 503, json: { error: 'server_error' } };
    expect(await awaitFailure(run(await startLab({ backchannel: [failed] })))).toMatchObject({
      code: 'server_error',
      exitCode: 3,
      furtherHint: 'The device was never called.',
    });
    const refused = { status: 400, json: { error: 'invalid_scope' } };
    expect(await awaitFailure(run(await startLab({ backchannel: [refused] })))).toMatchObject({
      code: 'invalid_scope',
      furtherHint: undefined,
    });
  });
});

describe('an own device', () => {
  it('has closed its listener before the flow is over', async () => {
    const lab = await startLab({ backchannel: [{ status: 400, json: { error: 'invalid_request' } }] });
    const servers = await lab.ctx.servers();
    const listenReally = servers.authenticationDevice;
    let closed = false;
    vi.spyOn(servers, 'authenticationDevice').mockImplementation(async (options) => {
      const server = await listenReally(options);
      const close = async () => {
        await server.close();
        await silence();
        closed = true;
      };
      return { ...server, close };
    });
    const run = startCiba(
      lab.ctx,
      { target: lab.target, request: { login_hint: USER }, device: DEVICE },
      () => {},
    );
    expect(await awaitFailure(run)).toMatchObject({ code: 'invalid_request' });
    expect(closed).toBe(true);
  });
});

describe('an own device that cannot listen', () => {
  it('lets no authentication request out', async () => {
    const lab = await startLab();
    const servers = await lab.ctx.servers();
    vi.spyOn(servers, 'authenticationDevice').mockRejectedValue(new UsageError('address_in_use', 'taken'));
    const run = startCiba(
      lab.ctx,
      { target: lab.target, request: { login_hint: USER }, device: DEVICE },
      () => {},
    );
    expect(await awaitFailure(run)).toMatchObject({ code: 'address_in_use', exitCode: 2 });
    await silence();
    expect(lab.server.requests).toEqual([]);
  });
});
