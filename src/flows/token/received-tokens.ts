import type { JWTPayload } from 'jose';
import type { Context } from '../../context.ts';
import { ValidationError } from '../../errors.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import { findScopeNotGranted, type ScopeNotGrantedEvent } from '../../protocol/oauth/granted-scope.ts';
import { normalizeTokenResponse, type TokenResponse } from '../../protocol/oauth/token.ts';
import { isDpopType, readConfirmation } from '../../protocol/oauth/token-binding.ts';
import type { AuthenticationExpectations, VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import { prepareVerification } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';
import type { AskedFor, KeptTokens } from './kept-tokens.ts';

/**
 * Validates the ID token of a token response, where there is one, against what was asked for and the access token that
 * came with it.
 * @param requestedAt milliseconds since the epoch: when the tokens were asked for, when it is known
 * @throws ValidationError `id_token_invalid`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation
 */
export async function verifyIssuedIdToken(
  ctx: Context,
  target: Target,
  tokens: TokenResponse,
  requestedAt: number | undefined,
  expected: AuthenticationExpectations = {},
): Promise<VerifiedIdToken | undefined> {
  if (tokens.id_token === undefined) return undefined;
  return verifyReceivedIdToken(ctx, target, tokens.id_token, {
    ...expected,
    requestedAt: expected.requestedAt ?? requestedAt,
    accessToken: tokens.access_token,
  });
}

/**
 * Validates an ID token, whatever way it came: keys and algorithms are those of the target.
 * @throws ValidationError `id_token_invalid`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export async function verifyReceivedIdToken(
  ctx: Context,
  target: Target,
  idToken: string,
  expected: AuthenticationExpectations,
): Promise<VerifiedIdToken> {
  // jose takes its time to load, and not every token response needs it.
  const { verifyIdToken } = await import('../../protocol/oidc/id-token.ts');
  return verifyIdToken(idToken, {
    ...expected,
    ...(await prepareVerification(ctx, target, 'id_token_signing_alg_values_supported')),
    alg: target.idTokenAlg,
    trustedAudiences: target.trustedAudiences,
  });
}

/**
 * Reads the claims of the ID token that is kept with tokens to be refreshed; it was verified when it came.
 * @returns undefined where there is none, or where it is encrypted and does not open
 */
export async function readKeptIdToken(
  { decryptionKeys = [] }: Target,
  kept: KeptTokens | undefined,
): Promise<JWTPayload | undefined> {
  const idToken = kept?.response.id_token;
  if (typeof idToken !== 'string') return undefined;
  const { decryptJwe, isJwe } = await import('../../protocol/jose/signed-jwt.ts');
  if (!isJwe(idToken)) return decodeUnverified(idToken)?.claims;
  const refuse = (what: string) => new ValidationError('id_token_unreadable', what);
  try {
    return decodeUnverified((await decryptJwe(idToken, decryptionKeys, refuse)).content)?.claims;
  } catch {
    return undefined;
  }
}

/**
 * Compares a token response with the DPoP proof that was sent for it, where one was.
 * @throws ValidationError `dpop_binding_wrong` for an access token that is bound to another key
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-5
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-6.1
 */
export function checkDpopBinding(
  { dpop, proofs }: Target,
  { access_token, token_type }: TokenResponse,
): void {
  if (dpop === undefined || proofs === undefined || isNoAccessToken(token_type)) return;
  const { jkt } = readConfirmation(access_token);
  if (jkt !== undefined && jkt !== dpop.jkt) {
    throw new ValidationError(
      'dpop_binding_wrong',
      `the access token is bound to the key ${jkt}, and the proof was made with ${dpop.jkt}`,
      { hint: 'The server is at fault (RFC 9449 §6): nobody here can use this token.' },
    );
  }
  if (!isDpopType(token_type)) proofs.onEvent({ type: 'dpop_ignored', token_type });
}

/** The key as it is kept with the tokens: nothing is copied from a file of the person's own. */
export function dpopToKeep({ dpop, proofs }: Target): Pick<KeptTokens, 'dpop'> {
  if (dpop === undefined || proofs === undefined) return {};
  const { jwk, alg, jkt, isOwn } = dpop;
  return { dpop: { jkt, alg, ...(!isOwn && { jwk: { ...jwk, kty: String(jwk.kty) } }) } };
}

/** RFC 8693, section 2.2.1: what an exchange calls so is no access token, whatever the member's name. */
function isNoAccessToken(tokenType: string): boolean {
  return /^n_a$/i.test(tokenType);
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
  if (isNoAccessToken(tokens.token_type)) return;
  const store = await ctx.store();
  await store.tokens.keep(target.owner, {
    response: normalizeTokenResponse(tokens),
    grant_type: grantType,
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    received_at: known.receivedAt ?? ctx.clock.now(),
    ...(known.asked && { asked: known.asked }),
    ...dpopToKeep(target),
  });
}

/**
 * Tells which scopes were asked for and not granted. Parameters that the user sets or leaves out by hand count.
 * @param scope of the request, without those parameters
 */
export function emitScopeNotGranted(
  { extraParameters, omittedParameters = [] }: Pick<Target, 'extraParameters' | 'omittedParameters'>,
  scope: string | undefined,
  tokens: Pick<TokenResponse, 'json'>,
  onEvent: (event: ScopeNotGrantedEvent) => void,
): void {
  if (omittedParameters.includes('scope')) return;
  const byHand = extraParameters.findLast(([name]) => name === 'scope')?.[1];
  const found = findScopeNotGranted(byHand ?? scope, tokens.json);
  if (found !== undefined) onEvent({ type: 'scope_not_granted', ...found });
}
