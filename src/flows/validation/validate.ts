import type { JSONWebKeySet } from 'jose';
import type { Context } from '../../context.ts';
import {
  NetworkError,
  type OauthctlError,
  RefusedError,
  TimeoutError,
  ValidationError,
} from '../../errors.ts';
import { type ClockOffset, type DatedAnswer, measureClockOffset } from '../../protocol/clock-offset.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { Check, JwtExpectations, KeyFinder } from '../../protocol/jose/jwt-verdict.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { REFETCH_INTERVAL } from '../serve/tenant-keys.ts';
import { fetchJwks } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';
import { type IntrospectEvent, introspect } from './introspect.ts';
import { explainDifference, type Finding, remarkOn } from './validation-difference.ts';
import type { WayVerdict } from './verdict-timeline.ts';

export type ValidateEvent =
  | IntrospectEvent
  | { readonly type: 'keys_request'; readonly url: string | undefined }
  | { readonly type: 'keys_response'; readonly count: number; readonly ms: number };

export interface ValidateOptions {
  readonly target: Target;
  readonly token: string;
  readonly tokenTypeHint?: string | undefined;
  /** Who must be in `aud`, for the local check. */
  readonly audience?: readonly string[] | undefined;
  /** What `typ` may be, for the local check. */
  readonly types?: readonly string[] | undefined;
  /** Seconds by which clocks may differ, for the local check. */
  readonly leeway: number;
}

/** What the local check says. Times in milliseconds, `at` since the epoch. */
export interface LocalVerdict {
  readonly verdict: WayVerdict;
  readonly at: number;
  /** What it took, fetching the keys included. */
  readonly ms: number;
  /** What fetching the keys took; undefined where they were there, or not needed. */
  readonly keysMs?: number | undefined;
  readonly checks: readonly Check[];
  readonly header?: JsonObject | undefined;
  readonly claims?: JsonObject | undefined;
  /** Why there is no verdict, where it is for want of the keys. */
  readonly error?: OauthctlError | undefined;
}

/** What introspection says. Times in milliseconds, those of day since the epoch. */
export interface IntrospectionVerdict {
  readonly verdict: WayVerdict;
  readonly askedAt: number;
  readonly at: number;
  readonly ms: number;
  /** What the server says of the token; undefined where it does not. */
  readonly answer?: JsonObject | undefined;
  /** Why there is no verdict. */
  readonly error?: OauthctlError | undefined;
}

/** Both verdicts side by side. */
export interface Comparison {
  readonly local: LocalVerdict;
  readonly introspection: IntrospectionVerdict;
  /** Undefined where one of them is unknown. */
  readonly agree: boolean | undefined;
  /** Why they do not agree. */
  readonly differences: readonly Finding[];
  /** What else is worth knowing. */
  readonly remarks: readonly Finding[];
  /** Undefined where the server does not tell its time. */
  readonly clock: ClockOffset | undefined;
}

/** Both ways to validate one token; the keys are fetched once, and again where none of them has the token's `kid`. */
export interface Validators {
  /** @throws nothing that the server can cause */
  local(): Promise<LocalVerdict>;
  /** @throws nothing that the server can cause; the signal's reason */
  introspection(signal?: AbortSignal): Promise<IntrospectionVerdict>;
  /** Milliseconds that the local check takes with its keys at hand: the mean of several. */
  timeCheck(): Promise<number>;
  /** @param wasActive whether introspection had accepted the token before */
  compare(local: LocalVerdict, introspection: IntrospectionVerdict, wasActive?: boolean): Comparison;
}

/** How often a check is repeated to time it: one alone takes less than the clock can tell. */
const ROUNDS = 20;
/** The newest answers by which the server's clock is measured. */
const MOST_DATED = 20;

/**
 * Prepares the validation of one token by local verification and by introspection.
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 * @see https://www.rfc-editor.org/rfc/rfc7662
 */
