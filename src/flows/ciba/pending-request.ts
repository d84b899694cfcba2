import type { Context, Store } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { DEFAULT_INTERVAL } from '../../protocol/ciba/ciba.ts';
import type { Target } from '../server/target.ts';
import { type CibaPollEvent, type CibaTokens, pollCiba } from './poll.ts';

export interface PollPendingOptions {
  readonly target: Target;
  /** The name under which the requests of this client are kept. */
  readonly owner: string;
  /** The request to poll for; the last one of the owner where undefined. */
  readonly authReqId?: string | undefined;
  /** Seconds between polls, instead of those of the acknowledgement. */
  readonly interval?: number | undefined;
  /** Milliseconds for the whole poll. */
  readonly deadlineMs?: number | undefined;
  readonly once?: boolean | undefined;
  /** Errors that mean "still pending", in place of those that are kept with the request. */
  readonly pendingErrors?: readonly string[] | undefined;
  /** The same where none are kept. */
  readonly defaultPendingErrors?: readonly string[] | undefined;
}

type PendingRequest = Parameters<Store['pending']['add']>[0];

/** Milliseconds that polling for an id of unknown expiry may take. */
const UNKNOWN_EXPIRY_DEADLINE = 600_000;
/** Milliseconds; the tokens of an id of unknown age may be older than this run by so much. */
const OLDEST_UNKNOWN_REQUEST = 3_600_000;

/**
 * Polls for the tokens of a kept authentication request, or of an auth_req_id that is kept from now on.
 * @throws UsageError `nothing_pending`; as pollCiba
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.10.1
 */
export async function pollPendingRequest(
  ctx: Context,
  options: PollPendingOptions,
  onEvent: (event: CibaPollEvent) => void,
): Promise<CibaTokens> {
  const { target, interval } = options;
  const { pending: store } = await ctx.store();
  const now = ctx.clock.now();
  const { request, isKnown, hasEnded } = await findRequest(ctx, options, now);
  ctx.redactor.know(request.auth_req_id);
  if (!isKnown) await store.add(request);
  // An interval given by hand may be shorter than the server's, to provoke slow_down.
  const firstPollAt =
    interval === undefined ? request.next_poll_at : Math.min(request.next_poll_at, now + interval * 1000);
  if (interval !== undefined) await store.schedule(request.auth_req_id, firstPollAt, interval);
  const pendingErrors = options.pendingErrors ?? request.pending_errors ?? options.defaultPendingErrors;
  if (pendingErrors !== undefined) await store.keepPendingErrors(request.auth_req_id, pendingErrors);
  const deadlineMs =
    options.deadlineMs ?? (request.expires_at === undefined ? UNKNOWN_EXPIRY_DEADLINE : undefined);
  return pollCiba(
    ctx,
    {
      target,
      authReqId: request.auth_req_id,
      interval: interval ?? request.interval,
      firstPollAt,
      requestedAt: isKnown ? request.requested_at : now - OLDEST_UNKNOWN_REQUEST,
      expiresAt: request.expires_at,
      lifetimeSeconds: request.expires_in,
      deadlineAt: deadlineMs === undefined ? undefined : now + deadlineMs,
      once: options.once,
      pendingErrors,
      mayBePending: () => !hasEnded,
      expectIdToken: request.scope.split(' ').includes('openid'),
      asked: isKnown ? request.asked : undefined,
    },
    onEvent,
  );
}

/** Finds the last authentication request of an owner, unless it has ended. */
export async function findPendingRequest(ctx: Context, owner: string): Promise<PendingRequest | undefined> {
  const last = await (await ctx.store()).pending.last(owner);
  return last?.ended ? undefined : last;
}

/** Finds the kept request, or makes an entry for an id that is not kept or has ended. */
async function findRequest(
  ctx: Context,
  { target, owner, authReqId }: PollPendingOptions,
  now: number,
): Promise<{ readonly request: PendingRequest; readonly isKnown: boolean; readonly hasEnded: boolean }> {
  const { pending: store } = await ctx.store();
  const kept = authReqId === undefined ? await store.last(owner) : await store.find(authReqId);
  if (kept !== undefined && !kept.ended) return { request: kept, isKnown: true, hasEnded: false };
  if (authReqId === undefined) throw nothingPending(kept !== undefined);
  const request = {
    auth_req_id: authReqId,
    owner,
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    scope: '',
    requested_at: now,
    interval: kept?.interval ?? DEFAULT_INTERVAL,
    ...(kept?.pending_errors && { pending_errors: kept.pending_errors }),
    // An id that has ended is not polled for faster than before.
    next_poll_at: Math.max(now, kept?.next_poll_at ?? now),
    polls: 0,
  };
  return { request, isKnown: false, hasEnded: kept !== undefined };
}

function nothingPending(hasEnded: boolean): UsageError {
  return hasEnded
    ? new UsageError(
        'nothing_pending',
        'the last request has ended: its tokens were issued, or it was refused',
        {
          hint: 'Make a new request with "oauthctl ciba request".',
        },
      )
    : new UsageError('nothing_pending', 'there is no pending request to poll for', {
        hint: 'Make a request with "oauthctl ciba request", or name an auth_req_id.',
      });
}
