import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds; far more than a loaded machine needs, so that only what never happens reaches it. */
const LIMIT = 60_000;

/** The real timer: a test may put a fake in its place. */
const setRealTimeout = globalThis.setTimeout;

/**
 * Waits until something holds, however long the machine takes.
 * @param what names it in the message of the failure
 * @throws Error when it does not hold within a minute
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string = String(holds),
): Promise<void> {
  const giveUpAt = performance.now() + LIMIT;
  for (let turns = 0; !(await holds()); turns += 1) {
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${what}`);
    // After some turns of the event loop it depends on another process, or on a timer.
    if (turns < 200) await turn();
    else await new Promise((resolve) => setRealTimeout(resolve, 2));
  }
}

/** Turns of the event loop in which a request that should not be there would arrive. */
export async function silence(): Promise<void> {
  for (let turns = 0; turns < 100; turns += 1) await turn();
}

/** A promise that the test resolves. */
export function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
