import type { Context, HttpAnswer } from '../../context.ts';
import { type OAuthRefusal, PendingError, RefusedError, TimeoutError } from '../../errors.ts';
import { SLOW_DOWN_INCREMENT } from '../../protocol/ciba/ciba.ts';
import type { TokenResponse } from '../../protocol/oauth/token.ts';
import {
  deadlinePassed,
  describeFinalRefusal,
  expiredUnanswered,
  noPollFits,
  type PollHistory,
  type PollLimits,
  startHistory,
  waitExceedsExpiry,
} from './poll-end.ts';
import { classifyPollAnswer, isTransient, type PollVerdict } from './poll-verdict.ts';

/** Milliseconds for which a server may hold back its answer (long polling). */
const LONG_POLL = 30_000;
/** The longest pause between attempts while the server fails, in milliseconds. */
const LONGEST_BACKOFF = 60_000;
/** Milliseconds from one `waiting` event to the next. */
const TICK = 1_000;

export type PollEvent =
  | { readonly type: 'polling'; readonly poll: number }
  | { readonly type: 'polled'; readonly refusal: OAuthRefusal; readonly ms: number }
  | { readonly type: 'poll_failed'; readonly reason: string; readonly nextInMs: number }
  | { readonly type: 'slowed_down'; readonly intervalSeconds: number }
  /** Before the only poll of `once`, where it has to wait. */
  | { readonly type: 'poll_delayed'; readonly nextInMs: number }
  /** Once a second while waiting. */
  | { readonly type: 'waiting'; readonly nextInMs: number; readonly expiresInMs: number | undefined }
  | { readonly type: 'tokens'; readonly tokens: TokenResponse; readonly ms: number };

export interface PollTurn {
  /** Milliseconds since the epoch before which no poll may be sent; absent where it may be sent now. */
  readonly waitUntil?: number | undefined;
  /** The interval of all processes in seconds, where it is known. */
  readonly intervalSeconds?: number | undefined;
}

/** Keeps two processes from polling for the same id at once. */
export interface PollGuard {
  /**
   * Claims the right to send a poll.
   * @param leaseMs milliseconds for which the claim lasts if it is not followed by `schedule`
   * @param early whether the result is known to be available, so that a first poll need not wait
   */
  claim(leaseMs: number, early: boolean): Promise<PollTurn>;
  /** Sets when the next poll may be sent, and the interval in seconds from now on. */
  schedule(nextAt: number, intervalSeconds: number): Promise<void>;
}

