import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createContext, type Exchange } from '../../../src/context.ts';
import { InterruptedError, UsageError } from '../../../src/errors.ts';
import {
  type CibaDeviceEvent,
  type CibaDeviceOptions,
  type CibaDeviceResult,
  type Decision,
  type DelegationSummary,
  runDevice,
} from '../../../src/flows/ciba/device.ts';
import { renderExchange, renderTraceLine } from '../../../src/output/exchange.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  type Flaws,
  type ScriptedStep,
  startMisbehavingServer,
  USER,
} from '../../helpers/misbehaving-server.ts';
import { latch, silence, until } from '../../helpers/wait.ts';
import { awaitFailure, type Lab, type LabOptions, ofType, startLab } from '../harness.ts';

afterEach(() => {
  vi.useRealTimers();
});

const LISTEN = { host: '127.0.0.1', port: 0, path: '/api/v1/auth' };
const ACCEPTED: ScriptedStep = { status: 200 };

interface RunningDevice extends Lab {
  readonly url: string;
  readonly events: CibaDeviceEvent[];
  readonly exchanges: Exchange[];
  readonly run: Promise<CibaDeviceResult>;
  /** Ends it from outside, and returns its outcome. */
  readonly end: () => Promise<CibaDeviceResult>;
  /** Delegates one authentication, with a good bearer unless told otherwise. */
  readonly delegate: (delegation?: Delegation) => Promise<Response>;
}

interface Delegation {
  readonly body?: Record<string, unknown> | string;
  readonly type?: string;
  /** The whole header; null sends none. */
  readonly authorization?: string | null;
  readonly flaws?: Flaws;
}

type DeviceOptions = Partial<Omit<CibaDeviceOptions, 'listen' | 'signal'>> & {
  readonly lab?: LabOptions;
  readonly anyIssuer?: true;
};

