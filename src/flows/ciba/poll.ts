import type { Context } from '../../context.ts';
import {
  ExitCode,
  InterruptedError,
  OauthctlError,
  PendingError,
  RefusedError,
  TimeoutError,
  UsageError,
} from '../../errors.ts';
import { CIBA_GRANT } from '../../protocol/definitions/grants/ciba.ts';
import type { ScopeNotGrantedEvent } from '../../protocol/oauth/granted-scope.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { buildTokenRequest, type TokenResponse } from '../../protocol/oauth/token.ts';
import type { VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import { type PollEvent, type PollGuard, pollForTokens } from '../polling/poll.ts';
import { postForm, type Target } from '../server/target.ts';
import type { AskedFor } from '../token/kept-tokens.ts';
import {
  checkDpopBinding,
  emitScopeNotGranted,
  keepTokens,
  verifyIssuedIdToken,
} from '../token/received-tokens.ts';

export type CibaPollEvent =
  | PollEvent
  | ScopeNotGrantedEvent
  | { readonly type: 'id_token_verified'; readonly idToken: VerifiedIdToken }
  | { readonly type: 'id_token_missing' };

/** Times in milliseconds since the epoch. */
export interface CibaPollOptions {
  readonly target: Target;
  readonly authReqId: string;
  /** Seconds. */
  readonly interval: number;
  readonly firstPollAt: number;
  readonly requestedAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  /** `expires_in` of the acknowledgement, in seconds. */
  readonly lifetimeSeconds?: number | undefined;
  readonly deadlineAt?: number | undefined;
  readonly once?: boolean | undefined;
  readonly wake?: Promise<unknown> | undefined;
  readonly pendingErrors?: readonly string[] | undefined;
  /** Says in one clause what is known beside the polls. */
  readonly describeSituation?: (() => string | undefined) | undefined;
  /** Whether the result may still be undecided as far as is known; by default it may. */
  readonly mayBePending?: (() => boolean) | undefined;
  /** Whether `openid` was requested, so that an ID token is expected; undefined when that is not known. */
  readonly expectIdToken?: boolean | undefined;
  /** The user's own parameters of the authentication request, where they are not those of the target. */
  readonly requestedBy?: Pick<Target, 'extraParameters' | 'omittedParameters'> | undefined;
  /** What the authentication request asked for, where that is known. */
  readonly asked?: AskedFor | undefined;
}

export interface CibaTokens {
  readonly tokens: TokenResponse;
  readonly idToken: VerifiedIdToken | undefined;
}

/**
 * CIBA's steps 5, 6, 9 and 10: polls for the tokens, validates the ID token and keeps what came.
 * @throws as pollForTokens; ValidationError `id_token_invalid`
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.10.1
 */
export async function pollCiba(
  ctx: Context,
  options: CibaPollOptions,
  onEvent: (event: CibaPollEvent) => void,
): Promise<CibaTokens> {
  const { target, authReqId } = options;
  const url = requireEndpoint(target.metadata, 'token_endpoint');
  const parameters = buildTokenRequest(CIBA_GRANT.grantType, { auth_req_id: authReqId });
  const pending = target.owner === undefined ? undefined : (await ctx.store()).pending;
  const count: PollCount = { here: 0, everywhere: undefined };
  const { lifetimeSeconds, requestedAt } = options;
  let tokens: TokenResponse;
  try {
    tokens = await pollForTokens(
      ctx,
      {
        tokenEndpoint: url,
        send: (timeoutMs, signal) =>
          postForm(ctx, target, { url, endpoint: 'token', parameters, timeoutMs, signal }),
        intervalSeconds: options.interval,
        firstAt: options.firstPollAt,
        expiresAt: options.expiresAt,
        mayExpireAt:
          requestedAt === undefined || lifetimeSeconds === undefined
            ? undefined
            : requestedAt + lifetimeSeconds * 1000,
        lifetimeSeconds,
        describeSituation: options.describeSituation,
        deadlineAt: options.deadlineAt,
        once: options.once,
        wake: options.wake,
        pendingErrors: options.pendingErrors,
        guard: target.owner === undefined ? undefined : createGuard(ctx, authReqId, count),
      },
      (event) => {
        if (event.type === 'polling') count.here = event.poll;
        onEvent(event);
      },
    );
  } catch (error) {
    // It is not marked as ended, so that it can be polled for again.
    if (isFirstDoubt(error, count) && (options.mayBePending?.() ?? true))
      throw mayMeanPending(error, pending !== undefined);
    if (pending && endsTheRequest(error)) await pending.end(authReqId, ctx.clock.now());
    throw error;
  }
  const receivedAt = ctx.clock.now();
  ctx.redactor.knowMembers(tokens.json);
  if (pending) await pending.end(authReqId, receivedAt);
  emitScopeNotGranted(options.requestedBy ?? target, options.asked?.scope, tokens, onEvent);
  checkDpopBinding(target, tokens);
  const idToken = await verifyIssuedIdToken(ctx, target, tokens, options.requestedAt);
  await keepTokens(ctx, target, CIBA_GRANT.grantType, tokens, { asked: options.asked, receivedAt });
  if (idToken) onEvent({ type: 'id_token_verified', idToken });
  else if (options.expectIdToken) onEvent({ type: 'id_token_missing' });
  return { tokens, idToken };
}

/** How many polls were sent for an id. */
interface PollCount {
  /** By this run. */
  here: number;
  /** By all runs, where that is known. */
  everywhere: number | undefined;
}

/** Whether the first poll was answered with an error that some servers use for "still pending". */
function isFirstDoubt(error: unknown, count: PollCount): error is RefusedError {
  if (!(error instanceof RefusedError) || error.exitCode !== ExitCode.refused) return false;
  if ((count.everywhere ?? count.here) !== 1) return false;
  const { error: word } = error.oauth;
  // A word of the server's own is shown in a command, so that it has to be harmless there.
  return word === 'invalid_grant' || (error.code === 'refused' && /^[\w.-]+$/.test(word));
}

/** Names the option that makes the error mean "still pending". */
function mayMeanPending({ oauth }: RefusedError, isKept: boolean): RefusedError {
  const option = `--pending-error ${oauth.error}`;
  const example = oauth.error === 'invalid_grant' ? ', as Apereo CAS does' : '';
  const command = isKept ? `go on with "oauthctl ciba poll ${option}"` : `add ${option}`;
  return new RefusedError(oauth, {
    furtherHint: `If this server answers ${oauth.error} while a request is pending${example}, ${command}; the profile can hold it (pending_error).`,
  });
}

function createGuard(ctx: Context, authReqId: string, count: PollCount): PollGuard {
  return {
    async claim(leaseMs, early) {
      const { pending } = await ctx.store();
      const claim = await pending.claimPoll(authReqId, { now: ctx.clock.now(), leaseMs, early });
      if (claim === undefined) return {};
      if (!claim.granted) return { waitUntil: claim.waitUntil };
      if (claim.pending.ended) throw endedElsewhere();
      count.everywhere = claim.pending.polls;
      return { intervalSeconds: claim.pending.interval };
    },
    async schedule(nextAt, interval) {
      await (await ctx.store()).pending.schedule(authReqId, nextAt, interval);
    },
  };
}

/** Another process received the tokens or the refusal: the id must not be sent again. */
function endedElsewhere(): UsageError {
  return new UsageError('nothing_pending', 'this request has ended meanwhile, in another run of oauthctl', {
    hint: 'That run had its tokens or its refusal; "oauthctl ciba request" makes a new request.',
  });
}

/** Whether an error ends the request: a refusal does, but not a deadline, an interruption or a network error. */
function endsTheRequest(error: unknown): boolean {
  if (!(error instanceof OauthctlError)) return false;
  if (error instanceof PendingError || error instanceof InterruptedError) return false;
  if (error instanceof TimeoutError) return error.code === 'expired';
  return 'oauth' in error || error.code === 'token_response_invalid';
}
