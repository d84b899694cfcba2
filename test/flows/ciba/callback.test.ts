import { afterEach, describe, expect, it, vi } from 'vitest';
import { InterruptedError, NetworkError, RefusedError } from '../../../src/errors.ts';
import { type CibaCallbackEvent, sendResult } from '../../../src/flows/ciba/callback.ts';
import { HTML_PAGE, type ScriptedStep } from '../../helpers/misbehaving-server.ts';
import { silence } from '../../helpers/wait.ts';
import { awaitFailure, type Lab, startLab } from '../harness.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface Callback extends Lab {
  readonly events: CibaCallbackEvent[];
  readonly run: (url?: string) => Promise<void>;
}

async function startCallback(answer?: ScriptedStep): Promise<Callback> {
  const lab = await startLab({ callback: answer === undefined ? [] : [answer] });
  const events: CibaCallbackEvent[] = [];
  const ours = `${lab.server.issuer}/ext/ciba/auth/callback`;
  return {
    ...lab,
    events,
    run: (url = ours) =>
      sendResult(lab.ctx, { url, bearer: 'the-bearer', status: 'SUCCEED' }, (event) => events.push(event)),
  };
}

describe('the result callback', () => {
  it.each([200, 201, 204])('is done with a %i', async (status) => {
    const { run, server, events } = await startCallback({ status });
    await run();
    const [request] = server.to('callback');
    expect(request).toMatchObject({ method: 'POST', body: '{"status":"SUCCEED"}' });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer the-bearer',
      'content-type': 'application/json',
    });
    expect(events).toEqual([
      { type: 'result_sent', status: 'SUCCEED', url: `${server.issuer}/ext/ciba/auth/callback` },
      { type: 'result_accepted', httpStatus: status, ms: 0 },
    ]);
  });

  it.each<[string, number, string, ScriptedStep]>([
    ['403', 403, 'invalid_token', { status: 403, json: { error: 'invalid_token' } }],
    ['401', 401, 'invalid_token', { status: 401, json: { error: 'invalid_token' } }],
    ['400', 400, 'invalid_request', { status: 400, json: { error: 'invalid_request' } }],
  ])('is a refusal at a %s, and sent once', async (_what, status, error, answer) => {
    const { run, server } = await startCallback(answer);
    const failure = await awaitFailure(run());
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure).toMatchObject({ exitCode: 3, oauth: { error, status, endpoint: 'ciba_callback' } });
    await silence();
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, ScriptedStep, RegExp]>([
    ['502 with HTML', { status: 502, text: HTML_PAGE }, /status 502 and an HTML page/],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /\(302\) to http:.*:1\//],
  ])('is not an answer of the server at %s, and sent once', async (_what, answer, message) => {
    const { run, server } = await startCallback(answer);
    const failure = await awaitFailure(run());
    expect(failure).toMatchObject({ code: 'not_the_protocol', exitCode: 5, maybeHandled: true });
    expect(failure.message).toMatch(message);
    await silence();
    expect(server.requests).toHaveLength(1);
  });

  it('is not repeated after a reset, because nobody knows its fate', async () => {
    const { run, server, events } = await startCallback('reset');
    const failure = await awaitFailure(run());
    expect(failure).toBeInstanceOf(NetworkError);
    expect(failure).toMatchObject({ code: 'callback_fate_unknown', exitCode: 5, maybeHandled: true });
    expect(failure.hint).toMatch(/not repeated, because a second result destroys an accepted one/);
    await silence();
    expect(server.requests).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(['result_sent']);
  });

  it('is not repeated after an answer that broke off', async () => {
    const { run, server } = await startCallback({ json: { a: 'long enough to be cut' }, cut: true });
    expect(await awaitFailure(run())).toMatchObject({ code: 'callback_fate_unknown', exitCode: 5 });
    await silence();
    expect(server.requests).toHaveLength(1);
  });

  it('is not repeated after a time-out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { run, server } = await startCallback(() => {
      vi.advanceTimersByTime(30_000);
      return 'hang';
    });
    expect(await awaitFailure(run())).toMatchObject({ code: 'callback_fate_unknown', exitCode: 5 });
    await silence();
    expect(server.requests).toHaveLength(1);
  });

  it('that never left says so: its fate is known', async () => {
    const { run } = await startCallback();
    expect(await awaitFailure(run('http://127.0.0.1:1/callback'))).toMatchObject({
      code: 'connection_refused',
      exitCode: 5,
      maybeHandled: false,
    });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'that %s cuts short ends with %i, and says that its fate is unknown',
    async (signal, exitCode) => {
      const callback: Callback = await startCallback(() => {
        callback.parts.abort(new InterruptedError(signal));
        return 'hang';
      });
      const failure = await awaitFailure(callback.run());
      expect(failure).toBeInstanceOf(InterruptedError);
      expect(failure.exitCode).toBe(exitCode);
      expect(failure.hint).toMatch(/^Nobody knows whether the server took the result/);
    },
  );

  it('leaves its bearer masked in whatever is written to stderr', async () => {
    const { run, parts } = await startCallback({});
    await run();
    parts.io.err('sent with the-bearer');
    expect(parts.stderr()).toBe('sent with (masked)');
  });
});
