import { describe, expect, it } from 'vitest';
import { describeClockOffset, measureClockOffset } from '../../src/protocol/clock-offset.ts';

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const date = (time: string) => new Date(at(time)).toUTCString();

describe('the offset of the server’s clock', () => {
  it('is no better known than whole seconds and the way of the answer allow', () => {
    const offset = measureClockOffset([{ date: date('00:00:10'), sentAt: at('00:00:10.200'), ms: 100 }]);
    expect(offset).toEqual({ min: -300, max: 800 });
    expect(describeClockOffset({ min: -300, max: 800 })).toBeUndefined();
  });

  it('is narrowed down by every further answer', () => {
    const offset = measureClockOffset([
      { date: date('00:00:13'), sentAt: at('00:00:10.000'), ms: 10 },
      { date: date('00:00:13'), sentAt: at('00:00:10.900'), ms: 10 },
    ]);
    expect(offset).toEqual({ min: 2990, max: 3100 });
    expect(describeClockOffset({ min: 2990, max: 3100 })).toBe('3.0 to 3.1 s ahead of ours');
    expect(describeClockOffset({ min: -3100, max: -2990 })).toBe('3.0 to 3.1 s behind ours');
  });

  it('is what the last answer says where a clock was set meanwhile', () => {
    const offset = measureClockOffset([
      { date: date('01:00:00'), sentAt: at('00:00:00'), ms: 0 },
      { date: date('00:00:05'), sentAt: at('00:00:05'), ms: 0 },
    ]);
    expect(offset).toEqual({ min: 0, max: 1000 });
  });

  it.each([[[]], [[{ date: 'yesterday', sentAt: 0, ms: 0 }]]])('is unknown without a date: %j', (answers) => {
    expect(measureClockOffset(answers)).toBeUndefined();
  });
});
