/**
 * Reads a Retry-After header.
 * @param value whole seconds or an HTTP date; undefined when the header is absent
 * @param now milliseconds since the epoch
 * @returns milliseconds to wait from now, never negative; undefined when absent or unreadable
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value.trim()) * 1000;
  // Date.parse accepts other formats; an HTTP date begins with the name of the day.
  const at = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
