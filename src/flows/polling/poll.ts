import type { Context, HttpAnswer } from '../../context.ts';
import { type OAuthRefusal, PendingError, RefusedError, TimeoutError } from '../../errors.ts';
import { SLOW_DOWN_INCREMENT } from '../../protocol/ciba/ciba.ts';
import type { TokenResponse } from '../../protocol/oauth/token.ts';
import { classifyPollAnswer, isTransient, type PollVerdict } from './poll-verdict.ts';

/** An authorization server may hold an answer back this long (milliseconds) before a client gives up on it. */
const LONG_POLL = 30_000;
/** The longest pause between attempts while the server fails, in milliseconds. */
const LONGEST_BACKOFF = 60_000;
/** How often a wait says how much of it is left, in milliseconds. */
const TICK = 1_000;

export type PollEvent =
  | { readonly type: 'polling'; readonly poll: number }
  | { readonly type: 'polled'; readonly refusal: OAuthRefusal; readonly ms: number }
  | { readonly type: 'poll_failed'; readonly reason: string; readonly nextInMs: number }
  | { readonly type: 'slowed_down'; readonly intervalSeconds: number }
  /** Told once a second while waiting. */
  | { readonly type: 'waiting'; readonly nextInMs: number; readonly expiresInMs: number | undefined }
  | { readonly type: 'tokens'; readonly tokens: TokenResponse; readonly ms: number };

export interface PollTurn {
  /** Milliseconds since the epoch before which no poll may be sent; absent: go ahead. */
  readonly waitUntil?: number | undefined;
  /** The interval that holds for all processes, in seconds, where it is known. */
  readonly intervalSeconds?: number | undefined;
}

/** What keeps two processes from polling for the same id at once. */
export interface PollGuard {
  /**
   * Says that a poll is about to be sent.
   * @param early the result is known to be there, so that a first poll need not wait
   */
  claim(leaseMs: number, early: boolean): Promise<PollTurn>;
  /** Says when the next poll may be sent, and the interval in seconds from now on. */
  schedule(nextAt: number, intervalSeconds: number): Promise<void>;
}

