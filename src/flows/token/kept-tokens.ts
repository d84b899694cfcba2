import { createHash } from 'node:crypto';
import type { Store } from '../../context.ts';
import { findReuseComparison, type ParameterDefinitions } from '../../protocol/definitions/parameter.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { DpopKey } from '../../protocol/oauth/dpop.ts';
import type { ParameterValues } from '../../protocol/oauth/form.ts';
import { parseLifetime } from '../../protocol/oauth/response-members.ts';
import { isDpopType, readConfirmation } from '../../protocol/oauth/token-binding.ts';
import type { Target } from '../server/target.ts';

export type KeptTokens = NonNullable<Awaited<ReturnType<Store['tokens']['last']>>>;
export type AskedFor = NonNullable<KeptTokens['asked']>;

/** What the user adds to a request by hand. */
export interface OwnParameters extends Pick<Target, 'extraParameters' | 'omittedParameters'> {
  /** The same for the token request, where another request comes before it. */
  readonly tokenRequest?: Pick<Target, 'extraParameters' | 'omittedParameters'> | undefined;
}

/**
 * Says what a request asks for, as `--reuse` compares it.
 * @param definitions of the parameters of the request
 * @param values of these parameters
 * @throws TypeError for a value without a definition, which is a defect
 */
export function describeRequest(
  definitions: ParameterDefinitions,
  values: ParameterValues,
  own: OwnParameters,
): AskedFor {
  const compared: [name: string, value: unknown][] = [];
  let user: string | undefined;
  for (const [name, value] of Object.entries(values)) {
    const definition = definitions[name];
    if (definition === undefined) throw new TypeError(`not declared in protocol/definitions: ${name}`);
    if (value === undefined) continue;
    const comparison = findReuseComparison(definition.is);
    if (comparison === 'compared') compared.push([name, value]);
    if (comparison === 'user') user ??= String(value);
    if (comparison === 'subject') user ??= describeSubject(String(value));
  }
  const others = [
    ...[...compared, ...describeTokenRequest(own)].toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ...own.extraParameters.map((pair) => ['--param', ...pair]),
    ...(own.omittedParameters ?? []).map((name) => ['--omit', name]),
  ];
  return {
    ...(typeof values.scope === 'string' && { scope: values.scope }),
    ...(user !== undefined && { user }),
    ...(others.length > 0 && {
      others: createHash('sha256').update(JSON.stringify(others)).digest('base64url'),
    }),
  };
}

function describeTokenRequest({ tokenRequest }: OwnParameters): [name: string, value: unknown][] {
  const { extraParameters = [], omittedParameters = [] } = tokenRequest ?? {};
  return [
    ...(omittedParameters.length > 0
      ? [['--token-omit', omittedParameters] satisfies [string, unknown]]
      : []),
    ...(extraParameters.length > 0
      ? [['--token-param', extraParameters.map((pair) => pair.join('='))] satisfies [string, unknown]]
      : []),
  ];
}

