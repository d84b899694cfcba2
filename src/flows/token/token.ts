import type { Context } from '../../context.ts';
import { RefusedError, TimeoutError, UsageError } from '../../errors.ts';
import {
  findGrant,
  type GrantType,
  type TokenRequestValues,
} from '../../protocol/definitions/grants/index.ts';
import { REFRESH_GRANT } from '../../protocol/definitions/grants/refresh.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import type { DpopKey } from '../../protocol/oauth/dpop.ts';
import type { ParameterValues } from '../../protocol/oauth/form.ts';
import type { ScopeNotGrantedEvent } from '../../protocol/oauth/granted-scope.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import {
  buildDeclaredTokenRequest,
  parseTokenAnswer,
  parseTokenResponse,
  type TokenResponse,
  type UnusableTokenResponse,
} from '../../protocol/oauth/token.ts';
import type { AuthenticationExpectations, VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import { postForm, type Target } from '../server/target.ts';
import {
  ageResponse,
  computeLifetimes,
  describeRequest,
  type KeptTokens,
  keptDpopKey,
} from './kept-tokens.ts';
import {
  checkDpopBinding,
  dpopToKeep,
  emitScopeNotGranted,
  keepTokens,
  readKeptIdToken,
  verifyIssuedIdToken,
} from './received-tokens.ts';

export type TokenEvent =
  | {
      readonly type: 'token_request';
      readonly url: string;
      readonly target: Target;
      readonly values: ParameterValues;
    }
  | { readonly type: 'token_response'; readonly tokens: TokenResponse; readonly ms: number }
  | { readonly type: 'id_token_verified'; readonly idToken: VerifiedIdToken }
  | ScopeNotGrantedEvent
  | { readonly type: 'refresh_waiting' }
  | { readonly type: 'refreshed_elsewhere' };

export interface TokenOptions<Type extends GrantType = GrantType> {
  readonly target: Target;
  readonly grantType: Type;
  /** The grant's own parameters, by their wire names. */
  readonly values: TokenRequestValues<Type>;
  /** What the authentication request asked for, where there was one: the ID token must answer it. */
  readonly expected?: AuthenticationExpectations | undefined;
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
export async function requestTokens<const Type extends GrantType>(
  ctx: Context,
  options: TokenOptions<Type>,
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { target, grantType, values } = options;
  const received = requireTokens(await sendTokenRequest(ctx, options, ctx.signal, onEvent));
  checkDpopBinding(target, received.tokens);
  const idToken = await verified(ctx, target, received, onEvent, options.expected);
  const { tokens, receivedAt } = received;
  const asked = describeRequest(findGrant(grantType)?.parameters ?? {}, values, target);
  await keepTokens(ctx, target, grantType, tokens, { asked, receivedAt });
  return { tokens, idToken };
}

export interface RefreshOptions {
  readonly target: Target;
  /** Undefined takes the kept one. */
  readonly refreshToken?: string | undefined;
  readonly scope?: string | undefined;
  /** Whether tokens that another run has kept meanwhile do as well; by default they must be of the same scope. */
  readonly suffices?: ((kept: KeptTokens) => boolean) | undefined;
}

/**
 * Refreshes, one run at a time for each profile: where another run refreshed meanwhile, its result is taken, because a
 * server that rotates refresh tokens takes none twice. The new refresh token replaces the old one at once, even
 * when the rest of the answer turns out to be invalid; where none came, the old one stays good.
 * @returns without an ID token where the result is another run's, which has verified it
 * @throws UsageError `nothing_kept`; TimeoutError `refresh_locked`; otherwise as requestTokens
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
 */
export async function refreshTokens(
  ctx: Context,
  options: RefreshOptions,
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { target } = options;
  const before = await readKept(ctx, target);
  const given = options.refreshToken ?? keptRefreshToken(before, target);
  ctx.redactor.know(given);
  if (target.owner === undefined) return refresh(ctx, options, given, undefined, onEvent);
  const unlock = await lockRefresh(ctx, target.owner, () => onEvent({ type: 'refresh_waiting' }));
  try {
    const kept = await readKept(ctx, target);
    ctx.redactor.knowMembers(kept?.response);
    const own = before?.response.refresh_token === given ? before : undefined;
    if (!own || !kept || !isSameGrant(own, kept)) return await refresh(ctx, options, given, own, onEvent);
    const isNew = kept.response.access_token !== own.response.access_token;
    const suffices = options.suffices ?? ((other) => isAlive(other, ctx) && hasScope(other, options.scope));
    if (isNew && suffices(kept)) {
      onEvent({ type: 'refreshed_elsewhere' });
      return { tokens: parseTokenResponse(ageResponse(kept, ctx.clock.now())), idToken: undefined };
    }
    const { refresh_token } = kept.response;
    const next = typeof refresh_token === 'string' ? refresh_token : given;
    return await refresh(ctx, options, next, kept, onEvent);
  } finally {
    await unlock();
  }
}

/** @param kept the record that the refresh token is of, where there is one */
async function refresh(
  ctx: Context,
  { target: given, scope }: RefreshOptions,
  refreshToken: string,
  kept: KeptTokens | undefined,
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  ctx.signal.throwIfAborted();
  const target = { ...given, dpop: dpopKeyToRefresh(given, kept) };
  const values = { refresh_token: refreshToken, scope };
  // Once it is sent, the old refresh token may be used up: an interruption waits for the new one.
  const answered = await sendTokenRequest(
    ctx,
    { target, grantType: REFRESH_GRANT.grantType, values },
    new AbortController().signal,
    onEvent,
  );
  const grantType = kept?.grant_type ?? REFRESH_GRANT.grantType;
  const asked = { ...kept?.asked, ...(scope !== undefined && { scope }) };
  await keepRotated(ctx, target, refreshToken, answered, { grant_type: grantType, asked });
  const received = requireTokens(answered);
  const { tokens, receivedAt } = received;
  checkDpopBinding(target, tokens);
  const original = tokens.id_token === undefined ? undefined : await readKeptIdToken(target, kept);
  const idToken = await verified(ctx, target, received, onEvent, { original });
  const refresh_token = tokens.refresh_token ?? refreshToken;
  await keepTokens(ctx, target, grantType, { ...tokens, refresh_token }, { asked, receivedAt });
  ctx.signal.throwIfAborted();
  return { tokens, idToken };
}

/**
 * Keeps a new refresh token where the rest of the response is still to be checked: the one that was sent may be used up,
 * and the response may turn out to be invalid.
 */
async function keepRotated(
  ctx: Context,
  target: Target,
  sent: string,
  { response, receivedAt }: AnsweredRequest,
  record: Pick<KeptTokens, 'grant_type' | 'asked'>,
): Promise<void> {
  const { refresh_token } = response;
  if (refresh_token === undefined || refresh_token === sent) return;
  const isToBeChecked = 'error' in response || response.id_token !== undefined || target.dpop !== undefined;
  if (!isToBeChecked || target.owner === undefined || !target.keepTokens) return;
  await (await ctx.store()).tokens.rotate(target.owner, sent, refresh_token, {
    response: {},
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    received_at: receivedAt,
    ...record,
    ...dpopToKeep(target),
  });
}

/**
 * The key to refresh with: a refresh token may be bound to the one that it was requested with.
 * @throws UsageError `dpop_key_missing` where that is a file of the person's own which was not named
 */
function dpopKeyToRefresh({ dpop, proofs }: Target, kept: KeptTokens | undefined): DpopKey | undefined {
  if (proofs === undefined || kept?.dpop === undefined || dpop?.isOwn) return dpop;
  const key = keptDpopKey(kept);
  if (key !== undefined) return key;
  throw new UsageError(
    'dpop_key_missing',
    `the kept tokens were requested with a DPoP key of your own (jkt ${kept.dpop.jkt})`,
    { hint: 'Name it with --dpop-key FILE; --no-dpop refreshes without a proof.' },
  );
}

interface AnsweredRequest {
  readonly response: TokenResponse | UnusableTokenResponse;
  /** Milliseconds since the epoch, both. */
  readonly requestedAt: number;
  readonly receivedAt: number;
}

interface ReceivedTokens extends AnsweredRequest {
  readonly tokens: TokenResponse;
}

/** @throws ValidationError `token_response_invalid` where no access token came */
function requireTokens(answered: AnsweredRequest): ReceivedTokens {
  const { response } = answered;
  if ('error' in response) throw response.error;
  return { ...answered, tokens: response };
}

async function sendTokenRequest(
  ctx: Context,
  {
    target,
    grantType,
    values,
  }: Pick<TokenOptions, 'target' | 'grantType'> & { readonly values: ParameterValues },
  signal: AbortSignal,
  onEvent: (event: TokenEvent) => void,
): Promise<AnsweredRequest> {
  const url = requireEndpoint(target.metadata, 'token_endpoint');
  onEvent({ type: 'token_request', url, target, values: { grant_type: grantType, ...values } });
  const requestedAt = ctx.clock.now();
  const parameters = buildDeclaredTokenRequest(grantType, values);
  const answer = await postForm(ctx, target, { url, endpoint: 'token', parameters, signal });
  const parsed = parseTokenAnswer(answer);
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw buildForeignAnswer(parsed.reason, url);
  const response = parsed.kind === 'tokens' ? parsed.tokens : parsed.response;
  ctx.redactor.knowMembers(response.json);
  if (parsed.kind === 'tokens') {
    onEvent({ type: 'token_response', tokens: parsed.tokens, ms: answer.ms });
    const scope = typeof values.scope === 'string' ? values.scope : undefined;
    emitScopeNotGranted(target, scope, parsed.tokens, onEvent);
  }
  return { response, requestedAt, receivedAt: ctx.clock.now() };
}

async function verified(
  ctx: Context,
  target: Target,
  { tokens, requestedAt }: ReceivedTokens,
  onEvent: (event: TokenEvent) => void,
  expected?: AuthenticationExpectations,
): Promise<VerifiedIdToken | undefined> {
  const idToken = await verifyIssuedIdToken(ctx, target, tokens, requestedAt, expected);
  if (idToken) onEvent({ type: 'id_token_verified', idToken });
  return idToken;
}

async function readKept(ctx: Context, { owner }: Target): Promise<KeptTokens | undefined> {
  return owner === undefined ? undefined : (await ctx.store()).tokens.last(owner);
}

function keptRefreshToken(kept: KeptTokens | undefined, { metadata, client }: Target): string {
  const token = kept?.response.refresh_token;
  if (kept === undefined || typeof token !== 'string') {
    throw new UsageError('nothing_kept', 'no refresh token is kept for this profile', {
      hint: 'Get one first, for example with "oauthctl ciba start" or "oauthctl token password", or give one.',
    });
  }
  // No server learns another one's token.
  if (kept.issuer !== metadata.issuer || kept.client_id !== client.client_id) {
    throw new UsageError('kept_elsewhere', 'the kept refresh token is of another issuer or client', {
      hint: `It is of ${kept.client_id} at ${kept.issuer}. Request tokens anew, or give a refresh token.`,
    });
  }
  return token;
}

function isSameGrant(one: KeptTokens, other: KeptTokens): boolean {
  const identity = ({ issuer, client_id, grant_type, asked, dpop }: KeptTokens) =>
    JSON.stringify([issuer, client_id, grant_type, asked?.user, asked?.others, dpop?.jkt]);
  return identity(one) === identity(other);
}

function isAlive(kept: KeptTokens, ctx: Context): boolean {
  return computeLifetimes(kept, ctx.clock.now()).access_token !== 0;
}

function hasScope(kept: KeptTokens, scope: string | undefined): boolean {
  return scope === undefined || scope === kept.asked?.scope;
}

/** Milliseconds between two looks at the lock. */
const LOCK_INTERVAL = 100;
/** Milliseconds; more than the exchanges of a refresh take. */
const LOCK_DEADLINE = 120_000;

async function lockRefresh(ctx: Context, owner: string, onWaiting: () => void): Promise<() => Promise<void>> {
  const { tokens } = await ctx.store();
  const until = ctx.clock.now() + LOCK_DEADLINE;
  for (let isFirst = true; ; isFirst = false) {
    ctx.signal.throwIfAborted();
    const unlock = await tokens.lockRefresh(owner);
    if (unlock) return unlock;
    if (isFirst) onWaiting();
    if (ctx.clock.now() >= until) {
      const refresher = await tokens.describeRefresher(owner);
      throw new TimeoutError('refresh_locked', `waited 2 min while ${refresher} refreshes these tokens`, {
        hint: 'See what it waits for, or end it; nothing was sent by this run.',
      });
    }
    await ctx.clock.sleep(LOCK_INTERVAL, ctx.signal);
  }
}
