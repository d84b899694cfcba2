/** Renders a duration in words: `9 min 51 s`, `2 h`, `3 days 4 h`; the two largest units. */
export function inWords(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}${name === 'day' && count > 1 ? 's' : ''}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

/** The end of the year 9999, in seconds since 1970; a later time is in milliseconds by mistake. */
const LATEST_TIME = 253_402_300_799;

/** Returns whether a value is a time in seconds since 1970. @see https://www.rfc-editor.org/rfc/rfc7519#section-2 */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LATEST_TIME;
}

/** Describes a value that should be a time in seconds since 1970; undefined if it is not a number. */
export function describeTime(value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (isTime(value)) return formatTime(value);
  const wrong = 'not a time in seconds since 1970';
  return isTime(value / 1000) ? `${wrong}; as milliseconds it is ${formatTime(value / 1000)}` : wrong;
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
