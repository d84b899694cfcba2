import type { Context } from '../context.ts';
import { RefusedError, UsageError } from '../errors.ts';
import { foreignAnswer } from '../protocol/answer.ts';
import type { VerifiedIdToken } from '../protocol/id-token.ts';
import { requireEndpoint } from '../protocol/metadata.ts';
import { buildTokenRequest, parseTokenAnswer, type TokenResponse } from '../protocol/token.ts';
import { keepTokens, verifyIdTokenOf } from './received-tokens.ts';
import { postForm, type Target } from './target.ts';

export type TokenEvent =
  | {
      readonly type: 'token_request';
      readonly url: string;
      readonly target: Target;
      readonly values: Readonly<Record<string, string | undefined>>;
    }
  | { readonly type: 'token_response'; readonly tokens: TokenResponse; readonly ms: number }
  | { readonly type: 'id_token_verified'; readonly idToken: VerifiedIdToken };

export interface TokenOptions {
  readonly target: Target;
  readonly grantType: string;
  /** The grant's own parameters, by their wire names. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

export interface GrantedTokens {
  readonly tokens: TokenResponse;
  readonly idToken: VerifiedIdToken | undefined;
}

/**
 * One token request by one grant: sends it, checks what came, keeps it.
 * @throws RefusedError; NetworkError; ValidationError `token_response_invalid`, `id_token_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4
 */
export async function requestTokens(
  ctx: Context,
  options: TokenOptions,
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { target, grantType, values } = options;
  const url = requireEndpoint(target.metadata, 'token_endpoint');
  onEvent({ type: 'token_request', url, target, values: { grant_type: grantType, ...values } });
  const requestedAt = ctx.clock.now();
  const parameters = buildTokenRequest(grantType, values);
  const answer = await postForm(ctx, target, { url, endpoint: 'token', parameters });
  const parsed = parseTokenAnswer(answer);
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw foreignAnswer(parsed.reason, url);
  const { tokens } = parsed;
  ctx.redactor.knowMembers(tokens.json);
  onEvent({ type: 'token_response', tokens, ms: answer.ms });
  const idToken = await verifyIdTokenOf(ctx, target, tokens, requestedAt);
  if (idToken) onEvent({ type: 'id_token_verified', idToken });
  await keepTokens(ctx, target, grantType, tokens);
  return { tokens, idToken };
}

/**
 * Refreshes. The new refresh token replaces the old one at once; where none came, the old one stays good.
 * @param refreshToken undefined takes the kept one
 * @throws UsageError `nothing_kept`; otherwise as requestTokens
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export async function refreshTokens(
  ctx: Context,
  options: {
    readonly target: Target;
    readonly refreshToken?: string | undefined;
    readonly scope?: string | undefined;
  },
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { target, scope } = options;
  const refreshToken = options.refreshToken ?? (await keptRefreshToken(ctx, target));
  ctx.redactor.know(refreshToken);
  const granted = await requestTokens(
    ctx,
    { target, grantType: 'refresh_token', values: { refresh_token: refreshToken, scope } },
    onEvent,
  );
  if (granted.tokens.refresh_token === undefined) {
    const json = { ...granted.tokens.json, refresh_token: refreshToken };
    await keepTokens(ctx, target, 'refresh_token', { ...granted.tokens, json });
  }
  return granted;
}

async function keptRefreshToken(ctx: Context, target: Target): Promise<string> {
  const kept = target.owner === undefined ? undefined : await (await ctx.store()).tokens.last(target.owner);
  const token = kept?.response.refresh_token;
  if (typeof token === 'string') return token;
  throw new UsageError('nothing_kept', 'no refresh token is kept for this profile', {
    hint: 'Get one first, for example with "oauthctl ciba start" or "oauthctl token password", or give one.',
  });
}
