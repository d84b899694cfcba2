import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../../src/protocol/oauth/retry-after.ts';

const now = Date.UTC(2026, 0, 1);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('%j is %d ms from now', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  it.each([undefined, '', 'soon', '99999999999'])('%j is no wait that can be read', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });

  it.each(['-5', '1.5', '1e3'])('%j is neither seconds nor a date', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
