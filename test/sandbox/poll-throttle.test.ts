import { describe, expect, it } from 'vitest';
import { PollThrottle } from '../../src/sandbox/poll-throttle.ts';

describe('the throttle', () => {
  it('admits an id again exactly one interval after the last admitted poll', () => {
    let now = 0;
    const throttle = new PollThrottle(5, () => now);
    const admitted = [0, 4999, 5000, 9999, 10_000].map((at) => {
      now = at;
      return throttle.admit('id');
    });
    expect(admitted).toEqual([true, false, true, false, true]);
  });

  it('admits a forgotten id at once', () => {
    const throttle = new PollThrottle(5, () => 0);
    throttle.admit('id');
    throttle.forget('id');
    expect(throttle.admit('id')).toBe(true);
  });

  it('still refuses early polls after so many ids that it sweeps', () => {
    let now = 0;
    const throttle = new PollThrottle(5, () => now);
    for (let id = 0; id < 3000; id += 1) {
      now += 10;
      throttle.admit(`id-${id}`);
    }
    expect(throttle.admit('id-2999')).toBe(false);
    expect(throttle.admit('id-0')).toBe(true);
  });
});