async function startDevice(
  callback: readonly ScriptedStep[],
  options: DeviceOptions = {},
): Promise<RunningDevice> {
  const { lab: labOptions, anyIssuer, ...rest } = options;
  const lab = await startLab({ callback, ...labOptions });
  const events: CibaDeviceEvent[] = [];
  const exchanges: Exchange[] = [];
  lab.ctx.onExchange((exchange) => exchanges.push(exchange));
  const stop = new AbortController();
  let url = '';
  const run = runDevice(
    lab.ctx,
    {
      listen: LISTEN,
      metadata: anyIssuer ? undefined : lab.server.metadata,
      rule: 'approve',
      ...rest,
      signal: stop.signal,
      onListening: (where) => {
        url = where;
      },
    },
    (event) => events.push(event),
  );
  run.catch(() => {});
  onTestFinished(async () => {
    stop.abort();
    await run.catch(() => {});
  });
  await until(() => url !== '');
  return {
    ...lab,
    url,
    events,
    exchanges,
    run,
    end: () => {
      stop.abort();
      return run;
    },
    delegate: async ({ body = { login_hint: USER }, type = 'application/json', authorization, flaws } = {}) =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': type,
          ...(authorization !== null && {
            authorization: authorization ?? `Bearer ${await lab.server.bearer(flaws)}`,
          }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

async function expectClosed(url: string): Promise<void> {
  const failure = await fetch(url).then(
    () => undefined,
    (error: Error) => error.cause,
  );
  expect(failure).toMatchObject({ code: 'ECONNREFUSED' });
}

describe('a delegation', () => {
  const FULL = {
    login_hint: USER,
    scope: 'openid profile',
    binding_message: 'test-0001',
    acr_values: 'gold',
    is_consent_required: true,
  };
  const SUMMARY: DelegationSummary = {
    number: 1,
    user: USER,
    client: 'test-client',
    scope: 'openid profile',
    bindingMessage: 'test-0001',
    acrValues: 'gold',
    consentRequired: true,
    waiting: 0,
  };

  it.each([
    ['JSON', { body: FULL }],
    [
      'a form',
      {
        type: 'application/x-www-form-urlencoded; charset=utf-8',
        body: new URLSearchParams({ ...FULL, is_consent_required: 'true' }).toString(),
      },
    ],
  ])('in %s is answered with 201, then decided', async (_what, delegation) => {
    const { delegate, run, events, server } = await startDevice([ACCEPTED], { count: 1 });
    expect((await delegate(delegation)).status).toBe(201);
    expect(await run).toEqual({ delegations: 1, results: { SUCCEED: 1 }, failures: [] });
    expect(events.map(({ type }) => type)).toEqual([
      'device_listening',
      'delegated',
      'delegation_answered',
      'decided',
      'result_sent',
      'result_accepted',
    ]);
    expect(ofType(events, 'delegated')[0]?.summary).toEqual(SUMMARY);
    expect(server.to('callback')[0]?.headers.authorization).toMatch(/^Bearer eyJ/);
  });

  it('names the user by its bearer where no login_hint came', async () => {
    const { delegate, run, events } = await startDevice([ACCEPTED], { count: 1 });
    await delegate({ body: {} });
    await run;
    expect(ofType(events, 'delegated')[0]?.summary).toMatchObject({ user: 'user-1', number: 1 });
  });

  it.each([
    ['JSON', 'application/json', (members: Record<string, string>) => JSON.stringify(members)],
    [
      'a form',
      'application/x-www-form-urlencoded',
      (members: Record<string, string>) => new URLSearchParams(members).toString(),
    ],
  ])('in %s never shows the client secret that leaked into it', async (_what, type, encode) => {
    const { delegate, run, events, exchanges, parts } = await startDevice([ACCEPTED], { count: 1 });
    const body = encode({
      login_hint: USER,
      client_id: 'x',
      client_secret: 'leaked-secret',
      unknown: 'word',
    });
    expect((await delegate({ body, type })).status).toBe(201);
    await run;
    expect(exchanges.map(({ endpoint }) => endpoint)).toContain('authentication_device');
    const shown = exchanges
      .map((one) => renderExchange(one, parts.redactor) + renderTraceLine(one, parts.redactor))
      .join('');
    expect(shown).toContain('client_secret');
    expect(JSON.stringify(events)).not.toContain('leaked-secret');
    expect(shown).not.toContain('leaked-secret');
    expect(shown).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
  });

  it.each<[string, number, Delegation, RegExp]>([
    ['no bearer', 401, { authorization: null }, /^no bearer token$/],
    ['another scheme', 401, { authorization: 'Basic dXNlcjpwYXNz' }, /^no bearer token$/],
    ['two bearers', 401, { authorization: 'Bearer one two' }, /^no bearer token$/],
    ['a malformed bearer', 401, { authorization: 'Bearer opaque' }, /it is not a JWT/],
    [
      'a foreign issuer',
      401,
      { flaws: { claims: { iss: 'https://a.example' } } },
      /issuer is https:\/\/a\.ex/,
    ],
    ['no issuer', 401, { flaws: { claims: { iss: undefined } } }, /its issuer is missing/],
    ['another audience', 401, { flaws: { claims: { aud: 'someone' } } }, /"aud"/],
    ['a wrong signature', 401, { flaws: { foreignKey: true } }, /signature verification failed/],
    ['an unknown key', 401, { flaws: { kid: 'nobody' } }, /no key of the issuer matches/],
    ['no signature', 401, { flaws: { alg: 'none' } }, /bearer token is not trusted/],
    ['the public key as an HMAC secret', 401, { flaws: { alg: 'HS256' } }, /bearer token is not trusted/],
    ['an expired bearer', 401, { flaws: { claims: { exp: 1 } } }, /"exp"/],
    ['a bearer without end', 401, { flaws: { claims: { exp: undefined } } }, /its exp is not a whole number/],
    ['an exp that is no number', 401, { flaws: { claims: { exp: '4102444800' } } }, /its exp is not a whole/],
    ['an exp with a fraction', 401, { flaws: { claims: { exp: 4102444800.5 } } }, /its exp is not a whole/],
    [
      'an exp in milliseconds',
      401,
      { flaws: { claims: { exp: 4102444800000 } } },
      /exp is more than a week away/,
    ],
    ['an exp beyond all integers', 401, { flaws: { claims: { exp: 1e300 } } }, /its exp is not a whole/],
    ['an ID token', 401, { flaws: { claims: { typ: 'ID' } } }, /its claim typ is "ID"/],
    ['a refresh token', 401, { flaws: { claims: { typ: 'Refresh' } } }, /its claim typ is "Refresh"/],
    ['a logout token', 401, { flaws: { claims: { typ: 'Logout' } } }, /its claim typ is "Logout"/],
    ['a token of no kind', 401, { flaws: { claims: { typ: undefined } } }, /its claim typ is missing/],
    ['no jti', 401, { flaws: { claims: { jti: undefined } } }, /it has no jti/],
    ['an empty jti', 401, { flaws: { claims: { jti: '' } } }, /it has no jti/],
    ['a jti that is no text', 401, { flaws: { claims: { jti: 7 } } }, /it has no jti/],
    ['no client', 401, { flaws: { claims: { azp: undefined } } }, /it has no azp/],
    ['a body of neither kind', 400, { body: '<xml/>', type: 'text/xml' }, /neither a JSON object nor a form/],
    ['a JSON array', 400, { body: '[]' }, /neither a JSON object nor a form/],
  ])('with %s is refused with %i, and nothing is decided', async (_what, status, delegation, reason) => {
    const { delegate, end, events } = await startDevice([]);
    const answer = await delegate(delegation);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('www-authenticate')?.startsWith('Bearer') ?? false).toBe(status === 401);
    expect(ofType(events, 'delegation_refused')).toEqual([
      { type: 'delegation_refused', status, reason: expect.stringMatching(reason) },
    ]);
    await silence();
    expect(await end()).toEqual({ delegations: 0, results: {}, failures: [] });
    expect(ofType(events, 'delegated')).toEqual([]);
  });

  it('is refused while the keys cannot be had, and taken once they can', async () => {
    let down = true;
    const jwks: ScriptedStep = async () => (down ? { status: 500 } : { json: good });
    const { delegate, run } = await startDevice([ACCEPTED], { count: 1, lab: { jwks } });
    const good = await publishedKeys();
    expect((await delegate()).status).toBe(401);
    down = false;
    expect((await delegate()).status).toBe(201);
    expect((await run).results).toEqual({ SUCCEED: 1 });
  });

  it('is refused when its key is broken, and the device lives on', async () => {
    const jwks = { json: { keys: [{ kty: 'EC', crv: 'P-256', kid: 'ES256', x: 'AA', y: 'AA' }] } };
    const { delegate, end, events } = await startDevice([], { lab: { jwks } });
    expect((await delegate()).status).toBe(401);
    expect((await delegate()).status).toBe(401);
    expect(ofType(events, 'delegation_refused')).toHaveLength(2);
    expect(await end()).toMatchObject({ delegations: 0 });
  });

  it('signed with a new key makes the device fetch the keys again, ten seconds later at the soonest', async () => {
    const all = await publishedKeys();
    const before = { keys: all.keys.filter(({ kid }) => kid === 'RS256') };
    let rotated = false;
    const { delegate, run, clock, server } = await startDevice([ACCEPTED, ACCEPTED], {
      count: 2,
      lab: { jwks: () => ({ json: rotated ? all : before }), clock: new FakeClock() },
      afterMs: 0,
    });
    expect((await delegate({ flaws: { alg: 'RS256' } })).status).toBe(201);
    rotated = true;
    expect((await delegate()).status).toBe(401);
    expect(server.to('jwks')).toHaveLength(1);
    clock.pass(10_000);
    expect((await delegate()).status).toBe(201);
    expect(server.to('jwks')).toHaveLength(2);
    expect((await run).results).toEqual({ SUCCEED: 2 });
  });

  it('that comes twice with one bearer is decided once: a second result would destroy the first', async () => {
    const { delegate, end, events, server } = await startDevice([ACCEPTED]);
    const authorization = `Bearer ${await server.bearer()}`;
    const answers = await Promise.all([delegate({ authorization }), delegate({ authorization })]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401]);
    await until(() => ofType(events, 'result_accepted').length === 1);
    await silence();
    expect(server.to('callback')).toHaveLength(1);
    expect((await end()).delegations).toBe(1);
  });
});

/** The same bearer in other characters. */
const disguises: readonly (readonly [string, (bearer: string) => string])[] = [
  ['a last character with other unused bits', (bearer) => withOtherUnusedBits(bearer)],
  ['padding', (bearer) => `${bearer}=`],
  ['padding of the claims', (bearer) => bearer.replace(/\.([^.]*)\./, '.$1=.')],
  ['the alphabet of base64', (bearer) => bearer.replaceAll('-', '+').replaceAll('_', '/')],
];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A signature of 64 bytes has 86 characters, and the last one holds two bits of it. */
function withOtherUnusedBits(bearer: string): string {
  const last = ALPHABET.indexOf(bearer.at(-1) ?? '');
  return `${bearer.slice(0, -1)}${ALPHABET[last ^ 1]}`;
}

describe('a delegation that is sent again', () => {
  it.each(disguises)('with %s is refused, and no second result is sent', async (_what, disguise) => {
    for (const anyIssuer of [false, true]) {
      // A bearer whose text all disguises change.
      const { delegate, end, events, server } = await startDevice(
        anyIssuer ? [] : [ACCEPTED],
        anyIssuer ? { anyIssuer } : {},
      );
      const lab = anyIssuer ? await startLab({ callback: [ACCEPTED] }) : { server };
      let bearer = await lab.server.bearer();
      while (disguise(bearer) === bearer) bearer = await lab.server.bearer();
      expect((await delegate({ authorization: `Bearer ${bearer}` })).status).toBe(201);
      expect((await delegate({ authorization: `Bearer ${disguise(bearer)}` })).status).toBe(401);
      await until(() => ofType(events, 'result_accepted').length === 1);
      await silence();
      expect(lab.server.to('callback')).toHaveLength(1);
      expect((await end()).delegations).toBe(1);
    }
  });

  it('under another signature is known by its jti', async () => {
    const { delegate, end, events, server } = await startDevice([ACCEPTED]);
    const jti = 'one-delegation';
    const send = async (claims: object) =>
      delegate({ authorization: `Bearer ${await server.bearer({ claims: { jti, ...claims } })}` });
    expect((await send({})).status).toBe(201);
    expect((await send({ more: 1 })).status).toBe(401);
    await until(() => ofType(events, 'result_accepted').length === 1);
    expect(ofType(events, 'delegation_refused')[0]?.reason).toMatch(/came before/);
    expect((await end()).delegations).toBe(1);
  });
});

describe('a device that takes any issuer', () => {
  it('sends the result to the issuer that the bearer names', async () => {
    const lab = await startLab({ callback: [ACCEPTED] });
    const device = await startDevice([], { anyIssuer: true, count: 1 });
    const authorization = `Bearer ${await lab.server.bearer({ foreignKey: true })}`;
    expect((await device.delegate({ authorization })).status).toBe(201);
    expect((await device.run).results).toEqual({ SUCCEED: 1 });
    expect(lab.server.requests.map(({ path }) => path)).toEqual([
      '/protocol/openid-connect/ext/ciba/auth/callback',
    ]);
    expect(device.server.requests).toEqual([]);
  });

  it.each<[string, Delegation]>([
    ['is opaque', { authorization: 'Bearer opaque' }],
    ['names no issuer', { flaws: { claims: { iss: undefined } } }],
    ['names an issuer that is no URL', { flaws: { claims: { iss: 'realm' } } }],
    ['names an issuer that is no web address', { flaws: { claims: { iss: 'file:///etc/passwd' } } }],
  ])('refuses a bearer that %s, and lives on', async (_what, delegation) => {
    const { delegate, end, events } = await startDevice([], { anyIssuer: true });
    expect((await delegate(delegation)).status).toBe(401);
    expect(ofType(events, 'delegation_refused')).toHaveLength(1);
    expect(await end()).toEqual({ delegations: 0, results: {}, failures: [] });
  });
});

describe('the decision', () => {
  it.each([
    ['approve', 'SUCCEED'],
    ['deny', 'UNAUTHORIZED'],
    ['cancel', 'CANCELLED'],
  ] as const)('by the rule %s is the result %s', async (rule, status) => {
    const { delegate, run, server } = await startDevice([ACCEPTED], { rule, count: 1 });
    await delegate();
    expect((await run).results).toEqual({ [status]: 1 });
    expect(server.to('callback').map(({ body }) => body)).toEqual([JSON.stringify({ status })]);
  });

  it('to ignore sends no result', async () => {
    const { delegate, run, events, server } = await startDevice([], { rule: 'ignore', count: 1 });
    await delegate();
    expect(await run).toEqual({ delegations: 1, results: {}, failures: [] });
    expect(ofType(events, 'decided')).toMatchObject([{ decision: 'ignore', number: 1, user: USER }]);
    expect(server.to('callback')).toEqual([]);
  });

  it('to hold keeps the bearer for one callback, and sends nothing by itself', async () => {
    const device = await startDevice([], { rule: 'hold', count: 1 });
    const bearer = await device.server.bearer();
    await device.delegate({
      authorization: `Bearer ${bearer}`,
      body: { login_hint: USER, binding_message: 'test-0001' },
    });
    expect(await device.run).toEqual({ delegations: 1, results: {}, failures: [] });
    // Another process takes it.
    const { pending } = await createContext(device.parts).store();
    expect(await pending.takeHeld()).toEqual({
      bearer,
      callback_url: `${device.server.issuer}/ext/ciba/auth/callback`,
      login_hint: USER,
      binding_message: 'test-0001',
      received_at: device.clock.now(),
    });
    expect(await pending.takeHeld()).toBeUndefined();
    expect(device.server.to('callback')).toEqual([]);
  });

  it.each([
    ['a moment', undefined, 300],
    ['as long as it is told', 7_000, 7_000],
    ['no time where it is told so', 0, 0],
  ])('by rule takes %s', async (_what, afterMs, waits) => {
    const { delegate, run, server, start } = await startDevice([ACCEPTED], { afterMs, count: 1 });
    await delegate();
    await run;
    expect(server.to('callback').map(({ at }) => at - start)).toEqual([waits]);
  });

  it('by rule waits for what it is told to wait for', async () => {
    const gate = latch();
    const { delegate, run, server } = await startDevice([ACCEPTED], { after: gate.opened, count: 1 });
    await delegate();
    await silence();
    expect(server.to('callback')).toEqual([]);
    gate.open();
    await run;
    expect(server.to('callback')).toHaveLength(1);
  });

  it('of a device that answers anything but 201 is none', async () => {
    const { delegate, run, events, server } = await startDevice([], { respond: 500, count: 1 });
    expect((await delegate()).status).toBe(500);
    expect(await run).toEqual({ delegations: 1, results: {}, failures: [] });
    expect(ofType(events, 'delegation_answered')).toEqual([
      { type: 'delegation_answered', status: 500, number: 1 },
    ]);
    expect(ofType(events, 'decided')).toEqual([]);
    expect(server.to('callback')).toEqual([]);
  });
});

describe('several delegations at once', () => {
  it('are put to the person one after the other, in the order of arrival', async () => {
    const asked: { summary: DelegationSummary; answer: (decision: Decision) => void }[] = [];
    const ask = (summary: DelegationSummary) =>
      new Promise<Decision>((answer) => {
        asked.push({ summary, answer });
      });
    const { delegate, run, server } = await startDevice([ACCEPTED, ACCEPTED, ACCEPTED], {
      rule: 'ask',
      ask,
      count: 3,
    });
    for (const user of ['first', 'second', 'third']) {
      expect((await delegate({ body: { login_hint: user } })).status).toBe(201);
    }
    await until(() => asked.length === 1);
    await silence();
    expect(asked).toHaveLength(1);
    asked[0]?.answer('approve');
    await until(() => asked.length === 2);
    asked[1]?.answer('deny');
    await until(() => asked.length === 3);
    asked[2]?.answer('cancel');
    expect(await run).toMatchObject({
      delegations: 3,
      results: { SUCCEED: 1, UNAUTHORIZED: 1, CANCELLED: 1 },
    });
    expect(asked.map(({ summary }) => summary.user)).toEqual(['first', 'second', 'third']);
    expect(asked.map(({ summary }) => summary.number)).toEqual([1, 2, 3]);
    expect(server.to('callback').map(({ body }) => JSON.parse(body).status)).toEqual([
      'SUCCEED',
      'UNAUTHORIZED',
      'CANCELLED',
    ]);
  });

  it('say to the person how many more are waiting', async () => {
    const waiting: number[] = [];
    const gate = latch();
    const ask = async ({ waiting: more }: DelegationSummary): Promise<Decision> => {
      await gate.opened;
      waiting.push(more);
      return 'ignore';
    };
    const { delegate, run, events } = await startDevice([], { rule: 'ask', ask, count: 3 });
    await Promise.all([delegate(), delegate(), delegate()]);
    await until(() => ofType(events, 'delegation_answered').length === 3);
    gate.open();
    await run;
    expect(waiting.slice(1)).toEqual([1, 0]);
  });

  it('end the device after as many as it is to count', async () => {
    const { delegate, run, events, url } = await startDevice([ACCEPTED, ACCEPTED], { count: 2 });
    await delegate();
    await until(() => ofType(events, 'result_accepted').length === 1);
    await silence();
    await delegate();
    expect(await run).toMatchObject({ delegations: 2, results: { SUCCEED: 2 } });
    await expectClosed(url);
  });

  it('leave the others their result when one of them fails', async () => {
    const { delegate, run } = await startDevice(['reset', ACCEPTED], { count: 2 });
    await delegate();
    await delegate();
    expect(await run).toMatchObject({
      delegations: 2,
      results: { SUCCEED: 1 },
      failures: [{ code: 'callback_fate_unknown' }],
    });
  });
});

describe('the result', () => {
  it('is sent once only when a reset hides its fate', async () => {
    const { delegate, run, events, server } = await startDevice(['reset'], { count: 1 });
    await delegate();
    const { failures, results } = await run;
    expect(failures).toMatchObject([{ code: 'callback_fate_unknown', exitCode: 5 }]);
    expect(results).toEqual({});
    expect(ofType(events, 'result_failed')).toMatchObject([{ number: 1 }]);
    await silence();
    expect(server.to('callback')).toHaveLength(1);
  });

  it('is sent once only when a time-out hides its fate', async () => {
    const timeOut: ScriptedStep = () => {
      vi.advanceTimersByTime(30_000);
      return 'hang';
    };
    const { delegate, run, server } = await startDevice([timeOut], { count: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await delegate();
    expect((await run).failures).toMatchObject([{ code: 'callback_fate_unknown' }]);
    await silence();
    expect(server.to('callback')).toHaveLength(1);
  });

  it('that came too early is sent once more, a second later', async () => {
    const early = { status: 403, json: { error: 'invalid_token' } };
    const { delegate, run, events, server } = await startDevice([early, ACCEPTED], { count: 1 });
    await delegate();
    expect(await run).toMatchObject({ results: { SUCCEED: 1 }, failures: [] });
    expect(ofType(events, 'result_too_early')).toEqual([{ type: 'result_too_early', number: 1 }]);
    const [first, second] = server.to('callback');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBe(1_000);
  });

  it('that is refused with 403 twice is not sent a third time', async () => {
    const early = { status: 403, json: { error: 'invalid_token' } };
    const { delegate, run, server } = await startDevice([early, early], { count: 1 });
    await delegate();
    expect(await run).toMatchObject({ results: {}, failures: [{ code: 'invalid_token', exitCode: 3 }] });
    await silence();
    expect(server.to('callback')).toHaveLength(2);
  });

  it('that came too early, and whose repetition broke off, is not sent a third time', async () => {
    const early = { status: 403, json: { error: 'invalid_token' } };
    const { delegate, run, server } = await startDevice([early, 'reset'], { count: 1 });
    await delegate();
    expect((await run).failures).toMatchObject([{ code: 'callback_fate_unknown' }]);
    await silence();
    expect(server.to('callback')).toHaveLength(2);
  });

  it.each([400, 401, 500, 502])('that is refused with %i is not sent again', async (status) => {
    const refused = { status, json: { error: 'invalid_request' } };
    const { delegate, run, server } = await startDevice([refused], { count: 1 });
    await delegate();
    expect((await run).failures).toMatchObject([{ oauth: { status } }]);
    await silence();
    expect(server.to('callback')).toHaveLength(1);
  });
});

describe('the listener', () => {
  it('closes when the device is ended from outside', async () => {
    const { end, url } = await startDevice([]);
    expect(await end()).toEqual({ delegations: 0, results: {}, failures: [] });
    await expectClosed(url);
  });

  it('closes when a signal interrupts, whose reason is the outcome', async () => {
    const reason = new InterruptedError('SIGTERM');
    const { parts, run, url } = await startDevice([]);
    parts.abort(reason);
    expect(await awaitFailure(run)).toBe(reason);
    await expectClosed(url);
  });

  it('closes when a signal interrupts while a decision is due', async () => {
    const reason = new InterruptedError('SIGINT');
    const clock = new FakeClock({ auto: false });
    const { parts, run, url, delegate } = await startDevice([], { lab: { clock } });
    await delegate();
    await until(() => clock.asleep === 1);
    parts.abort(reason);
    expect(await awaitFailure(run)).toBe(reason);
    expect(clock.asleep).toBe(0);
    await expectClosed(url);
  });

  it('closes when a signal interrupts while a result is under way', async () => {
    const reason = new InterruptedError('SIGINT');
    const abort: ScriptedStep = () => {
      device.parts.abort(reason);
      return 'hang';
    };
    const device: RunningDevice = await startDevice([abort]);
    await device.delegate();
    expect(await awaitFailure(device.run)).toBe(reason);
    await expectClosed(device.url);
  });

  it('closes when the person cannot be asked, which is the outcome', async () => {
    const failure = new UsageError('no_terminal', 'there is nobody to ask');
    const { delegate, run, url } = await startDevice([], {
      rule: 'ask',
      ask: async () => {
        throw failure;
      },
    });
    await delegate();
    expect(await awaitFailure(run)).toBe(failure);
    await expectClosed(url);
  });

  it('closes when a held delegation cannot be kept', async () => {
    const { delegate, run, url, ctx } = await startDevice([], { rule: 'hold' });
    const { pending } = await ctx.store();
    vi.spyOn(pending, 'hold').mockRejectedValue(new UsageError('file_unreadable', 'it is half a file'));
    await delegate();
    expect(await awaitFailure(run)).toMatchObject({ code: 'file_unreadable' });
    await expectClosed(url);
  });

  it.each([
    ['the process', true],
    ['the flow around it', false],
  ])('never opens for good when %s ends while it is being opened', async (_what, bySignal) => {
    const lab = await startLab();
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    const listen = await freeAddress();
    const run = runDevice(
      lab.ctx,
      { listen, metadata: lab.server.metadata, rule: 'ignore', signal: stop.signal },
      () => {},
    );
    if (bySignal) lab.parts.abort(reason);
    else stop.abort();
    if (bySignal) expect(await awaitFailure(run)).toBe(reason);
    else expect(await run).toEqual({ delegations: 0, results: {}, failures: [] });
    await expectClosed(`http://127.0.0.1:${listen.port}${listen.path}`);
  });

  it('is not even opened after an interruption', async () => {
    const lab = await startLab();
    const reason = new InterruptedError('SIGINT');
    lab.parts.abort(reason);
    const events: CibaDeviceEvent[] = [];
    const run = runDevice(lab.ctx, { listen: LISTEN, metadata: undefined, rule: 'ignore' }, (event) =>
      events.push(event),
    );
    expect(await awaitFailure(run)).toBe(reason);
    expect(events).toEqual([]);
  });

  it('that finds its port in use says so: exit 2', async () => {
    const other = await occupy();
    const { port } = other.address() as { port: number };
    const lab = await startLab();
    const run = runDevice(
      lab.ctx,
      { listen: { ...LISTEN, port }, metadata: undefined, rule: 'ignore' },
      () => {},
    );
    const error = await awaitFailure(run);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: 'address_in_use', exitCode: 2 });
    expect(error.message).toBe(`127.0.0.1:${port} is in use by another program`);
  });
});

/** What the servers of this file publish as their keys. */
async function publishedKeys() {
  const server = await startMisbehavingServer({ clock: new FakeClock() });
  const answer = await fetch(`${server.issuer}/jwks`);
  return (await answer.json()) as { keys: { kid: string }[] };
}

async function occupy(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return server;
}

/** An address that was free a moment ago. */
async function freeAddress() {
  const server = await occupy();
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return { ...LISTEN, port };
}
