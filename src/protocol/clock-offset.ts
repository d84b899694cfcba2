/** An answer with a `Date` header, and when it was requested. */
export interface DatedAnswer {
  /** The header's value. */
  readonly date: string;
  /** When the request was sent by our clock, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** Milliseconds until the answer was received. */
  readonly ms: number;
}

/** The bounds of how many milliseconds the server's clock is ahead of ours; negative if it is behind. */
export interface ClockOffset {
  readonly min: number;
  readonly max: number;
}

/** Milliseconds: `Date` has a resolution of one second. */
const RESOLUTION = 1000;

/**
 * Measures the offset of the server's clock; more answers make it more exact.
 * @returns undefined if no answer has a readable `Date`
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
    // Contradicting bounds mean that a clock was set in between: the last answer counts.
    offset = both === undefined || both.min > both.max ? measured : both;
  }
  return offset;
}

/** Describes the offset of the server's clock; undefined if the clocks may agree. */
export function describeClockOffset({ min, max }: ClockOffset): string | undefined {
  if (min <= 0 && max >= 0) return undefined;
  const [least, most] = [Math.min(Math.abs(min), Math.abs(max)), Math.max(Math.abs(min), Math.abs(max))];
  return `${(least / 1000).toFixed(1)} to ${(most / 1000).toFixed(1)} s ${min > 0 ? 'ahead of' : 'behind'} ours`;
}