/** All times in milliseconds since the epoch. */
export interface PollOptions extends PollLimits {
  readonly tokenEndpoint: string;
  /** Sends one token request. */
  readonly send: (timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly intervalSeconds: number;
  readonly firstAt: number;
  /** Send one poll only. */
  readonly once?: boolean | undefined;
  /** Resolves when the result is known to be available; only the first poll is sent early. */
  readonly wake?: Promise<unknown> | undefined;
  /** Errors that mean "still pending" at this server, besides `authorization_pending`. */
  readonly pendingErrors?: readonly string[] | undefined;
  readonly guard?: PollGuard | undefined;
}

/**
 * Polls the token endpoint until it issues tokens, as CIBA and the device grant require: one poll at a time, none before
 * the interval has passed, five seconds more after every `slow_down`, none after a refusal.
 * @throws RefusedError when the server refused, with exit 6 after the lifetime of the request; TimeoutError `deadline` or
 *   `expired`, which say what the polls have brought; PendingError when asked once;
 *   NetworkError for an answer that is not the protocol's; ValidationError for a broken token response
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.10.1
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.5
 */
export async function pollForTokens(
  ctx: Context,
  options: PollOptions,
  onEvent: (event: PollEvent) => void,
): Promise<TokenResponse> {
  const { clock } = ctx;
  const history = startHistory();
  let interval = options.intervalSeconds;
  let nextAt = options.firstAt;
  let wake = options.wake;

  for (;;) {
    const woken = await waitForTurn(ctx, options, { nextAt, wake, history }, onEvent);
    const timeoutMs = pollTimeout(options, clock.now());
    const turn = (await options.guard?.claim(timeoutMs, woken)) ?? {};
    wake = undefined;
    if (turn.waitUntil !== undefined) {
      // Another process has polled for this id, so this poll is not the first.
      nextAt = turn.waitUntil;
      continue;
    }
    // Another process may have received slow_down.
    interval = Math.max(interval, turn.intervalSeconds ?? 0);
    history.polls += 1;
    onEvent({ type: 'polling', poll: history.polls });
    const sentAt = clock.now();
    const verdict = await sendPoll(ctx, options, { timeoutMs, interval, history }, onEvent);
    if (verdict.again === false) return verdict.tokens;
    const answeredAt = clock.now();
    recordVerdict(history, verdict);
    if (verdict.again === 'slow_down') {
      interval += SLOW_DOWN_INCREMENT;
      onEvent({ type: 'slowed_down', intervalSeconds: interval });
    }
    const { failures } = history;
    nextAt = Math.max(verdict.notBefore, nextPollAt({ verdict, interval, sentAt, answeredAt, failures }));
    await options.guard?.schedule(nextAt, interval);
    if (options.expiresAt !== undefined && verdict.notBefore > options.expiresAt) throw waitExceedsExpiry();
    if (verdict.again === 'failure') {
      if (options.once) throw verdict.error;
      onEvent({ type: 'poll_failed', reason: verdict.reason, nextInMs: nextAt - answeredAt });
    } else if (options.once) {
      throw new PendingError(`still pending: the server answered ${verdict.refusal.error}`, {
        hint: `The next poll may be sent in ${Math.ceil((nextAt - answeredAt) / 1000)} s.`,
      });
    }
    // A poll at or after the expiry had the final answer of the server.
    if (options.expiresAt !== undefined && answeredAt >= options.expiresAt)
      throw expiredUnanswered(options, history, answeredAt);
  }
}

function recordVerdict(history: PollHistory, verdict: Exclude<PollVerdict, { again: false }>): void {
  if (verdict.again === 'failure') {
    history.failures += 1;
    history.lastFailure = { reason: verdict.reason, error: verdict.error };
  } else {
    history.failures = 0;
    history.pending = verdict.refusal;
  }
}

/**
 * Sends one poll and classifies its answer; a transient failure is a verdict.
 * @throws every error that ends polling
 */
async function sendPoll(
  ctx: Context,
  options: PollOptions,
  {
    timeoutMs,
    interval,
    history,
  }: { readonly timeoutMs: number; readonly interval: number; readonly history: PollHistory },
  onEvent: (event: PollEvent) => void,
): Promise<PollVerdict> {
  const { clock } = ctx;
  try {
    const answer = await options.send(timeoutMs, ctx.signal);
    const verdict = classifyPollAnswer(answer, options, clock.now());
    if (verdict.again === false) onEvent({ type: 'tokens', tokens: verdict.tokens, ms: answer.ms });
    else if (verdict.again !== 'failure')
      onEvent({ type: 'polled', refusal: verdict.refusal, ms: answer.ms });
    return verdict;
  } catch (error) {
    const isOverdue = error instanceof TimeoutError && isAfterDeadline(options, clock.now());
    if (isTransient(error)) {
      const failure = { again: 'failure', reason: error.message, error, notBefore: 0 } as const;
      if (!isOverdue) return failure;
      recordVerdict(history, failure);
    }
    // After an interruption in mid-poll another process may poll for the id again.
    await options.guard?.schedule(clock.now() + interval * 1000, interval).catch(() => {});
    if (isOverdue) throw deadlinePassed(options, history);
    throw error instanceof RefusedError ? describeFinalRefusal(error, options, history, clock.now()) : error;
  }
}

/**
 * Computes when the next poll may be sent. The interval counts from the arrival of the answer: the server counts from its
 * handling of the poll, so an interval from the sending could be too short. Only after an answer that was held back for
 * the whole interval (long polling) the next poll is sent at once.
 */
function nextPollAt(last: {
  verdict: PollVerdict;
  interval: number;
  sentAt: number;
  answeredAt: number;
  failures: number;
}): number {
  const intervalMs = last.interval * 1000;
  switch (last.verdict.again) {
    case 'pending':
      return last.answeredAt - last.sentAt >= intervalMs ? last.answeredAt : last.answeredAt + intervalMs;
    case 'failure': {
      // Retry-After takes the place of the backoff.
      const named = last.verdict.notBefore > 0;
      const pause = named ? 0 : Math.min(LONGEST_BACKOFF, intervalMs * 2 ** (last.failures - 1));
      return last.answeredAt + Math.max(intervalMs, pause);
    }
    default:
      return last.answeredAt + intervalMs;
  }
}

/** Waits until the next poll may be sent. @returns whether `wake` ended the wait early */
async function waitForTurn(
  ctx: Context,
  options: PollOptions,
  {
    nextAt,
    wake,
    history,
  }: {
    readonly nextAt: number;
    readonly wake: Promise<unknown> | undefined;
    readonly history: PollHistory;
  },
  onEvent: (event: PollEvent) => void,
): Promise<boolean> {
  const { clock, signal } = ctx;
  const { deadlineAt, expiresAt } = options;
  const startedAt = clock.now();
  signal.throwIfAborted();
  // Nothing can change before the next poll, unless `wake` resolves.
  if (deadlineAt !== undefined && nextAt >= deadlineAt && wake === undefined)
    throw noPollFits({ ...options, deadlineAt }, history, { nextAt, now: startedAt });
  if (options.once && nextAt > startedAt) onEvent({ type: 'poll_delayed', nextInMs: nextAt - startedAt });
  const stop = new AbortController();
  let woken = false;
  wake?.then(
    () => {
      woken = true;
      stop.abort();
    },
    () => {},
  );
  const either = AbortSignal.any([signal, stop.signal]);
  while (clock.now() < nextAt && !woken) {
    const now = clock.now();
    if (deadlineAt !== undefined && now >= deadlineAt) throw deadlinePassed(options, history);
    onEvent({
      type: 'waiting',
      nextInMs: nextAt - now,
      expiresInMs: expiresAt === undefined ? undefined : Math.max(0, expiresAt - now),
    });
    const until = Math.min(nextAt, now + TICK, deadlineAt ?? Number.POSITIVE_INFINITY);
    await clock.sleep(until - now, either).catch((reason: unknown) => {
      if (!woken || signal.aborted) throw reason;
    });
  }
  signal.throwIfAborted();
  if (isAfterDeadline(options, clock.now())) throw deadlinePassed(options, history);
  return woken;
}

function pollTimeout({ deadlineAt }: PollOptions, now: number): number {
  const patience = LONG_POLL + 5_000;
  return deadlineAt === undefined ? patience : Math.max(1, Math.min(patience, deadlineAt - now));
}

function isAfterDeadline({ deadlineAt }: PollOptions, now: number): boolean {
  return deadlineAt !== undefined && now >= deadlineAt;
}
