import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  InterruptedError,
  NetworkError,
  PendingError,
  RefusedError,
  TimeoutError,
} from '../../../src/errors.ts';
import { type PollGuard, pollForTokens } from '../../../src/flows/polling/poll.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  HTML_PAGE,
  PENDING,
  type ScriptedStep,
  SLOW_DOWN,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { latch, silence, until } from '../../helpers/wait.ts';
import { awaitFailure, ofType, type Polling, startPolling } from '../harness.ts';

const refusal = (error: string, status = 400) => ({ status, json: { error, error_description: 'so it is' } });

/** The times of arrival of the polls, in milliseconds from the start. */
const arrivals = ({ server, start }: Polling) => server.to('token').map(({ at }) => at - start);

afterEach(() => {
  vi.useRealTimers();
});

/** Puts the transport's own deadline into the hands of the test. */
function holdTransportTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
}

/** An answer that takes its time, on the clock and on the transport's timers. */
function late(clock: FakeClock, ms: number, answer: ScriptedStep): ScriptedStep {
  return async (request) => {
    vi.advanceTimersByTime(ms);
    clock.pass(ms);
    return typeof answer === 'function' ? answer(request) : answer;
  };
}

describe('the intervals between polls', () => {
  it('goes on through two pendings to the tokens', async () => {
    const polling = await startPolling([PENDING, PENDING, TOKENS]);
    const tokens = await polling.run();
    expect(tokens.access_token).toBe('the-access-token');
    expect(arrivals(polling)).toEqual([5_000, 10_000, 15_000]);
    expect(polling.events.filter(({ type }) => type !== 'waiting').map(({ type }) => type)).toEqual([
      'polling',
      'polled',
      'polling',
      'polled',
      'polling',
      'tokens',
    ]);
  });

  it('polls first at the time it is given, not a moment sooner', async () => {
    const polling = await startPolling([TOKENS], { first: 7_250 });
    await polling.run();
    expect(arrivals(polling)).toEqual([7_250]);
  });

  it('obeys an interval of 31 seconds', async () => {
    const polling = await startPolling([PENDING, PENDING, TOKENS], { intervalSeconds: 31 });
    await polling.run();
    expect(arrivals(polling)).toEqual([31_000, 62_000, 93_000]);
  });

  it('tells once a second how long it still waits', async () => {
    const polling = await startPolling([TOKENS], { intervalSeconds: 3, expires: 120_000 });
    await polling.run();
    expect(ofType(polling.events, 'waiting')).toEqual([
      { type: 'waiting', nextInMs: 3_000, expiresInMs: 120_000 },
      { type: 'waiting', nextInMs: 2_000, expiresInMs: 119_000 },
      { type: 'waiting', nextInMs: 1_000, expiresInMs: 118_000 },
    ]);
  });

  it('counts a wait from the arrival of the answer', async () => {
    const polling = await startPolling([{ ...PENDING, takes: 1_500 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([6_500]);
  });

  it('adds five seconds to this and all later waits after a slow_down', async () => {
    const polling = await startPolling([PENDING, SLOW_DOWN, PENDING, PENDING, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000, 10_000, 10_000, 10_000]);
    expect(ofType(polling.events, 'slowed_down')).toEqual([{ type: 'slowed_down', intervalSeconds: 10 }]);
  });

  it('adds ten seconds after two slow_downs', async () => {
    const polling = await startPolling([SLOW_DOWN, SLOW_DOWN, PENDING, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([10_000, 15_000, 15_000]);
  });

  it('waits ten seconds and more after a slow_down that was itself held back', async () => {
    const polling = await startPolling([{ ...SLOW_DOWN, takes: 12_000 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([22_000]);
  });
});

describe('long polling', () => {
  it('asks again at once when the answer was held back for the whole interval', async () => {
    const polling = await startPolling([{ ...PENDING, takes: 25_000 }, { ...PENDING, takes: 5_000 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([25_000, 5_000]);
  });

  it('still waits when the answer was held back for less than the interval', async () => {
    const polling = await startPolling([{ ...PENDING, takes: 4_999 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([9_999]);
  });

  it('has the patience for an answer after 30 seconds', async () => {
    holdTransportTimers();
    const clock = new FakeClock();
    const polling = await startPolling([late(clock, 30_000, TOKENS)], { clock });
    await polling.run();
    expect(polling.server.to('token')).toHaveLength(1);
  });

  it('goes on after an answer that never came', async () => {
    holdTransportTimers();
    const clock = new FakeClock();
    const polling = await startPolling([late(clock, 35_000, 'hang'), TOKENS], { clock });
    await polling.run();
    expect(polling.server.gaps()).toEqual([40_000]);
    expect(ofType(polling.events, 'poll_failed')).toEqual([
      {
        type: 'poll_failed',
        reason: expect.stringMatching(/did not answer within 35 s$/),
        nextInMs: 5_000,
      },
    ]);
  });
});

describe('Retry-After', () => {
  const at = (start: number, ms: number) => new Date(start + ms).toUTCString();
  const start = new FakeClock().now();

  it.each<[string, ScriptedStep, number]>([
    ['seconds on a 503', { status: 503, headers: { 'retry-after': '17' } }, 17_000],
    ['an HTTP date on a 503', { status: 503, headers: { 'retry-after': at(start, 25_000) } }, 20_000],
    ['seconds on a 429', { status: 429, headers: { 'retry-after': '9' } }, 9_000],
    [
      'seconds on a 429 with an error of its own',
      { ...refusal('rate_limited', 429), headers: { 'retry-after': '9' } },
      9_000,
    ],
    ['an HTTP date on a 429', { status: 429, headers: { 'retry-after': at(start, 13_000) } }, 8_000],
    ['seconds on a slow_down', { ...SLOW_DOWN, headers: { 'retry-after': '40' } }, 40_000],
    ['an HTTP date on a slow_down', { ...SLOW_DOWN, headers: { 'retry-after': at(start, 35_000) } }, 30_000],
    ['a slow_down on a 429', { ...SLOW_DOWN, status: 429, headers: { 'retry-after': '12' } }, 12_000],
    ['less than a slow_down asks for', { ...SLOW_DOWN, headers: { 'retry-after': '2' } }, 10_000],
    ['less than the interval', { status: 503, headers: { 'retry-after': '1' } }, 5_000],
    ['a date that has passed', { status: 503, headers: { 'retry-after': at(start, -60_000) } }, 5_000],
    ['nonsense', { status: 503, headers: { 'retry-after': 'soon' } }, 5_000],
  ])('is heeded: %s', async (_what, answer, gap) => {
    const polling = await startPolling([answer, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([gap]);
  });

  it('names the wait also where backing off would take longer', async () => {
    const busy = { status: 503, headers: { 'retry-after': '6' } };
    const polling = await startPolling([busy, busy, busy, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([6_000, 6_000, 6_000]);
  });

  it('adds nothing to the waits that follow', async () => {
    const polling = await startPolling([{ status: 503, headers: { 'retry-after': '17' } }, PENDING, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([17_000, 5_000]);
  });
});

describe('trouble that may pass', () => {
  it.each<[string, ScriptedStep, RegExp]>([
    ['a 500 without a body', { status: 500 }, /status 500 and an empty body/],
    ['a 500 with an error of the server', refusal('server_error', 500), /^500 server_error$/],
    ['a 503 with temporarily_unavailable', refusal('temporarily_unavailable', 503), /^503 temporarily_/],
    ['an HTML page with 502', { status: 502, text: HTML_PAGE }, /an HTML page \("Bad Gateway"\)/],
    ['a reset', 'reset', /closed the connection without an answer/],
    ['an answer that breaks off', { ...TOKENS, cut: true }, /^(the exchange with )?127\.0\.0\.1:\d+ /],
  ])('is told and survived: %s', async (_what, answer, reason) => {
    const polling = await startPolling([answer, TOKENS]);
    await polling.run();
    expect(ofType(polling.events, 'poll_failed')).toEqual([
      { type: 'poll_failed', reason: expect.stringMatching(reason), nextInMs: 5_000 },
    ]);
  });

  it('makes the pauses longer, up to a minute, and short again once the server is back', async () => {
    const down = { status: 500 };
    const polling = await startPolling(['reset', down, down, down, down, down, PENDING, down, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 5_000, 5_000]);
  });

  it('never makes a pause shorter than an interval beyond a minute', async () => {
    const polling = await startPolling(['reset', 'reset', TOKENS], { intervalSeconds: 90 });
    await polling.run();
    expect(polling.server.gaps()).toEqual([90_000, 90_000]);
  });

  it('ends with the deadline', async () => {
    const polling = await startPolling(['reset', 'reset', 'reset'], { deadline: 30_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'deadline', exitCode: 6 });
    await silence();
    expect(arrivals(polling)).toEqual([5_000, 10_000, 20_000]);
  });

  it('says after a lost answer and an invalid_grant that the lost one may have carried the tokens', async () => {
    const polling = await startPolling([PENDING, 'reset', refusal('invalid_grant')]);
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'invalid_grant', exitCode: 3 });
    expect(error.hint).toMatch(/previous answer was lost; it may have carried the tokens/);
  });

  it('does not blame a lost answer when the server said pending after it', async () => {
    const polling = await startPolling(['reset', PENDING, refusal('invalid_grant')]);
    expect((await awaitFailure(polling.run())).hint).toBeUndefined();
  });

  it('does not go on where nobody listens', async () => {
    const { clock, ctx, events } = await startPolling([]);
    const url = 'http://127.0.0.1:1/token';
    const run = pollForTokens(
      ctx,
      {
        tokenEndpoint: url,
        send: async (timeoutMs) =>
          (await ctx.http()).send({ method: 'POST', url, endpoint: 'token', timeoutMs }),
        intervalSeconds: 5,
        firstAt: clock.now(),
      },
      (event) => events.push(event),
    );
    expect(await awaitFailure(run)).toMatchObject({ code: 'connection_refused', exitCode: 5 });
    expect(ofType(events, 'polling')).toHaveLength(1);
  });
});

describe('the error decides, not the status', () => {
  it('goes on after a 200 with authorization_pending in it', async () => {
    const polling = await startPolling([{ ...PENDING, status: 200 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000]);
  });

  it('goes on after a 403 and a 500 with authorization_pending in them', async () => {
    const polling = await startPolling([{ ...PENDING, status: 403 }, { ...PENDING, status: 500 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000, 5_000]);
    expect(ofType(polling.events, 'poll_failed')).toEqual([]);
  });

  it('slows down after a 200 with slow_down in it', async () => {
    const polling = await startPolling([{ ...SLOW_DOWN, status: 200 }, TOKENS]);
    await polling.run();
    expect(polling.server.gaps()).toEqual([10_000]);
  });

  it('is denied by a 200 with access_denied in it, even beside an access token', async () => {
    const polling = await startPolling([{ json: { ...TOKENS.json, error: 'access_denied' } }]);
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'access_denied', exitCode: 7 });
  });
});

describe('a final answer', () => {
  const final: [error: string, status: number, exitCode: number][] = [
    ['expired_token', 400, 6],
    ['access_denied', 400, 7],
    ['access_denied', 403, 7],
    ['access_denied', 500, 7],
    ['invalid_grant', 400, 3],
    ['invalid_request', 400, 3],
    ['unauthorized_client', 400, 3],
    ['invalid_client', 401, 3],
    ['transaction_failed', 400, 3],
    ['a_word_nobody_knows', 400, 3],
  ];

  it.each(final)('is %s with status %i: one request, then silence', async (word, status, exitCode) => {
    const polling = await startPolling([refusal(word, status)]);
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      code: word === 'a_word_nobody_knows' ? 'refused' : word,
      exitCode,
      oauth: { error: word, error_description: 'so it is', status, endpoint: 'token' },
    });
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it.each(final)('is %s with status %i on the third poll: no fourth', async (word, status, exitCode) => {
    const polling = await startPolling([PENDING, PENDING, refusal(word, status)]);
    expect(await awaitFailure(polling.run())).toMatchObject({ oauth: { error: word }, exitCode });
    await silence();
    expect(arrivals(polling)).toEqual([5_000, 10_000, 15_000]);
  });

  it.each<[string, ScriptedStep]>([
    ['an HTML page with 200', { text: HTML_PAGE }],
    ['an HTML page with 404', { status: 404, text: HTML_PAGE }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/login' } }],
    ['JSON that is no object', { json: ['access_token'] }],
    ['an empty 200', {}],
  ])('is %s, which is not the protocol: exit 5, then silence', async (_what, answer) => {
    const polling = await startPolling([answer]);
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code: 'not_the_protocol', exitCode: 5 });
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it('is a refusal in another form than that of OAuth: exit 3, then silence', async () => {
    const polling = await startPolling([{ status: 400, json: { message: 'no' } }]);
    expect(await awaitFailure(polling.run())).toMatchObject({
      code: 'bad_request',
      exitCode: 3,
      oauth: { error: 'bad_request', error_description: 'no', status: 400 },
    });
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it.each(['Realm not enabled', 'The client is disabled'])(
    'is access_denied that nobody decided (%s): exit 3',
    async (error_description) => {
      const polling = await startPolling([
        { status: 400, json: { error: 'access_denied', error_description } },
      ]);
      expect(await awaitFailure(polling.run())).toMatchObject({ code: 'access_denied', exitCode: 3 });
    },
  );

  it.each<[string, unknown]>([
    ['without an access token', { token_type: 'Bearer' }],
    ['with an empty access token', { access_token: '', token_type: 'Bearer' }],
    ['with an access token that is no string', { access_token: 7, token_type: 'Bearer' }],
  ])('is a token response %s: exit 4, then silence', async (_what, json) => {
    const polling = await startPolling([{ json }]);
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'token_response_invalid', exitCode: 4 });
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it('is a token response with odd members, which is used with remarks', async () => {
    const json = { access_token: 'the-access-token', scope: ['a', 'b'], id_token: '' };
    const polling = await startPolling([{ json }]);
    expect(await polling.run()).toMatchObject({
      token_type: 'Bearer',
      scope: 'a b',
      id_token: undefined,
      remarks: [
        expect.stringContaining('token_type'),
        expect.stringContaining('id_token'),
        expect.stringContaining('scope'),
      ],
      json,
    });
  });

  it('is a token response without scope and expires_in, which is fine', async () => {
    const polling = await startPolling([TOKENS]);
    expect(await polling.run()).toMatchObject({
      access_token: 'the-access-token',
      scope: undefined,
      expires_in: undefined,
    });
  });
});

describe('the deadline', () => {
  it('ends the wait without a further poll', async () => {
    const polling = await startPolling([PENDING, PENDING], { deadline: 12_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'deadline', exitCode: 6 });
    await silence();
    expect(arrivals(polling)).toEqual([5_000, 10_000]);
  });

  it('that is over before the first poll lets none out', async () => {
    const polling = await startPolling([], { deadline: 4_000 });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'deadline' });
    expect(polling.clock.now()).toBe(polling.start);
  });

  it('waits until it has passed when somebody might still wake it', async () => {
    const polling = await startPolling([], { deadline: 4_000, wake: new Promise(() => {}) });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'deadline' });
    expect(polling.clock.now()).toBe(polling.start + 4_000);
  });

  it('cuts a poll that hangs, and leaves the next process its interval', async () => {
    holdTransportTimers();
    const clock = new FakeClock();
    const guard = fakeGuard();
    const polling = await startPolling([late(clock, 3_000, 'hang')], { clock, deadline: 8_000, guard });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'deadline', exitCode: 6 });
    expect(guard.schedule).toHaveBeenLastCalledWith(polling.start + 13_000, 5);
  });
});

describe('the expiry', () => {
  it('is not waited for when the server asks to wait beyond it', async () => {
    const wait = { status: 503, headers: { 'retry-after': '3600' } };
    const polling = await startPolling([wait], { expires: 120_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(error.message).toContain('asks to wait until after');
    expect(polling.clock.now() - polling.start).toBeLessThan(120_000);
  });

  it('makes the poll after it the last one', async () => {
    const polling = await startPolling([PENDING, PENDING, PENDING], { expires: 12_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(error.message).toBe('the request expired 3 s ago; the server still answers authorization_pending');
    await silence();
    expect(arrivals(polling)).toEqual([5_000, 10_000, 15_000]);
  });

  it('makes the poll at that very moment the last one', async () => {
    const polling = await startPolling([PENDING, PENDING], { expires: 10_000 });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'expired' });
    expect(arrivals(polling)).toEqual([5_000, 10_000]);
  });

  it('says what the last poll failed with, where there was no last word', async () => {
    const polling = await startPolling([PENDING, { status: 502, text: HTML_PAGE }], { expires: 9_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(error.message).toMatch(/^the request expired 1 s ago; the last poll failed: .*Bad Gateway/);
  });

  it('leaves the last word to the server', async () => {
    const polling = await startPolling([PENDING, refusal('expired_token')], { expires: 9_000 });
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: 'expired_token', exitCode: 6 });
  });

  it('still takes the tokens of a request that was approved in the last moment', async () => {
    const polling = await startPolling([PENDING, TOKENS], { expires: 9_000 });
    expect((await polling.run()).access_token).toBe('the-access-token');
  });
});

describe('a refusal after the lifetime of the request', () => {
  const lifetime = { expires: 12_000, lifetimeSeconds: 12 };

  it.each([
    ['invalid_grant', 400],
    ['invalid_request', 400],
    ['invalid_token', 400],
    ['transaction_failed', 400],
    ['a_word_nobody_knows', 404],
  ])('means that time ran out: %s with %i', async (word, status) => {
    const polling = await startPolling([PENDING, PENDING, refusal(word, status)], lifetime);
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      code: 'expired',
      exitCode: 6,
      message: `the request expired 3 s ago, after its lifetime of 12 s; the server answered ${status} ${word}: so it is`,
      hint: 'Send a new request.',
      oauth: { error: word, status },
    });
    await silence();
    expect(arrivals(polling)).toEqual([5_000, 10_000, 15_000]);
  });

  it('names the lifetime beside expired_token', async () => {
    const polling = await startPolling([PENDING, PENDING, refusal('expired_token')], lifetime);
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired_token', exitCode: 6 });
    expect(error.message).toContain('after its lifetime of 12 s; the server answered 400 expired_token');
  });

  it.each([
    ['access_denied', 400, 7],
    ['invalid_client', 401, 3],
    ['invalid_client', 400, 3],
    ['unauthorized_client', 400, 3],
    ['unsupported_grant_type', 400, 3],
    ['invalid_dpop_proof', 400, 3],
    ['invalid_request', 401, 3],
  ])('keeps its own meaning where it is not about the id: %s with %i', async (word, status, exitCode) => {
    const polling = await startPolling([PENDING, PENDING, refusal(word, status)], lifetime);
    expect(await awaitFailure(polling.run())).toMatchObject({ code: word, exitCode });
  });

  it.each(['invalid_grant', 'invalid_request'])('is no matter of time before it: %s', async (word) => {
    const polling = await startPolling([PENDING, refusal(word)], lifetime);
    expect(await awaitFailure(polling.run())).toMatchObject({ code: word, exitCode: 3 });
  });

  it('counts the lifetime from when the request was sent, as the server may', async () => {
    const clock = new FakeClock();
    const polling = await startPolling([PENDING, refusal('invalid_request')], {
      clock,
      expires: 12_000,
      mayExpireAt: clock.now() + 10_000,
      lifetimeSeconds: 12,
    });
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(error.message).toMatch(/^the request has expired, after its lifetime of 12 s; /);
  });

  it('still says that a lost answer may have carried the tokens', async () => {
    const polling = await startPolling([PENDING, PENDING, 'reset', refusal('invalid_grant')], {
      ...lifetime,
      expires: 17_000,
    });
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ code: 'expired', exitCode: 6 });
    expect(error.hint).toMatch(/previous answer was lost/);
  });

  it('adds what is known beside the polls', async () => {
    const polling = await startPolling([PENDING, PENDING, refusal('invalid_grant')], {
      ...lifetime,
      describeSituation: () => 'the device was never called',
    });
    expect((await awaitFailure(polling.run())).message).toBe(
      'the request expired 3 s ago, after its lifetime of 12 s; the device was never called; ' +
        'the server answered 400 invalid_grant: so it is',
    );
  });
});

describe('what is said when time has run out', () => {
  const down = { status: 500 };
  const reason = 'the server answered with status 500 and an empty body';

  it.each<[string, readonly ScriptedStep[], object, string]>([
    [
      'before a poll that does not fit, how long there would be to wait',
      [PENDING],
      { deadline: 8_000 },
      'no further poll fits before the deadline, which is in 3 s: the next one is allowed in 5 s; ' +
        'the server still answers authorization_pending',
    ],
    [
      'before the first poll, that none was sent',
      [],
      { deadline: 4_000 },
      'no poll was sent: the next one is allowed in 5 s, and the deadline is in 4 s',
    ],
    [
      'for a poll of --once that does not fit, that none was sent',
      [],
      { deadline: 4_000, once: true },
      'no poll was sent: the next one is allowed in 5 s, and the deadline is in 4 s',
    ],
    [
      'after failures alone, the last of them',
      [down, down],
      { deadline: 12_000 },
      'no further poll fits before the deadline, which is in 2 s: the next one is allowed in 10 s; ' +
        `all 2 polls failed, the last one with: ${reason}`,
    ],
    [
      'after one failure',
      [down],
      { deadline: 8_000 },
      `no further poll fits before the deadline, which is in 3 s: the next one is allowed in 5 s; the only poll failed: ${reason}`,
    ],
    [
      'after failures that followed a pending',
      [PENDING, down, down],
      { deadline: 18_000 },
      'no further poll fits before the deadline, which is in 3 s: the next one is allowed in 10 s; ' +
        `the last 2 polls failed, the last one with: ${reason}`,
    ],
    [
      'after a failure that followed a pending, with the expiry',
      [PENDING, down],
      { expires: 9_000 },
      `the request expired 1 s ago; the last poll failed: ${reason}`,
    ],
    [
      'with the word of a server that has another for pending',
      [refusal('invalid_grant')],
      { deadline: 8_000, pendingErrors: ['invalid_grant'] },
      'no further poll fits before the deadline, which is in 3 s: the next one is allowed in 5 s; ' +
        'the server still answers invalid_grant',
    ],
    [
      'what is known beside the polls',
      [PENDING],
      { deadline: 8_000, describeSituation: () => 'the device was never called' },
      'no further poll fits before the deadline, which is in 3 s: the next one is allowed in 5 s; ' +
        'the device was never called; the server still answers authorization_pending',
    ],
    [
      'after a wait for the device, that no poll was sent',
      [],
      {
        deadline: 4_000,
        wake: new Promise(() => {}),
        describeSituation: () => 'the device was never called',
      },
      'the deadline passed: the device was never called; no poll was sent',
    ],
  ])('%s', async (_what, answers, options, message) => {
    const polling = await startPolling(answers, options);
    const error = await awaitFailure(polling.run());
    expect(error).toMatchObject({ exitCode: 6, message });
    expect(error.message).not.toContain('decided');
  });

  it('a poll that hangs until the deadline is a poll that failed', async () => {
    holdTransportTimers();
    const clock = new FakeClock();
    const polling = await startPolling([late(clock, 3_000, 'hang')], { clock, deadline: 8_000 });
    expect((await awaitFailure(polling.run())).message).toMatch(
      /^the deadline passed: the only poll failed: .* did not answer within 3 s$/,
    );
  });
});

describe('one poll only', () => {
  it('says how long it has to wait, and nothing where it does not', async () => {
    const waiting = await startPolling([TOKENS], { once: true, first: 4_200 });
    await waiting.run();
    expect(ofType(waiting.events, 'poll_delayed')).toEqual([{ type: 'poll_delayed', nextInMs: 4_200 }]);
    const allowed = await startPolling([TOKENS], { once: true, first: 0 });
    await allowed.run();
    expect(ofType(allowed.events, 'poll_delayed')).toEqual([]);
    const repeated = await startPolling([TOKENS], { first: 4_200 });
    await repeated.run();
    expect(ofType(repeated.events, 'poll_delayed')).toEqual([]);
  });

  it.each([
    ['authorization_pending', PENDING, 'The next poll may be sent in 5 s.'],
    ['slow_down', SLOW_DOWN, 'The next poll may be sent in 10 s.'],
  ])('is still pending after %s: exit 8', async (word, answer, hint) => {
    const polling = await startPolling([answer], { once: true });
    const error = await awaitFailure(polling.run());
    expect(error).toBeInstanceOf(PendingError);
    expect(error).toMatchObject({ exitCode: 8, hint });
    expect(error.message).toContain(word);
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it('tells what failed instead of trying again', async () => {
    const polling = await startPolling(['reset'], { once: true });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'connection_reset', exitCode: 5 });
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });

  it('returns tokens that are there', async () => {
    const polling = await startPolling([TOKENS], { once: true });
    expect((await polling.run()).access_token).toBe('the-access-token');
  });
});

describe('errors that a server uses for "still pending"', () => {
  it('are waited through where they are named, as for the invalid_grant of Apereo CAS', async () => {
    const polling = await startPolling([refusal('invalid_grant'), refusal('invalid_grant'), TOKENS], {
      pendingErrors: ['invalid_grant'],
    });
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000, 5_000]);
  });

  it('leave every other error final', async () => {
    const polling = await startPolling([refusal('invalid_grant'), refusal('invalid_request')], {
      pendingErrors: ['invalid_grant'],
    });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'invalid_request', exitCode: 3 });
  });
});

describe('being woken', () => {
  it('brings the first poll forward', async () => {
    const clock = new FakeClock({ auto: false });
    const wake = latch();
    const polling = await startPolling([TOKENS], { clock, wake: wake.opened });
    const run = polling.run();
    await until(() => clock.asleep === 1);
    clock.advance(400);
    await silence();
    expect(polling.server.requests).toHaveLength(0);
    wake.open();
    await run;
    expect(arrivals(polling)).toEqual([400]);
  });

  it('brings no later poll forward', async () => {
    const wake = latch();
    const wakeAndAnswer = () => {
      wake.open();
      return PENDING;
    };
    const polling = await startPolling([wakeAndAnswer, PENDING, TOKENS], { wake: wake.opened });
    await polling.run();
    expect(arrivals(polling)).toEqual([5_000, 10_000, 15_000]);
  });

  it('is followed by a whole interval when the early poll was still pending', async () => {
    const polling = await startPolling([PENDING, TOKENS], { wake: Promise.resolve() });
    await polling.run();
    expect(polling.server.gaps()).toEqual([5_000]);
    expect(arrivals(polling)[0]).toBeLessThan(5_000);
  });

  it('brings nothing forward once another process has polled', async () => {
    const guard = fakeGuard();
    guard.claim.mockResolvedValueOnce({ waitUntil: new FakeClock().now() + 9_000 });
    const polling = await startPolling([TOKENS], { wake: Promise.resolve(), guard });
    await polling.run();
    expect(arrivals(polling)).toEqual([9_000]);
    expect(guard.claim.mock.calls).toEqual([
      [expect.any(Number), true],
      [expect.any(Number), false],
    ]);
  });

  it('by a promise that fails is no waking', async () => {
    const wake = Promise.reject(new Error('no device'));
    wake.catch(() => {});
    const polling = await startPolling([TOKENS], { wake });
    await polling.run();
    expect(arrivals(polling)).toEqual([5_000]);
  });
});

describe('an interruption', () => {
  const reason = new InterruptedError('SIGINT');

  it('during a wait ends it at once, with the reason of the signal', async () => {
    const clock = new FakeClock({ auto: false });
    const polling = await startPolling([], { clock });
    const run = polling.run();
    await until(() => clock.asleep === 1);
    polling.parts.abort(reason);
    expect(await awaitFailure(run)).toBe(reason);
    expect(clock.asleep).toBe(0);
    expect(clock.now()).toBe(polling.start);
  });

  it('before anything lets no poll out', async () => {
    const polling = await startPolling([], { first: 0 });
    polling.parts.abort(reason);
    expect(await awaitFailure(polling.run())).toBe(reason);
  });

  it('during a poll ends it at once, and leaves the next process its interval', async () => {
    const guard = fakeGuard();
    const abort = () => {
      polling.parts.abort(reason);
      return 'hang' as const;
    };
    const polling: Polling = await startPolling([abort], { guard });
    expect(await awaitFailure(polling.run())).toBe(reason);
    expect(guard.schedule).toHaveBeenLastCalledWith(polling.start + 10_000, 5);
    await silence();
    expect(polling.server.requests).toHaveLength(1);
  });
});

describe('the guard', () => {
  it('is asked before each poll, and told the next time and the interval after it', async () => {
    const guard = fakeGuard();
    const { run, start } = await startPolling([PENDING, SLOW_DOWN, TOKENS], { guard });
    await run();
    expect(guard.claim).toHaveBeenCalledTimes(3);
    expect(guard.schedule.mock.calls).toEqual([
      [start + 10_000, 5],
      [start + 20_000, 10],
    ]);
  });

  it('that knows a longer interval, because another process was slowed down, is believed', async () => {
    const guard = fakeGuard();
    guard.claim.mockResolvedValue({ intervalSeconds: 15 });
    const polling = await startPolling([PENDING, PENDING, TOKENS], { guard });
    await polling.run();
    expect(polling.server.gaps()).toEqual([15_000, 15_000]);
    expect(guard.schedule).toHaveBeenLastCalledWith(polling.start + 35_000, 15);
  });

  it('that fails ends the polling before a request leaves', async () => {
    const guard = fakeGuard();
    guard.claim.mockRejectedValue(new TimeoutError('file_locked', 'locked'));
    const polling = await startPolling([], { guard });
    expect(await awaitFailure(polling.run())).toMatchObject({ code: 'file_locked' });
  });
});

function fakeGuard() {
  return {
    claim: vi.fn<PollGuard['claim']>(async () => ({})),
    schedule: vi.fn<PollGuard['schedule']>(async () => {}),
  };
}
