import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../../src/context.ts';
import { InterruptedError, NetworkError } from '../../../src/errors.ts';
import type {
  Comparison,
  IntrospectionVerdict,
  LocalVerdict,
  Validators,
} from '../../../src/flows/validation/validate.ts';
import {
  type WatchEvent,
  type WatchReport,
  watchVerdicts,
} from '../../../src/flows/validation/validate-watch.ts';
import type { ObservedVerdict } from '../../../src/flows/validation/verdict-timeline.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { testParts } from '../../helpers/parts.ts';
import { latch, until } from '../../helpers/wait.ts';
import { ofType } from '../harness.ts';

interface Script {
  /** Milliseconds from the start at which the token expires; never without. */
  readonly expires?: number;
  /** What introspection says, so many milliseconds from the start. */
  readonly introspection?: (at: number) => ObservedVerdict | Promise<ObservedVerdict>;
  /** What the local check says before the expiry. */
  readonly local?: ObservedVerdict;
  readonly interval?: number;
  readonly deadline?: number;
}

/** A watch of a token that both validators accept at first, by a clock that the test moves. */
async function startWatch(script: Script) {
  const { expires, interval = 1000, deadline, introspection = () => 'accepted' as const } = script;
  const clock = new FakeClock({ auto: false });
  const parts = await testParts({ clock });
  const ctx = createContext(parts);
  const start = clock.now();
  const asked: number[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const validators: Validators = {
    async local(): Promise<LocalVerdict> {
      const at = clock.now();
      const verdict =
        expires !== undefined && at - start >= expires ? 'refused' : (script.local ?? 'accepted');
      return { verdict, at, ms: 0, checks: [] };
    },
    async introspection(signal): Promise<IntrospectionVerdict> {
      const askedAt = clock.now();
      asked.push(askedAt - start);
      signals.push(signal);
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      try {
        const verdict = await Promise.race([introspection(askedAt - start), aborted]);
        const error = verdict === 'unknown' ? new NetworkError('connection_reset', 'broken off') : undefined;
        return { verdict, askedAt, at: clock.now(), ms: clock.now() - askedAt, error };
      } finally {
        underWay -= 1;
      }
    },
    timeCheck: async () => 0,
    compare: (local, said, wasActive): Comparison => ({
      local,
      introspection: said,
      agree: local.verdict === said.verdict,
      differences:
        local.verdict === 'accepted' && said.verdict === 'refused'
          ? [{ code: wasActive ? 'ended' : 'never_active', cause: 'c', remedy: 'r' }]
          : local.verdict === 'refused' && said.verdict === 'accepted'
            ? [{ code: 'whole_seconds', cause: 'c', remedy: 'r' }]
            : [],
      remarks: [],
      clock: undefined,
    }),
  };
  const first = validators.compare(await validators.local(), await validators.introspection());
  const events: WatchEvent[] = [];
  const run = watchVerdicts(
    ctx,
    {
      validators,
      first,
      intervalMs: interval,
      expiresAt: expires === undefined ? undefined : start + expires,
      deadlineMs: deadline,
    },
    (event) => events.push(event),
  );
  let ended = false;
  const outcome = run.then(
    (report) => ({ report, error: undefined }),
    (error: unknown) => ({ report: undefined, error }),
  );
  void outcome.then(() => {
    ended = true;
  });
  /** Moves the clock by steps, whenever the watch sleeps. */
  const pass = async (ms: number, step = 100) => {
    for (let passed = 0; passed < ms && !ended; passed += step) {
      // What is settled gets its turn before the time goes on.
      await turn();
      await until(() => ended || clock.asleep === 1, 'the watch sleeps');
      if (!ended) clock.advance(step);
    }
    await turn();
    await until(() => ended || clock.asleep === 1, 'the watch sleeps');
  };
  const toItsEnd = async (): Promise<WatchReport> => {
    await pass(60_000);
    const { report } = await outcome;
    if (report === undefined) throw new Error('the watch failed');
    return report;
  };
  return {
    start,
    asked,
    signals,
    events,
    parts,
    outcome,
    pass,
    toItsEnd,
    mostUnderWay: () => mostUnderWay,
    since: (at: number) => at - start,
  };
}

/** Events as `ms way verdict`. */
const told = ({ events }: WatchReport, start: number) =>
  events.map(({ at, way, verdict }) => `${at - start} ${way} ${verdict}`);

describe('a watch', () => {
  it('measures for how long the local check accepts what introspection refuses', async () => {
    const watch = await startWatch({
      expires: 8_000,
      introspection: (at) => (at >= 2_500 ? 'refused' : 'accepted'),
    });
    const report = await watch.toItsEnd();
    expect(told(report, watch.start)).toEqual([
      '0 local accepted',
      '0 introspection accepted',
      '3000 introspection refused',
      '8000 local refused',
    ]);
    expect(report).toMatchObject({ ended: 'expired', failures: 0, introspections: 8 });
    expect(report.window).toEqual({
      from: watch.start + 3_000,
      earliest: watch.start + 2_000,
      until: watch.start + 8_000,
      isOver: true,
    });
    expect(report.differences).toMatchObject([{ code: 'ended' }]);
    expect(watch.asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((second) => second * 1000));
  });

  it('tells each change once, and how it stands in between', async () => {
    const watch = await startWatch({
      expires: 4_000,
      introspection: (at) => (at >= 2_000 ? 'refused' : 'accepted'),
    });
    await watch.toItsEnd();
    expect(ofType(watch.events, 'verdict_changed').map(({ event }) => event.way)).toEqual([
      'introspection',
      'local',
    ]);
    expect(ofType(watch.events, 'watching').at(-1)).toMatchObject({
      verdicts: { local: 'accepted', introspection: 'refused' },
    });
  });

  it('gives the server some seconds after the expiry to say so too, and sees no difference in a moment', async () => {
    const watch = await startWatch({
      expires: 2_500,
      introspection: (at) => (at >= 4_000 ? 'refused' : 'accepted'),
    });
    const report = await watch.toItsEnd();
    expect(report).toMatchObject({ ended: 'expired', window: undefined, differences: [] });
    expect(told(report, watch.start).slice(2)).toEqual(['2500 local refused', '4000 introspection refused']);
  });

  it('asks at the expiry, however long the interval is', async () => {
    const watch = await startWatch({
      expires: 2_500,
      interval: 60_000,
      introspection: (at) => (at >= 2_500 ? 'refused' : 'accepted'),
    });
    expect(await watch.toItsEnd()).toMatchObject({ ended: 'expired', introspections: 2, window: undefined });
  });

  it('ends three seconds after the expiry where the server goes on accepting', async () => {
    const watch = await startWatch({ expires: 2_000 });
    const report = await watch.toItsEnd();
    expect(watch.since(report.endedAt)).toBe(5_000);
    expect(report.ended).toBe('expired');
  });

  it('asks one at a time, however late an answer is, and expires the token meanwhile', async () => {
    const late = latch();
    const watch = await startWatch({
      expires: 6_000,
      introspection: async (at): Promise<ObservedVerdict> => {
        if (at === 1_000) await late.opened;
        return 'accepted';
      },
    });
    await watch.pass(4_500);
    expect(watch.asked).toEqual([0, 1_000]);
    late.open();
    await watch.pass(1_600);
    expect(watch.asked).toEqual([0, 1_000, 4_500, 5_500]);
    expect(watch.mostUnderWay()).toBe(1);
    expect(ofType(watch.events, 'verdict_changed')).toMatchObject([
      { event: { way: 'local', verdict: 'refused' } },
    ]);
  });

  it('shows failures of the network, and goes on', async () => {
    const watch = await startWatch({
      expires: 6_000,
      introspection: (at) =>
        at === 2_000 || at === 3_000 ? 'unknown' : at >= 5_000 ? 'refused' : 'accepted',
    });
    const report = await watch.toItsEnd();
    expect(told(report, watch.start).slice(2)).toEqual([
      '2000 introspection unknown',
      '4000 introspection accepted',
      '5000 introspection refused',
      '6000 local refused',
    ]);
    expect(report.failures).toBe(2);
    expect(ofType(watch.events, 'verdict_changed')[0]).toMatchObject({ reason: 'broken off' });
  });

  it('ends when there is nothing left to accept the token', async () => {
    const watch = await startWatch({
      local: 'unknown',
      introspection: (at) => (at >= 3_000 ? 'refused' : 'accepted'),
    });
    const report = await watch.toItsEnd();
    expect(report).toMatchObject({ ended: 'refused', window: undefined });
    expect(watch.since(report.endedAt)).toBe(3_000);
  });

  it('ends at the deadline, breaks off the request that is under way, and says that the window is open', async () => {
    const watch = await startWatch({
      deadline: 4_500,
      expires: 60_000,
      introspection: (at) =>
        at >= 4_000 ? new Promise<never>(() => {}) : at >= 2_000 ? 'refused' : 'accepted',
    });
    const report = await watch.toItsEnd();
    expect(report).toMatchObject({ ended: 'deadline', window: { isOver: false } });
    expect(watch.since(report.endedAt)).toBe(4_500);
    expect(watch.signals.at(-1)?.aborted).toBe(true);
  });

  it('asks by the interval that is given', async () => {
    const watch = await startWatch({ interval: 2_500, deadline: 6_000 });
    await watch.toItsEnd();
    expect(watch.asked).toEqual([0, 2_500, 5_000]);
  });

  it('tells what it saw so far when it is interrupted', async () => {
    const watch = await startWatch({ introspection: (at) => (at >= 1_000 ? 'refused' : 'accepted') });
    await watch.pass(2_500);
    watch.parts.abort(new InterruptedError('SIGINT'));
    expect((await watch.outcome).error).toBeInstanceOf(InterruptedError);
    expect(ofType(watch.events, 'watch_interrupted')).toMatchObject([
      { report: { ended: 'interrupted', window: { isOver: false } } },
    ]);
  });

  it('fails with what no server can cause', async () => {
    const defect = new TypeError('a defect');
    const watch = await startWatch({
      introspection: async (at): Promise<ObservedVerdict> => {
        if (at >= 1_000) throw defect;
        return 'accepted';
      },
    });
    await watch.pass(2_000);
    expect((await watch.outcome).error).toBe(defect);
  });
});
