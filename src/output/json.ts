import { UsageError } from '../errors.ts';

/** Renders a result for `--json`. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Picks one raw value for `--field`: strings without quotes, anything else as JSON.
 * @param path member names and array indexes joined by dots
 * @throws UsageError `field_unknown` that names the members there are
 */
export function renderField(value: unknown, path: string): string {
  let current = value;
  for (const name of path.split('.')) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, name)) {
      const names = current !== null && typeof current === 'object' ? Object.keys(current).join(', ') : '';
      throw new UsageError('field_unknown', `the result has no "${path}"`, {
        hint: names ? `There are: ${names}.` : undefined,
      });
    }
    current = (current as Record<string, unknown>)[name];
  }
  return `${typeof current === 'string' ? current : JSON.stringify(current)}\n`;
}
