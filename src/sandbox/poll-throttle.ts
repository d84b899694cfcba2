/** From this many ids on, those whose interval has passed are forgotten: they would be admitted anyway. */
const SWEEP_FROM = 1000;

/**
 * Decides which polls are too early.
 *
 * The first poll of an id is always admitted. After that the interval counts from the last admitted poll: a refused
 * one neither counts nor makes the interval grow, as on Keycloak.
 *
 * @see OpenID Connect CIBA Core 1.0 §7.3 (`interval`), §11 (`slow_down`)
 */
export class PollThrottle {
  readonly #interval: number;
  readonly #now: () => number;
  readonly #admitted = new Map<string, number>();

  /**
   * @param interval seconds between two polls of one id; 0 admits all
   * @param now milliseconds of any clock that does not go back
   */
  constructor(interval: number, now: () => number) {
    this.#interval = interval * 1000;
    this.#now = now;
  }

  /** Whether a poll of this id may be handled now. */
  admit(id: string): boolean {
    const now = this.#now();
    const last = this.#admitted.get(id);
    if (last !== undefined && now - last < this.#interval) {
      return false;
    }
    if (this.#admitted.size >= SWEEP_FROM) {
      this.#sweep(now);
    }
    this.#admitted.set(id, now);
    return true;
  }

  forget(id: string): void {
    this.#admitted.delete(id);
  }

  #sweep(now: number): void {
    for (const [id, last] of this.#admitted) {
      if (now - last >= this.#interval) {
        this.#admitted.delete(id);
      }
    }
  }
}