/** An assertion is made anew for every request; its subject stays the same. */
function describeSubject(assertion: string): string {
  const claims = decodeUnverified(assertion)?.claims;
  // An assertion that cannot be read is compared as a whole, by its digest.
  if (typeof claims?.sub !== 'string') return createHash('sha256').update(assertion).digest('base64url');
  return typeof claims.iss === 'string' ? `${claims.sub} of ${claims.iss}` : claims.sub;
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
export function computeLifetimes({ response, received_at }: KeptTokens, now: number): Lifetimes {
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
export function ageResponse(kept: KeptTokens, now: number): Readonly<Record<string, unknown>> {
  const left = computeLifetimes(kept, now);
  const { response } = kept;
  const aged = (name: 'expires_in' | 'refresh_expires_in', seconds: number | undefined) =>
    parseLifetime(response[name]) && seconds !== undefined ? { [name]: Math.floor(seconds) } : {};
  return {
    ...response,
    ...aged('expires_in', left.access_token),
    ...aged('refresh_expires_in', left.refresh_token),
  };
}

/** What the tokens of a request would be, as far as it is known without sending it. */
export interface Wanted {
  /** The issuer by the names that it has: the one that is configured, and the one that the server calls itself. */
  readonly issuers: readonly (string | undefined)[];
  readonly client_id: string;
  /** Undefined takes any. */
  readonly grant_type?: string | undefined;
  readonly asked: AskedFor;
  /** What the access token must be bound to by DPoP: any key, or this one; false to none; undefined takes any. */
  readonly dpop?: { readonly jkt?: string | undefined } | false | undefined;
  /** The thumbprint of the client certificate in use, as in `x5t#S256`. */
  readonly certificate?: string | undefined;
}

/** Why kept tokens cannot be reused. */
export type ReuseMismatch =
  | 'nothing_kept'
  | 'other_issuer'
  | 'other_client'
  | 'other_grant'
  | 'other_user'
  | 'other_parameters'
  | 'dpop_bound'
  | 'not_dpop_bound'
  | 'other_dpop_key'
  | 'other_certificate'
  | 'scope_missing';

/**
 * Compares kept tokens with what a request would bring.
 * @returns why they cannot be reused; undefined where they can
 */
export function findMismatch(kept: KeptTokens | undefined, wanted: Wanted): ReuseMismatch | undefined {
  if (kept === undefined) return 'nothing_kept';
  if (!wanted.issuers.includes(kept.issuer)) return 'other_issuer';
  if (kept.client_id !== wanted.client_id) return 'other_client';
  // Tokens of any grant can be refreshed.
  if (wanted.grant_type !== undefined) {
    if (kept.grant_type !== wanted.grant_type) return 'other_grant';
    if (kept.asked?.user !== wanted.asked.user) return 'other_user';
    if (kept.asked?.others !== wanted.asked.others) return 'other_parameters';
  }
  const unbound = findBindingMismatch(kept, wanted);
  if (unbound !== undefined) return unbound;
  // A scope that was asked for and not granted would not be granted now either.
  const covered = new Set([...splitScope(kept.response.scope), ...splitScope(kept.asked?.scope)]);
  return splitScope(wanted.asked.scope).every((scope) => covered.has(scope)) ? undefined : 'scope_missing';
}

function findBindingMismatch(kept: KeptTokens, { dpop, certificate }: Wanted): ReuseMismatch | undefined {
  const jkt = readDpopBinding(kept);
  if (dpop === false && jkt !== undefined) return 'dpop_bound';
  if (dpop && jkt === undefined) return 'not_dpop_bound';
  // Bound tokens can be used with their private key only.
  if (dpop && (dpop.jkt === undefined ? kept.dpop?.jwk === undefined : dpop.jkt !== jkt))
    return 'other_dpop_key';
  const thumbprint = readConfirmation(kept.response.access_token)['x5t#S256'];
  return thumbprint !== undefined && thumbprint !== certificate ? 'other_certificate' : undefined;
}

/** The thumbprint of the key that the kept access token is bound to by DPoP; undefined for a bearer token. */
export function readDpopBinding({ response, dpop }: KeptTokens): string | undefined {
  if (!isDpopType(response.token_type)) return undefined;
  return dpop?.jkt ?? readConfirmation(response.access_token).jkt ?? '';
}

/** The key pair of kept tokens; undefined where it is not kept. */
export function keptDpopKey({ dpop }: KeptTokens): DpopKey | undefined {
  return dpop?.jwk && { jwk: dpop.jwk as DpopKey['jwk'], alg: dpop.alg, jkt: dpop.jkt };
}

/** The kept key pair that a token is bound to, whether the token is the kept one or another of the same key. */
export function keptKeyOfToken(kept: KeptTokens | undefined, token: string): DpopKey | undefined {
  if (kept?.dpop === undefined) return undefined;
  const isKept = kept.response.access_token === token && isDpopType(kept.response.token_type);
  return isKept || readConfirmation(token).jkt === kept.dpop.jkt ? keptDpopKey(kept) : undefined;
}

function splitScope(scope: unknown): string[] {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}
