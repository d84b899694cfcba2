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
import type { Check } from '../../protocol/jose/jwt-verdict.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { isKeycloak } from '../../protocol/oauth/server-product.ts';
import type { Target } from '../server/target.ts';
import type { Finding } from './compared-verdicts.ts';
import { type IntrospectEvent, introspect } from './introspect.ts';
import { PublishedKeys, type PublishedKeysEvent } from './published-keys.ts';
import { remarkOn } from './remarks.ts';
import { explainDifference } from './validation-difference.ts';
import type { ObservedVerdict } from './verdict-timeline.ts';

export type ValidateEvent = IntrospectEvent | PublishedKeysEvent;

export interface ValidateOptions {
  readonly target: Target;
  readonly token: string;
  readonly tokenTypeHint?: string | undefined;
  /** The audiences that the local check accepts. */
  readonly audience?: readonly string[] | undefined;
  /** The values of `typ` that the local check accepts. */
  readonly types?: readonly string[] | undefined;
  /** Seconds that the local check allows clocks to differ. */
  readonly leeway: number;
}

/** The verdict of the local check. Times in milliseconds, `at` since the epoch. */
export interface LocalVerdict {
  readonly verdict: ObservedVerdict;
  readonly at: number;
  /** The duration, including the fetching of keys. */
  readonly ms: number;
  /** The duration of fetching the keys; undefined where they were at hand or not needed. */
  readonly keysMs?: number | undefined;
  readonly checks: readonly Check[];
  readonly header?: JsonObject | undefined;
  readonly claims?: JsonObject | undefined;
  /** Why the keys could not be fetched, where there is no verdict for that reason. */
  readonly error?: OauthctlError | undefined;
}

/** The verdict of introspection. Times in milliseconds; `askedAt` and `at` since the epoch. */
export interface IntrospectionVerdict {
  readonly verdict: ObservedVerdict;
  readonly askedAt: number;
  readonly at: number;
  readonly ms: number;
  /** The claims of the response; undefined where the token is inactive. */
  readonly answer?: JsonObject | undefined;
  /** Why there is no verdict. */
  readonly error?: OauthctlError | undefined;
}

/** Both verdicts and how they differ. */
export interface Comparison {
  readonly local: LocalVerdict;
  readonly introspection: IntrospectionVerdict;
  /** Undefined where one of them is unknown. */
  readonly agree: boolean | undefined;
  /** Why they do not agree. */
  readonly differences: readonly Finding[];
  /** Other remarks. */
  readonly remarks: readonly Finding[];
  /** Undefined where the server sends no Date header. */
  readonly clock: ClockOffset | undefined;
}

/** How often a check is repeated to time it, because one takes less than the resolution of the clock. */
const ROUNDS = 20;
/** How many of the newest answers the clock of the server is measured by. */
const MOST_DATED = 20;

/** Both checks of one token. */
export type Validators = Pick<TokenValidators, 'local' | 'introspection' | 'timeCheck' | 'compare'>;

/**
 * Prepares the validation of one token by local verification and by introspection. The keys are fetched once, and again
 * for an unknown `kid`.
 */
export function openValidators(
  ctx: Context,
  options: ValidateOptions,
  onEvent: (event: ValidateEvent) => void,
): Validators {
  return new TokenValidators(ctx, options, onEvent);
}

class TokenValidators {
  readonly #ctx: Context;
  readonly #options: ValidateOptions;
  readonly #onEvent: (event: ValidateEvent) => void;
  readonly #keys: PublishedKeys;
  readonly #dated: DatedAnswer[] = [];

