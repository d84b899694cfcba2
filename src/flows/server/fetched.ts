import type { Clock } from '../../context.ts';

export interface FetchedOptions<Value> {
  readonly clock: Clock;
  readonly fetch: () => Promise<Value>;
  /** Milliseconds after which the next use fetches anew, without waiting for it. */
  readonly refreshAfter: number;
  /** Milliseconds after which the value is not used any more. */
  readonly maxAge: number;
}

/** Milliseconds for which a failure is remembered: whoever asks meanwhile gets the same one. */
export const FAILURE_KEPT = 2_000;

/**
 * A value of another server: fetched when it is first needed, once for all who ask meanwhile, kept for a while, and
 * fetched anew by itself. A failure is kept for a short while, so that a server that is down is not asked by everybody.
 */
export class Fetched<Value> {
  readonly #options: FetchedOptions<Value>;
  #kept: { readonly value: Value; readonly at: number } | undefined;
  #failed: { readonly error: unknown; readonly at: number } | undefined;
  #flight: Promise<Value> | undefined;

  constructor(options: FetchedOptions<Value>) {
    this.#options = options;
  }

  /** The value, as old as it may be. @throws what fetching it throws, or threw just now */
  async get(): Promise<Value> {
    const { clock, refreshAfter, maxAge } = this.#options;
    if (this.#kept === undefined) return this.renew();
    const age = clock.now() - this.#kept.at;
    if (age >= maxAge) return this.renew();
    // A failure to refresh shows when the value is too old to be used.
    if (age >= refreshAfter) this.renew().catch(() => {});
    return this.#kept.value;
  }

  /** Fetches the value, or waits for whoever does already. @throws what fetching throws, or threw just now */
  renew(): Promise<Value> {
    if (this.#failed !== undefined && this.retryIn() > 0) return Promise.reject(this.#failed.error);
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  /** Whether it is being fetched right now. */
  get isUnderWay(): boolean {
    return this.#flight !== undefined;
  }

  /** Milliseconds until a failure is forgotten; 0 where there is none. */
  retryIn(): number {
    if (this.#failed === undefined) return 0;
    return Math.max(0, this.#failed.at + FAILURE_KEPT - this.#options.clock.now());
  }

  async #fetch(): Promise<Value> {
    const { clock, fetch } = this.#options;
    try {
      const value = await fetch();
      this.#kept = { value, at: clock.now() };
      this.#failed = undefined;
      return value;
    } catch (error) {
      this.#failed = { error, at: clock.now() };
      throw error;
    }
  }
}
