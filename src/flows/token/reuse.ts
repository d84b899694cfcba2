import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import { parseTokenResponse } from '../../protocol/oauth/token.ts';
import type { Target } from '../server/target.ts';
import {
  ageResponse,
  computeLifetimes,
  findMismatch,
  type KeptTokens,
  type ReuseMismatch,
  type Wanted,
} from './kept-tokens.ts';
import { type GrantedTokens, refreshTokens, type TokenEvent } from './token.ts';

export type ReuseEvent =
  /** Seconds. */
  | { readonly type: 'reused'; readonly left: number }
  | { readonly type: 'refreshing'; readonly left: number | undefined }
  | { readonly type: 'refresh_refused'; readonly error: RefusedError }
  | { readonly type: 'requesting'; readonly why: ReuseMismatch | 'expired' };

export interface ReuseOptions {
  /** Under which name the tokens are kept. */
  readonly owner: string;
  readonly wanted: Wanted;
  /** Seconds that the kept access token must still live. */
  readonly minTtl: number;
  /** Speaks to the server for the first time; not called while the kept access token is good. */
  readonly connect: () => Promise<Target>;
  /** Requests tokens anew; undefined where a refresh is all that can be done. */
  readonly request?: ((target: Target) => Promise<GrantedTokens>) | undefined;
}

/**
 * Brings tokens with as little as it takes: the kept access token while it lives, else a refresh, else a new request.
 * A refused refresh is told and followed by a new request; other failures are passed on.
 * @throws as refreshTokens, `connect` and `request`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-1.5
 */
export async function reuseTokens(
  ctx: Context,
  options: ReuseOptions,
  onEvent: (event: ReuseEvent | TokenEvent) => void,
): Promise<GrantedTokens> {
  const { owner, wanted, minTtl, connect, request } = options;
  const kept = await (await ctx.store()).tokens.last(owner);
  ctx.redactor.knowMembers(kept?.response);
  const unfit = findMismatch(kept, wanted);
  if (kept !== undefined && unfit === undefined) {
    const left = computeLifetimes(kept, ctx.clock.now());
    if (isGood(left.access_token, minTtl)) {
      onEvent({ type: 'reused', left: left.access_token });
      return { tokens: parseTokenResponse(ageResponse(kept, ctx.clock.now())), idToken: undefined };
    }
    const mayRefresh = typeof kept.response.refresh_token === 'string' && left.refresh_token !== 0;
    if (mayRefresh || request === undefined) {
      const target = await connect();
      onEvent({ type: 'refreshing', left: left.access_token });
      try {
        return await refreshTokens(
          ctx,
          { target, suffices: (other) => suffices(ctx, other, options) },
          onEvent,
        );
      } catch (error) {
        if (request === undefined || !(error instanceof RefusedError)) throw error;
        onEvent({ type: 'refresh_refused', error });
        return request(target);
      }
    }
  }
  const target = await connect();
  if (request === undefined) return refreshTokens(ctx, { target }, onEvent);
  onEvent({ type: 'requesting', why: unfit ?? 'expired' });
  return request(target);
}

function suffices(ctx: Context, kept: KeptTokens, { wanted, minTtl }: ReuseOptions): boolean {
  return (
    findMismatch(kept, wanted) === undefined &&
    isGood(computeLifetimes(kept, ctx.clock.now()).access_token, minTtl)
  );
}

/** One whose lifetime nobody knows may be dead. */
function isGood(left: number | undefined, minTtl: number): left is number {
  return left !== undefined && left > 0 && left >= minTtl;
}
