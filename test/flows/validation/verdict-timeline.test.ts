import { describe, expect, it } from 'vitest';
import {
  findWindow,
  type ObservedVerdict,
  type ValidationMethod,
  type VerdictEvent,
} from '../../../src/flows/validation/verdict-timeline.ts';

const event = (
  at: number,
  way: ValidationMethod,
  verdict: ObservedVerdict,
  previousSeenAt?: number,
): VerdictEvent => ({
  at,
  way,
  verdict,
  previousSeenAt,
});
const BOTH = [event(0, 'local', 'accepted'), event(1, 'introspection', 'accepted')];

describe('the window in which the local check accepts what introspection refuses', () => {
  it('opens when introspection turns, and closes when the local check does', () => {
    const events = [...BOTH, event(40, 'introspection', 'refused', 30), event(90, 'local', 'refused', 80)];
    expect(findWindow(events, 95)).toEqual({ from: 40, earliest: 30, until: 90, isOver: true });
  });

  it('is still open where the watch ended before', () => {
    const events = [...BOTH, event(40, 'introspection', 'refused', 30)];
    expect(findWindow(events, 95)).toEqual({ from: 40, earliest: 30, until: 95, isOver: false });
  });

  it('is not there where the local check turns first, or introspection is merely unknown', () => {
    expect(
      findWindow([...BOTH, event(40, 'local', 'refused'), event(50, 'introspection', 'refused')], 60),
    ).toBe(undefined);
    expect(findWindow([...BOTH, event(40, 'introspection', 'unknown')], 60)).toBeUndefined();
  });

  it('is the longest of several', () => {
    const events = [
      ...BOTH,
      event(10, 'introspection', 'refused', 5),
      event(15, 'introspection', 'accepted', 10),
      event(20, 'introspection', 'refused', 15),
      event(50, 'introspection', 'unknown', 40),
    ];
    expect(findWindow(events, 60)).toEqual({ from: 20, earliest: 15, until: 50, isOver: true });
  });
});
