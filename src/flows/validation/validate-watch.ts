import type { Context } from '../../context.ts';
import type { Finding } from './compared-verdicts.ts';
import type { Comparison, IntrospectionVerdict, LocalVerdict, Validators } from './validate.ts';
import {
  type AcceptanceWindow,
  findWindow,
  type ObservedVerdict,
  type ValidationMethod,
  type VerdictEvent,
} from './verdict-timeline.ts';

/** Milliseconds from one local check and `watching` event to the next. */
const TICK = 1_000;
/** Milliseconds after the expiry in which the server is still asked. */
const GRACE = 3_000;

export type WatchEnd = 'expired' | 'refused' | 'deadline' | 'interrupted';

export type WatchEvent =
  | { readonly type: 'verdict_changed'; readonly event: VerdictEvent; readonly reason: string | undefined }
  /** Told once a second while waiting. */
  | {
      readonly type: 'watching';
      readonly verdicts: Readonly<Record<ValidationMethod, ObservedVerdict>>;
      readonly expiresInMs: number | undefined;
    }
  | { readonly type: 'watch_interrupted'; readonly report: WatchReport };

export interface VerdictWatchOptions {
  readonly validators: Validators;
  /** The first comparison. */
  readonly first: Comparison;
  /** Milliseconds from one introspection to the next. */
  readonly intervalMs: number;
  /** Milliseconds since the epoch from which on the local check refuses the token as expired. */
  readonly expiresAt: number | undefined;
  readonly deadlineMs?: number | undefined;
}

/** The result of a watch. Times in milliseconds since the epoch. */
export interface WatchReport {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly ended: WatchEnd;
  /** The number of introspections, including the first. */
  readonly introspections: number;
  /** The number of introspections without a verdict. */
  readonly failures: number;
  readonly events: readonly VerdictEvent[];
  readonly window: AcceptanceWindow | undefined;
  /** Why the verdicts differed, when they first did. */
  readonly differences: readonly Finding[];
}

/**
 * Watches both verdicts on a token until it expires, both checks refuse it, or the deadline passes. Introspections run one
 * at a time; a failed one is reported and does not end the watch.
 * @throws the signal's reason, after a last event with the report so far
 */
export async function watchVerdicts(
  ctx: Context,
  options: VerdictWatchOptions,
  onEvent: (event: WatchEvent) => void,
): Promise<WatchReport> {
  const watch = new Watch(ctx, options, onEvent);
  try {
    return watch.report(await watch.run());
  } catch (error) {
    if (ctx.signal.aborted) onEvent({ type: 'watch_interrupted', report: watch.report('interrupted') });
    throw error;
  } finally {
    watch.close();
  }
}

class Watch {
  readonly #ctx: Context;
  readonly #options: VerdictWatchOptions;
  readonly #onEvent: (event: WatchEvent) => void;
  readonly #startedAt: number;
  readonly #events: VerdictEvent[] = [];
  readonly #stop = new AbortController();
  /** Aborts introspections at an interruption or at the end of the watch. */
  readonly #off: AbortSignal;
  #local: LocalVerdict;
  #introspection: IntrospectionVerdict;
  #differences: readonly Finding[];
  #nextAskAt: number;
  #introspections = 1;
  #failures = 0;
  #isAsking = false;
  /** An error of an introspection that no server can cause. */
  #defect: unknown;
  /** Ends the current pause. */
  #wake = new AbortController();

  constructor(ctx: Context, options: VerdictWatchOptions, onEvent: (event: WatchEvent) => void) {
    const { local, introspection, differences } = options.first;
    this.#ctx = ctx;
    this.#off = AbortSignal.any([ctx.signal, this.#stop.signal]);
    this.#options = options;
    this.#onEvent = onEvent;
    this.#local = local;
    this.#introspection = introspection;
    this.#differences = differences;
    this.#startedAt = Math.min(local.at, introspection.at);
    this.#nextAskAt = introspection.askedAt + options.intervalMs;
    this.#events.push({ at: local.at, way: 'local', verdict: local.verdict });
    this.#events.push({ at: introspection.at, way: 'introspection', verdict: introspection.verdict });
  }

