import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { parseRetryAfter } from '../../protocol/oauth/retry-after.ts';
import {
  buildRevocationRequest,
  parseRevocationAnswer,
  type RevocationRequest,
} from '../../protocol/oauth/revocation.ts';
import { postForm, type Target } from '../server/target.ts';

export type RevokeEvent =
  | {
      readonly type: 'revocation_request';
      readonly url: string;
      readonly target: Target;
      readonly values: RevocationRequest;
    }
  | { readonly type: 'revocation_response'; readonly status: number; readonly ms: number };

export interface RevokeOptions {
  readonly target: Target;
  readonly token: string;
  readonly tokenTypeHint?: string | undefined;
}

export interface Revoked {
  /** Under which names the token was kept, and is no more. */
  readonly forgotten: readonly string[];
}

/**
 * Revokes a token, and takes it out of what is kept.
 * @throws RefusedError; NetworkError; ValidationError `endpoint_missing`
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2
 */
export async function revoke(
  ctx: Context,
  { target, token, tokenTypeHint }: RevokeOptions,
  onEvent: (event: RevokeEvent) => void,
): Promise<Revoked> {
  const url = requireEndpoint(target.metadata, 'revocation_endpoint');
  const values = { token, token_type_hint: tokenTypeHint };
  onEvent({ type: 'revocation_request', url, target, values });
  const parameters = buildRevocationRequest(values);
  const answer = await postForm(ctx, target, { url, endpoint: 'revocation', parameters });
  const parsed = parseRevocationAnswer(answer);
  if (parsed.kind === 'unavailable') {
    const wait = parseRetryAfter(answer.headers['retry-after'], ctx.clock.now());
    const after = wait === undefined ? 'later' : `in ${Math.ceil(wait / 1000)} s`;
    throw new RefusedError(parsed.oauth, { hint: `The token is as good as before: try again ${after}.` });
  }
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw buildForeignAnswer(parsed.reason, url);
  onEvent({ type: 'revocation_response', status: answer.status, ms: answer.ms });
  return { forgotten: await (await ctx.store()).tokens.drop(token) };
}
