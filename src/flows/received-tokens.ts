import type { Context } from '../context.ts';
import type { VerifiedIdToken } from '../protocol/id-token.ts';
import type { TokenResponse } from '../protocol/token.ts';
import { fetchJwks } from './jwks.ts';
import type { AskedFor } from './kept-tokens.ts';
import type { Target } from './target.ts';

/**
 * Validates the ID token of a token response, where there is one.
 * @param requestedAt milliseconds since the epoch, when it is known
 * @throws ValidationError `id_token_invalid`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export async function verifyIdTokenOf(
  ctx: Context,
  target: Target,
  tokens: TokenResponse,
  requestedAt: number | undefined,
): Promise<VerifiedIdToken | undefined> {
  if (tokens.id_token === undefined) return undefined;
  // jose takes its time to load, and not every token response needs it.
  const { verifyIdToken } = await import('../protocol/id-token.ts');
  const { metadata, client } = target;
  const algs = metadata.id_token_signing_alg_values_supported;
  return verifyIdToken(tokens.id_token, {
    issuer: metadata.issuer,
    client_id: client.client_id,
    client_secret: client.client_secret,
    jwks: await fetchJwks(ctx, metadata),
    alg: target.idTokenAlg,
    supportedAlgs: Array.isArray(algs) ? algs.filter((alg) => typeof alg === 'string') : undefined,
    now: ctx.clock.now(),
    requestedAt,
  });
}

/**
 * Keeps a token response for `@last`, unless the target wants nothing kept.
 * @param known what was asked for, and when the answer was there (now, where it is left out)
 */
export async function keepTokens(
  ctx: Context,
  target: Target,
  grantType: string,
  tokens: TokenResponse,
  known: { readonly asked?: AskedFor | undefined; readonly receivedAt?: number } = {},
): Promise<void> {
  if (target.owner === undefined || !target.keepTokens) return;
  // RFC 8693, section 2.2.1: what an exchange calls so is no access token, whatever the member's name.
  if (/^n_a$/i.test(tokens.token_type)) return;
  const store = await ctx.store();
  await store.tokens.keep(target.owner, {
    response: tokens.json,
    grant_type: grantType,
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    received_at: known.receivedAt ?? ctx.clock.now(),
    ...(known.asked && { asked: known.asked }),
  });
}