  async run(): Promise<WatchEnd> {
    const { clock, signal } = this.#ctx;
    for (;;) {
      signal.throwIfAborted();
      this.#takeLocal(await this.#options.validators.local());
      if (this.#defect !== undefined) throw this.#defect;
      const now = clock.now();
      const end = this.#endAt(now);
      if (end !== undefined) return end;
      if (!this.#isAsking && now >= this.#nextAskAt) void this.#ask();
      await this.#pause(now);
    }
  }

  report(ended: WatchEnd): WatchReport {
    const endedAt = this.#ctx.clock.now();
    return {
      startedAt: this.#startedAt,
      endedAt,
      ended,
      introspections: this.#introspections,
      failures: this.#failures,
      events: [...this.#events],
      window: findWindow(this.#events, endedAt),
      differences: this.#differences,
    };
  }

  /** Aborts a running request. */
  close(): void {
    this.#stop.abort();
  }

  #endAt(now: number): WatchEnd | undefined {
    const { deadlineMs, expiresAt } = this.#options;
    if (expiresAt !== undefined && now >= expiresAt) {
      // Some servers count whole seconds, and all of them by clocks of their own.
      const { verdict, askedAt } = this.#introspection;
      if (verdict === 'refused' || now >= expiresAt + GRACE) return 'expired';
      this.#nextAskAt = Math.min(this.#nextAskAt, Math.max(expiresAt, askedAt + TICK));
    }
    if (deadlineMs !== undefined && now >= this.#startedAt + deadlineMs) return 'deadline';
    const isRefused = this.#local.verdict !== 'accepted' && this.#introspection.verdict === 'refused';
    return isRefused ? 'refused' : undefined;
  }

  async #ask(): Promise<void> {
    const { validators, intervalMs } = this.#options;
    const { clock } = this.#ctx;
    this.#isAsking = true;
    this.#introspections += 1;
    try {
      const next = await validators.introspection(this.#off);
      // Checked again: the token may have expired in the meantime.
      this.#takeLocal(await validators.local());
      this.#takeIntrospection(next);
      this.#nextAskAt = Math.max(this.#introspection.askedAt + intervalMs, clock.now());
    } catch (error) {
      this.#defect = error;
    } finally {
      this.#isAsking = false;
      this.#wake.abort();
    }
  }

  #takeLocal(next: LocalVerdict): void {
    const before = this.#local;
    // Two checks may run at once; the one that started later is used.
    if (next.at - next.ms < before.at - before.ms) return;
    this.#local = next;
    if (next.verdict === before.verdict) return;
    const failed = next.checks.find(({ outcome }) => outcome === 'failed');
    this.#change(
      { at: next.at, way: 'local', verdict: next.verdict, previousSeenAt: before.at },
      next.error?.message ?? (failed && `${failed.name}: ${failed.detail}`),
    );
  }

  #takeIntrospection(next: IntrospectionVerdict): void {
    const before = this.#introspection;
    this.#introspection = next;
    if (next.error !== undefined) this.#failures += 1;
    if (this.#differences.length === 0) {
      const { validators } = this.#options;
      const { differences } = validators.compare(this.#local, next, this.#wasActive());
      // At the expiry the verdicts may differ for a moment.
      this.#differences = differences.filter(({ code }) => code !== 'whole_seconds');
    }
    if (next.verdict === before.verdict) return;
    this.#change(
      { at: next.at, way: 'introspection', verdict: next.verdict, previousSeenAt: before.askedAt },
      next.error?.message,
    );
  }

  #change(event: VerdictEvent, reason: string | undefined): void {
    this.#events.push(event);
    this.#onEvent({ type: 'verdict_changed', event, reason });
  }

  #wasActive(): boolean {
    return this.#events.some(({ way, verdict }) => way === 'introspection' && verdict === 'accepted');
  }

  async #pause(now: number): Promise<void> {
    const { clock, signal } = this.#ctx;
    const { expiresAt, deadlineMs } = this.#options;
    this.#onEvent({
      type: 'watching',
      verdicts: { local: this.#local.verdict, introspection: this.#introspection.verdict },
      expiresInMs: expiresAt === undefined ? undefined : Math.max(0, expiresAt - now),
    });
    const moments = [
      now + TICK,
      this.#isAsking ? undefined : this.#nextAskAt,
      expiresAt,
      expiresAt && expiresAt + GRACE,
      deadlineMs === undefined ? undefined : this.#startedAt + deadlineMs,
    ].filter((moment) => moment !== undefined && moment > now) as number[];
    const wake = new AbortController();
    this.#wake = wake;
    const either = AbortSignal.any([signal, wake.signal]);
    await clock.sleep(Math.min(...moments) - now, either).catch((reason: unknown) => {
      if (signal.aborted || !wake.signal.aborted) throw reason;
    });
  }
}
