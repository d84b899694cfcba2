import { expect } from 'vitest';

/**
 * Matches what is left of so many seconds when a server tells it: some of them may have passed meanwhile, but not half.
 * @param seconds the whole lifetime
 */
export function computeSecondsLeft(seconds: number): number {
  return expect.toSatisfy(
    (left: number) => Number.isInteger(left) && left <= seconds && left > seconds / 2,
    `what is left of ${seconds} s`,
  );
}
