import { createHash } from 'node:crypto';
import type { Store } from '../context.ts';
import type { ParameterValues } from '../protocol/form.ts';
import { decodeUnverified } from '../protocol/jwt.ts';
import { parseLifetime } from '../protocol/token.ts';
import type { Target } from './target.ts';

export type KeptTokens = NonNullable<Awaited<ReturnType<Store['tokens']['last']>>>;
export type AskedFor = NonNullable<KeptTokens['asked']>;

/** Credentials, and what changes how the person is asked but not what the tokens are for. */
const NOT_ASKED_FOR = new Set([
  'scope',
  'username',
  'password',
  'login_hint',
  'binding_message',
  'user_code',
  'requested_expiry',
]);

/**
 * Says what a request asks for.
 * @param values the request's own parameters, by their wire names
 * @param own the person's own `--param`s and `--omit`s
 */
export function askedFor(
  values: ParameterValues,
  own: Pick<Target, 'extraParameters' | 'omittedParameters'>,
): AskedFor {
  const others = [
    ...Object.entries(values)
      .filter(([name, value]) => value !== undefined && !NOT_ASKED_FOR.has(name))
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ...own.extraParameters.map((pair) => ['--param', ...pair]),
    ...(own.omittedParameters ?? []).map((name) => ['--omit', name]),
  ];
  return {
    ...(typeof values.scope === 'string' && { scope: values.scope }),
    ...userOf(values),
    ...(others.length > 0 && {
      others: createHash('sha256').update(JSON.stringify(others)).digest('base64url'),
    }),
  };
}

function userOf({ username, login_hint }: ParameterValues): { user?: string } {
  const user = username ?? login_hint;
  return typeof user === 'string' ? { user } : {};
}

/** Seconds that are left, 0 or more; undefined where that is not known. */
export interface Lifetimes {
  readonly access_token: number | undefined;
  readonly refresh_token: number | undefined;
}

/**
 * Says how long kept tokens still live: by `expires_in` counted from when they were received, else by `exp` of a JWT.
 * Nothing is known when the clock stands before that moment.
 * @param now milliseconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function lifetimesOf({ response, received_at }: KeptTokens, now: number): Lifetimes {
  if (now < received_at) return { access_token: undefined, refresh_token: undefined };
  const left = (token: unknown, lifetime: number | undefined) => {
    if (typeof token !== 'string') return undefined;
    const exp = decodeUnverified(token)?.claims.exp;
    const until =
      lifetime === undefined
        ? typeof exp === 'number' && exp > 0
          ? exp * 1000
          : undefined
        : received_at + lifetime * 1000;
    return until === undefined ? undefined : Math.max(0, (until - now) / 1000);
  };
  return {
    access_token: left(response.access_token, parseLifetime(response.expires_in)),
    // Keycloak writes 0 for a refresh token without an end.
    refresh_token: left(response.refresh_token, parseLifetime(response.refresh_expires_in) || undefined),
  };
}

/**
 * The kept response as if it came now: its lifetimes are what is left of them, in whole seconds.
 * @param now milliseconds since the epoch
 */
export function responseAsOf(kept: KeptTokens, now: number): Readonly<Record<string, unknown>> {
  const left = lifetimesOf(kept, now);
  const { response } = kept;
  const aged = (name: 'expires_in' | 'refresh_expires_in', seconds: number | undefined) =>
    parseLifetime(response[name]) && seconds !== undefined ? { [name]: Math.floor(seconds) } : {};
  return {
    ...response,
    ...aged('expires_in', left.access_token),
    ...aged('refresh_expires_in', left.refresh_token),
  };
}

/** What a request would bring, as far as that is known without sending it. */
export interface Wanted {
  /** The issuers that are the server's: its own, and the inner address of it. */
  readonly issuers: readonly (string | undefined)[];
  readonly client_id: string;
  /** Undefined takes any. */
  readonly grant_type?: string | undefined;
  readonly asked: AskedFor;
}

/** Why kept tokens would not do. */
export type Unfit =
  | 'nothing_kept'
  | 'other_issuer'
  | 'other_client'
  | 'other_grant'
  | 'other_user'
  | 'other_parameters'
  | 'scope_missing';

/**
 * Says whether kept tokens are what a request would bring.
 * @returns undefined where they are
 */
export function unfitFor(kept: KeptTokens | undefined, wanted: Wanted): Unfit | undefined {
  if (kept === undefined) return 'nothing_kept';
  if (!wanted.issuers.includes(kept.issuer)) return 'other_issuer';
  if (kept.client_id !== wanted.client_id) return 'other_client';
  // A refresh carries any grant on.
  if (wanted.grant_type !== undefined) {
    if (kept.grant_type !== wanted.grant_type) return 'other_grant';
    if (kept.asked?.user !== wanted.asked.user) return 'other_user';
    if (kept.asked?.others !== wanted.asked.others) return 'other_parameters';
  }
  // What was asked for before and not granted would not be granted now.
  const covered = new Set([...scopesOf(kept.response.scope), ...scopesOf(kept.asked?.scope)]);
  return scopesOf(wanted.asked.scope).every((scope) => covered.has(scope)) ? undefined : 'scope_missing';
}

function scopesOf(scope: unknown): string[] {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}