/** All times in milliseconds since the epoch. */
export interface PollOptions {
  readonly tokenEndpoint: string;
  /** Sends one token request. */
  readonly send: (timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;
  readonly intervalSeconds: number;
  readonly firstAt: number;
  readonly expiresAt?: number | undefined;
  readonly deadlineAt?: number | undefined;
  /** Send one poll and say how it stands. */
  readonly once?: boolean | undefined;
  /** Resolves when the result is known to be there; it brings the first poll forward, and no later one. */
  readonly wake?: Promise<unknown> | undefined;
  /** Errors of a server that mean "still pending", beside `authorization_pending`. */
  readonly pendingErrors?: readonly string[] | undefined;
  readonly guard?: PollGuard | undefined;
}

/**
 * Polls the token endpoint until there are tokens, by the rules of CIBA and of the device grant: never two polls at
 * once, never before the interval has passed, five seconds more after every `slow_down`, nothing more after a refusal.
 * @throws RefusedError when the server refused; TimeoutError `deadline` or `expired`; PendingError when asked once;
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
  let interval = options.intervalSeconds;
  let nextAt = options.firstAt;
  let wake = options.wake;
  let polls = 0;
  let failures = 0;

  for (;;) {
    const woken = await waitForTurn(ctx, options, nextAt, polls === 0 ? wake : undefined, onEvent);
    const timeoutMs = pollTimeout(options, clock.now());
    const turn = (await options.guard?.claim(timeoutMs, woken)) ?? {};
    if (turn.waitUntil !== undefined) {
      // Another process has polled for this id meanwhile, so ours is not the first any more.
      nextAt = turn.waitUntil;
      wake = undefined;
      continue;
    }
    // Another process may have been slowed down meanwhile.
    interval = Math.max(interval, turn.intervalSeconds ?? 0);
    polls += 1;
    onEvent({ type: 'polling', poll: polls });
    const sentAt = clock.now();
    let verdict: PollVerdict;
    try {
      const answer = await options.send(timeoutMs, ctx.signal);
      verdict = classifyPollAnswer(answer, options, clock.now());
      if (verdict.again === false) {
        onEvent({ type: 'tokens', tokens: verdict.tokens, ms: answer.ms });
        return verdict.tokens;
      }
      if (verdict.again !== 'failure') onEvent({ type: 'polled', refusal: verdict.refusal, ms: answer.ms });
    } catch (error) {
      const overdue = error instanceof TimeoutError && deadlinePassed(options, clock.now());
      // A process that is interrupted in mid-poll leaves the id usable for the next.
      if (overdue || !isTransient(error)) {
        await options.guard?.schedule(clock.now() + interval * 1000, interval).catch(() => {});
        throw overdue ? deadlineError() : withLostAnswer(error, failures);
      }
      verdict = { again: 'failure', reason: error.message, error, notBefore: 0 };
    }

    const answeredAt = clock.now();
    failures = verdict.again === 'failure' ? failures + 1 : 0;
    if (verdict.again === 'slow_down') {
      interval += SLOW_DOWN_INCREMENT;
      onEvent({ type: 'slowed_down', intervalSeconds: interval });
    }
    nextAt = Math.max(verdict.notBefore, nextPollAt({ verdict, interval, sentAt, answeredAt, failures }));
    await options.guard?.schedule(nextAt, interval);
    if (options.expiresAt !== undefined && verdict.notBefore > options.expiresAt) throw toldToWaitTooLong();
    if (verdict.again === 'failure') {
      if (options.once) throw verdict.error;
      onEvent({ type: 'poll_failed', reason: verdict.reason, nextInMs: nextAt - answeredAt });
    } else if (options.once) {
      throw new PendingError(`still pending: the server answered ${verdict.refusal.error}`, {
        hint: `The next poll may be sent in ${Math.ceil((nextAt - answeredAt) / 1000)} s.`,
      });
    }
    // Whoever has polled at or after the expiry has had the server's last word.
    if (options.expiresAt !== undefined && answeredAt >= options.expiresAt)
      throw expiredError(options.expiresAt, answeredAt, verdict);
  }
}

/**
 * Counted from the arrival of the answer: the server counts from when it handled the poll, and a wait counted from
 * the sending would be early by the network's jitter. Only an answer that was held back for the whole interval (long
 * polling) is followed at once.
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
      // A server that names the wait itself needs no guess of ours.
      const named = last.verdict.notBefore > 0;
      const pause = named ? 0 : Math.min(LONGEST_BACKOFF, intervalMs * 2 ** (last.failures - 1));
      return last.answeredAt + Math.max(intervalMs, pause);
    }
    default:
      return last.answeredAt + intervalMs;
  }
}

/** After a lost answer `invalid_grant` may mean that the lost one carried the tokens. */
function withLostAnswer(error: unknown, failures: number): unknown {
  if (failures === 0 || !(error instanceof RefusedError) || error.oauth.error !== 'invalid_grant')
    return error;
  return new RefusedError(error.oauth, {
    hint: 'An answer before this one was lost on the way; it may have carried the tokens. Start a new authentication request.',
  });
}

/** @returns whether it was woken before the time */
async function waitForTurn(
  ctx: Context,
  options: PollOptions,
  nextAt: number,
  wake: Promise<unknown> | undefined,
  onEvent: (event: PollEvent) => void,
): Promise<boolean> {
  const { clock, signal } = ctx;
  const { deadlineAt, expiresAt } = options;
  signal.throwIfAborted();
  // Nothing can change before the next poll, unless somebody may wake us.
  if (deadlineAt !== undefined && nextAt >= deadlineAt && wake === undefined) throw deadlineError();
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
    if (deadlineAt !== undefined && now >= deadlineAt) throw deadlineError();
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
  if (deadlinePassed(options, clock.now())) throw deadlineError();
  return woken;
}

function pollTimeout({ deadlineAt }: PollOptions, now: number): number {
  const patience = LONG_POLL + 5_000;
  return deadlineAt === undefined ? patience : Math.max(1, Math.min(patience, deadlineAt - now));
}

function deadlinePassed({ deadlineAt }: PollOptions, now: number): boolean {
  return deadlineAt !== undefined && now >= deadlineAt;
}

function toldToWaitTooLong(): TimeoutError {
  return new TimeoutError('expired', 'the server asks to wait until after the request has expired', {
    hint: 'It is overloaded or limits the client (Retry-After). Start a new authentication request later.',
  });
}

function deadlineError(): TimeoutError {
  return new TimeoutError('deadline', 'the deadline passed, and the person has not decided yet', {
    hint: 'Give it longer with --deadline SECONDS.',
  });
}

function expiredError(
  expiresAt: number,
  now: number,
  last: Extract<PollVerdict, { refusal: unknown } | { reason: unknown }>,
): TimeoutError {
  const expired = `the request expired ${Math.round((now - expiresAt) / 1000)} s ago`;
  if (last.again === 'failure') {
    return new TimeoutError('expired', `${expired}, and the last poll failed: ${last.reason}`, {
      hint: 'Start a new authentication request.',
      cause: last.error,
    });
  }
  return new TimeoutError('expired', `${expired}, and the server still says pending`, {
    hint: 'The user did not approve it in time. Send a new authentication request.',
  });
}
