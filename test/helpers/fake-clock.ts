import type { Clock } from '../../src/context.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/**
 * A clock without real time. With `auto` every sleep moves it forward at once; without, the test moves it by
 * `advance`, and only sleepers whose time has come wake up.
 */
export class FakeClock implements Clock {
  readonly sleeps: number[] = [];
  #now: number;
  #sleepers: Sleeper[] = [];
  readonly #auto: boolean;

  constructor(options: { now?: number; auto?: boolean } = {}) {
    this.#now = options.now ?? Date.UTC(2026, 0, 1);
    this.#auto = options.auto ?? true;
  }

  now(): number {
    return this.#now;
  }

  /** How many are asleep. */
  get asleep(): number {
    return this.#sleepers.length;
  }

  /** Moves the time by so many milliseconds without waking anybody: what an exchange takes. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Moves the time by so many milliseconds and wakes those whose time has come. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.until <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.until > this.#now);
    for (const sleeper of due) sleeper.wake();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#auto) {
        this.#now += ms;
        // A turn of the event loop, so that sockets get theirs.
        setImmediate(() => (signal?.aborted ? reject(signal.reason) : resolve()));
        return;
      }
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((item) => item !== sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        until: this.#now + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