  constructor(ctx: Context, options: ValidateOptions, onEvent: (event: ValidateEvent) => void) {
    this.#ctx = ctx;
    this.#options = options;
    this.#onEvent = onEvent;
    this.#keys = new PublishedKeys(ctx, options.target, onEvent);
    ctx.onExchange(({ endpoint, startedAt, answer }) => {
      const date = answer?.headers.date;
      if (endpoint !== 'introspection' || answer === undefined || date === undefined) return;
      this.#dated.push({ date, sentAt: startedAt, ms: answer.ms });
      if (this.#dated.length > MOST_DATED) this.#dated.shift();
    });
  }

  /**
   * Verifies the token locally; a failure of the server makes the verdict unknown.
   * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
   */
  async local(): Promise<LocalVerdict> {
    const { clock } = this.#ctx;
    const { token } = this.#options;
    const startedAt = clock.now();
    try {
      const { valid, checks, header, claims } = await this.#verify();
      const verdict = valid ? 'accepted' : isForOthers(token, checks, header) ? 'unknown' : 'refused';
      const at = clock.now();
      return { verdict, at, ms: at - startedAt, keysMs: this.#keys.takeMs(), checks, header, claims };
    } catch (error) {
      const at = clock.now();
      return { verdict: 'unknown', at, ms: at - startedAt, checks: [], error: requireServerError(error) };
    }
  }

  /**
   * Introspects the token; a failure of the server makes the verdict unknown.
   * @throws the signal's reason
   * @see https://www.rfc-editor.org/rfc/rfc7662
   */
  async introspection(signal = this.#ctx.signal): Promise<IntrospectionVerdict> {
    const { clock } = this.#ctx;
    const askedAt = clock.now();
    try {
      const ctx = { ...this.#ctx, signal };
      const { active, token: answer } = await introspect(ctx, this.#options, this.#onEvent);
      const at = clock.now();
      return { verdict: active ? 'accepted' : 'refused', askedAt, at, ms: at - askedAt, answer };
    } catch (error) {
      const at = clock.now();
      return { verdict: 'unknown', askedAt, at, ms: at - askedAt, error: requireServerError(error) };
    }
  }

  /** Measures the local check with its keys at hand. @returns the mean of several checks in milliseconds */
  async timeCheck(): Promise<number> {
    const { clock } = this.#ctx;
    const startedAt = clock.now();
    for (let round = 0; round < ROUNDS; round += 1) await this.#verify();
    return (clock.now() - startedAt) / ROUNDS;
  }

  /** @param wasActive whether introspection had accepted the token before */
  compare(local: LocalVerdict, introspection: IntrospectionVerdict, wasActive?: boolean): Comparison {
    const { target, token, audience, leeway } = this.#options;
    const clock = measureClockOffset(this.#dated);
    const compared = {
      ...{ token, local, introspection, audience, leeway, clock, wasActive },
      claims: local.claims ?? decodeUnverified(token)?.claims,
      issuer: target.metadata.issuer,
      isKeycloak: isKeycloak(target.metadata),
      client_id: target.client.client_id,
      now: this.#ctx.clock.now(),
    };
    const differences = explainDifference(compared);
    const isKnown = local.verdict !== 'unknown' && introspection.verdict !== 'unknown';
    return {
      local,
      introspection,
      agree: isKnown ? local.verdict === introspection.verdict : undefined,
      differences,
      remarks: remarkOn(compared).filter(({ code }) => !differences.some((one) => one.code === code)),
      clock,
    };
  }

  async #verify() {
    const { verifyJwt } = await import('../../protocol/jose/jwt-verification.ts');
    const { target, token, audience, types, leeway } = this.#options;
    return verifyJwt(token, {
      keys: this.#keys.find,
      issuer: target.metadata.issuer,
      audience,
      types,
      leeway,
      // As a resource server has to check it.
      accessTokenOnly: true,
      now: this.#ctx.clock.now(),
    });
  }
}

/** Whether the token cannot be checked locally: it is opaque, or encrypted for another party. */
function isForOthers(token: string, checks: readonly Check[], header: JsonObject | undefined): boolean {
  const isEncrypted = checks.some(({ reason }) => reason === 'encrypted' || reason === 'compressed');
  return isEncrypted || (header === undefined && !token.startsWith('eyJ'));
}

/** Returns an error that the server caused, which leaves the verdict unknown. @throws any other error */
function requireServerError(error: unknown): OauthctlError {
  const isServers =
    error instanceof RefusedError ||
    error instanceof NetworkError ||
    error instanceof TimeoutError ||
    error instanceof ValidationError;
  if (isServers) return error;
  throw error;
}
