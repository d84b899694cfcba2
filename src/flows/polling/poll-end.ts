import { type OAuthRefusal, type OauthctlError, RefusedError, TimeoutError } from '../../errors.ts';
import { mayMeanExpiry } from './poll-verdict.ts';

/** What the polls of one run have brought so far. */
export interface PollHistory {
  /** How many polls were sent. */
  polls: number;
  /** The last answer that said "still pending" or `slow_down`. */
  pending: OAuthRefusal | undefined;
  /** The failures since then. */
  failures: number;
  lastFailure: { readonly reason: string; readonly error: OauthctlError } | undefined;
}

/** Limits of the polling. Times in milliseconds since the epoch. */
export interface PollLimits {
  readonly deadlineAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  /** The earliest time at which the server may count the request as expired, where it is not `expiresAt`. */
  readonly mayExpireAt?: number | undefined;
  /** Seconds for which the request lives, as the server said. */
  readonly lifetimeSeconds?: number | undefined;
  /** Says in one clause what is known beside the polls, such as whether the authentication device was called. */
  readonly describeSituation?: (() => string | undefined) | undefined;
}

export function startHistory(): PollHistory {
  return { polls: 0, pending: undefined, failures: 0, lastFailure: undefined };
}

/** The deadline has come. */
export function deadlinePassed(limits: PollLimits, history: PollHistory): TimeoutError {
  const lost = history.polls === 0 ? ['no poll was sent'] : [];
  const known = [...describeKnown(limits, history), ...lost];
  return new TimeoutError('deadline', `the deadline passed: ${known.join('; ')}`, {
    hint: 'Allow more time with --deadline SECONDS.',
    cause: history.lastFailure?.error,
  });
}

/**
 * The deadline comes before the next poll may be sent.
 * @param nextAt when that is, in milliseconds since the epoch, as `now`
 */
export function noPollFits(
  limits: PollLimits & { readonly deadlineAt: number },
  history: PollHistory,
  { nextAt, now }: { readonly nextAt: number; readonly now: number },
): TimeoutError {
  const next = inSeconds(nextAt - now);
  const left = limits.deadlineAt <= now ? 'has passed' : `is in ${inSeconds(limits.deadlineAt - now)}`;
  const told =
    history.polls === 0
      ? `no poll was sent: the next one is allowed in ${next}, and the deadline ${left}`
      : `no further poll fits before the deadline, which ${left}: the next one is allowed in ${next}`;
  return new TimeoutError('deadline', [told, ...describeKnown(limits, history)].join('; '), {
    hint: 'Allow more time with --deadline SECONDS.',
    cause: history.lastFailure?.error,
  });
}

/** The server asks for a wait that is longer than the request lives. */
export function waitExceedsExpiry(): TimeoutError {
  return new TimeoutError('expired', 'the server asks to wait until after the request has expired', {
    hint: 'It is overloaded or limits the rate of the client (Retry-After). Send a new request later.',
  });
}

/**
 * The request has expired by our clock, and the last poll brought no final answer.
 * @param now milliseconds since the epoch
 */
export function expiredUnanswered(limits: PollLimits, history: PollHistory, now: number): TimeoutError {
  const known = describeKnown(limits, history);
  return new TimeoutError('expired', [describeExpiry(limits, now), ...known].join('; '), {
    hint: SEND_A_NEW_REQUEST,
    cause: history.failures > 0 ? history.lastFailure?.error : undefined,
  });
}

/**
 * A final refusal, with what is known of the request: after the end of its lifetime the refusal means that time ran out.
 * @param now milliseconds since the epoch
 */
export function describeFinalRefusal(
  refused: RefusedError,
  limits: PollLimits,
  history: PollHistory,
  now: number,
): RefusedError {
  const { oauth } = refused;
  const isOver = now >= (limits.mayExpireAt ?? limits.expiresAt ?? Number.POSITIVE_INFINITY);
  const mayBeLost = history.failures > 0 && oauth.error === 'invalid_grant';
  const lost = mayBeLost ? 'A previous answer was lost; it may have carried the tokens.' : undefined;
  if (isOver && mayMeanExpiry(oauth)) {
    const expired = [describeExpiry(limits, now), limits.describeSituation?.()].filter(Boolean).join('; ');
    const hint = [lost, SEND_A_NEW_REQUEST].filter(Boolean).join(' ');
    return new RefusedError(oauth, { expired, hint });
  }
  if (lost !== undefined) return new RefusedError(oauth, { hint: `${lost} ${SEND_A_NEW_REQUEST}` });
  const situation = oauth.error === 'expired_token' ? limits.describeSituation?.() : undefined;
  return situation === undefined
    ? refused
    : new RefusedError(oauth, { furtherHint: `Known is: ${situation}.` });
}

const SEND_A_NEW_REQUEST = 'Send a new request.';

function describeExpiry({ expiresAt = 0, lifetimeSeconds }: PollLimits, now: number): string {
  const seconds = Math.max(0, Math.round((now - expiresAt) / 1000));
  const when = seconds === 0 ? 'the request has expired' : `the request expired ${seconds} s ago`;
  return lifetimeSeconds === undefined ? when : `${when}, after its lifetime of ${lifetimeSeconds} s`;
}

/** What the polls have brought, and what is known beside them: nothing that is only assumed. */
function describeKnown(
  { describeSituation }: PollLimits,
  { polls, pending, failures, lastFailure }: PollHistory,
): string[] {
  const situation = describeSituation?.();
  return [...(situation === undefined ? [] : [situation]), ...describePolls()];

  function describePolls(): string[] {
    if (failures > 0 && lastFailure !== undefined) {
      const { reason } = lastFailure;
      if (polls === 1) return [`the only poll failed: ${reason}`];
      if (failures === 1) return [`the last poll failed: ${reason}`];
      const which = failures === polls ? `all ${polls}` : `the last ${failures}`;
      return [`${which} polls failed, the last one with: ${reason}`];
    }
    return pending === undefined ? [] : [`the server still answers ${pending.error}`];
  }
}

/** With one decimal, rounded up: nobody is told to come too early. */
function inSeconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`;
}