export function openValidators(
  ctx: Context,
  options: ValidateOptions,
  onEvent: (event: ValidateEvent) => void,
): Validators {
  const { target, token, leeway } = options;
  const { clock } = ctx;
  const keys = new PublishedKeys(ctx, target, onEvent);
  const dated: DatedAnswer[] = [];
  ctx.onExchange(({ endpoint, startedAt, answer }) => {
    const date = answer?.headers.date;
    if (endpoint !== 'introspection' || answer === undefined || date === undefined) return;
    dated.push({ date, sentAt: startedAt, ms: answer.ms });
    if (dated.length > MOST_DATED) dated.shift();
  });

  const expectations = (): JwtExpectations => ({
    keys: keys.find,
    issuer: target.metadata.issuer,
    audience: options.audience,
    types: options.types,
    leeway,
    // What a resource server has to insist on.
    accessTokenOnly: true,
    now: clock.now(),
  });

  return {
    async local() {
      const { verifyJwt } = await import('../../protocol/jose/jwt-verification.ts');
      const startedAt = clock.now();
      try {
        const { valid, checks, header, claims } = await verifyJwt(token, expectations());
        const verdict = valid ? 'accepted' : isForOthers(token, checks, header) ? 'unknown' : 'refused';
        const at = clock.now();
        return { verdict, at, ms: at - startedAt, keysMs: keys.takeMs(), checks, header, claims };
      } catch (error) {
        const at = clock.now();
        return { verdict: 'unknown', at, ms: at - startedAt, checks: [], error: causedByServer(error) };
      }
    },
    async introspection(signal = ctx.signal) {
      const askedAt = clock.now();
      try {
        const { active, token: answer } = await introspect({ ...ctx, signal }, options, onEvent);
        const at = clock.now();
        return { verdict: active ? 'accepted' : 'refused', askedAt, at, ms: at - askedAt, answer };
      } catch (error) {
        const at = clock.now();
        return { verdict: 'unknown', askedAt, at, ms: at - askedAt, error: causedByServer(error) };
      }
    },
    async timeCheck() {
      const { verifyJwt } = await import('../../protocol/jose/jwt-verification.ts');
      const startedAt = clock.now();
      for (let round = 0; round < ROUNDS; round += 1) await verifyJwt(token, expectations());
      return (clock.now() - startedAt) / ROUNDS;
    },
    compare(local, introspection, wasActive) {
      const offset = measureClockOffset(dated);
      const compared = {
        token,
        local,
        introspection,
        claims: local.claims ?? decodeUnverified(token)?.claims,
        issuer: target.metadata.issuer,
        audience: options.audience,
        client_id: target.client.client_id,
        now: clock.now(),
        leeway,
        clock: offset,
        wasActive,
      };
      const differences = explainDifference(compared);
      const isKnown = local.verdict !== 'unknown' && introspection.verdict !== 'unknown';
      return {
        local,
        introspection,
        agree: isKnown ? local.verdict === introspection.verdict : undefined,
        differences,
        remarks: remarkOn(compared).filter(({ code }) => !differences.some((one) => one.code === code)),
        clock: offset,
      };
    },
  };
}

/**
 * The failure that a comparison is; undefined where a way accepts the token and none refuses it or failed.
 * @param reasons why introspection may refuse a token that cannot be checked locally
 */
export function buildValidationFailure(
  { local, introspection, agree, differences, remarks }: Comparison,
  reasons: () => readonly string[],
): OauthctlError | undefined {
  const error = introspection.error ?? local.error;
  if (error !== undefined) return error;
  const [first] = [...differences, ...remarks];
  const hint = first && `${first.cause} ${first.remedy}`;
  if (agree === false) {
    const [one, other] = local.verdict === 'accepted' ? ['accepts', 'refuses'] : ['refuses', 'accepts'];
    return new ValidationError(
      'verdicts_differ',
      `the local check ${one} the token, and introspection ${other} it`,
      { hint },
    );
  }
  if (introspection.verdict === 'accepted') return undefined;
  if (local.verdict === 'unknown')
    return new ValidationError('token_refused', 'introspection refuses the token', {
      hint: reasons().join(' '),
    });
  const said = local.checks
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name, detail }) => `${name}: ${detail}`);
  return new ValidationError('token_refused', `both ways refuse the token: ${said.join('; ')}`, {
    hint: hint ?? 'See what it holds with "oauthctl jwt decode".',
  });
}

/** The server's keys, fetched when they are first needed, and again for a `kid` that none of them has. */
class PublishedKeys {
  readonly #fetch: () => Promise<JSONWebKeySet>;
  readonly #now: () => number;
  #kept: JSONWebKeySet | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #ms: number | undefined;

  constructor(ctx: Context, { metadata }: Target, onEvent: (event: ValidateEvent) => void) {
    this.#now = () => ctx.clock.now();
    this.#fetch = async () => {
      onEvent({ type: 'keys_request', url: metadata.jwks_uri });
      const startedAt = this.#now();
      const jwks = await fetchJwks(ctx, metadata);
      this.#ms = this.#now() - startedAt;
      onEvent({ type: 'keys_response', count: jwks.keys.length, ms: this.#ms });
      return jwks;
    };
  }

  readonly find: KeyFinder = async ({ kid }) => {
    const isKnown = typeof kid !== 'string' || this.#kept?.keys.some((key) => key.kid === kid);
    if (this.#kept !== undefined && (isKnown || this.#now() - this.#fetchedAt < REFETCH_INTERVAL))
      return this.#kept;
    const kept = this.#kept;
    this.#fetchedAt = this.#now();
    try {
      this.#kept = await this.#fetch();
    } catch (error) {
      // The keys that are there are as good as before.
      if (kept === undefined) throw error;
    }
    return this.#kept;
  };

  /** Milliseconds that fetching took; told once. */
  takeMs(): number | undefined {
    const ms = this.#ms;
    this.#ms = undefined;
    return ms;
  }
}

/** Whether there is nothing to check locally: an opaque token, or one that is encrypted for somebody else. */
function isForOthers(token: string, checks: readonly Check[], header: JsonObject | undefined): boolean {
  const isEncrypted = checks.some(({ reason }) => reason === 'encrypted' || reason === 'compressed');
  return isEncrypted || (header === undefined && !token.startsWith('eyJ'));
}

/** An error that leaves a verdict open. @throws any other */
function causedByServer(error: unknown): OauthctlError {
  const isServers =
    error instanceof RefusedError ||
    error instanceof NetworkError ||
    error instanceof TimeoutError ||
    error instanceof ValidationError;
  if (isServers) return error;
  throw error;
}
