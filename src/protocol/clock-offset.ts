/** An answer whose `Date` says what the server's clock showed. */
export interface DatedAnswer {
  /** The header's value. */
  readonly date: string;
  /** When the request left by our clock, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** Milliseconds until the answer was there. */
  readonly ms: number;
}

/** By how many milliseconds the server's clock is ahead of ours, between these two; negative where it is behind. */
export interface ClockOffset {
  readonly min: number;
  readonly max: number;
}

/** Milliseconds: `Date` tells whole seconds. */
const RESOLUTION = 1000;

/**
 * Measures how far the server's clock is off, by each answer more exactly.
 * @returns undefined where no answer has a `Date` that can be read
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1
 */
export function measureClockOffset(answers: readonly DatedAnswer[]): ClockOffset | undefined {
  let offset: ClockOffset | undefined;
  for (const { date, sentAt, ms } of answers) {
    const at = Date.parse(date);
    if (Number.isNaN(at)) continue;
    const measured = { min: at - (sentAt + ms), max: at + RESOLUTION - sentAt };
    const both = offset && {
      min: Math.max(offset.min, measured.min),
      max: Math.min(offset.max, measured.max),
    };
    // Where they contradict each other a clock was set meanwhile: the last word counts.
    offset = both === undefined || both.min > both.max ? measured : both;
  }
  return offset;
}

/** Says how far the server's clock is off; undefined where the clocks may well agree. */
export function describeClockOffset({ min, max }: ClockOffset): string | undefined {
  if (min <= 0 && max >= 0) return undefined;
  const [least, most] = [Math.min(Math.abs(min), Math.abs(max)), Math.max(Math.abs(min), Math.abs(max))];
  return `${(least / 1000).toFixed(1)} to ${(most / 1000).toFixed(1)} s ${min > 0 ? 'ahead of' : 'behind'} ours`;
}
