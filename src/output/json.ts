import { UsageError } from '../errors.ts';
import { findMember, stringifyJson, stringifyMember } from '../exact-json.ts';

/** Renders a result for `--json`; numbers keep their text. */
export function renderJson(value: unknown): string {
  return `${stringifyJson(value, 2)}\n`;
}

/**
 * Picks one raw value for `--field`: strings without quotes, anything else as JSON.
 * @param path names and indexes joined by dots; a name that contains dots as `["name"]`
 * @throws UsageError `field_unknown`, which lists the members
 */
export function renderField(value: unknown, path: string): string {
  const found = findMember(value, path);
  if (found === undefined) {
    const names = listNamesAt(value, path);
    const example = names.find((name) => name.includes('.'));
    const brackets = example === undefined ? '' : ` A name with dots is written ["${example}"].`;
    throw new UsageError('field_unknown', `the result has no "${path}"`, {
      hint: names.length > 0 ? `There are: ${names.join(', ')}.${brackets}` : undefined,
    });
  }
  const { holder, name } = found;
  const picked = (holder as Readonly<Record<string, unknown>>)[name];
  return `${typeof picked === 'string' ? picked : stringifyMember(holder, name)}\n`;
}

/** Lists the members of the deepest object on the path that exists. */
function listNamesAt(value: unknown, path: string): readonly string[] {
  const list = (one: unknown) => (one !== null && typeof one === 'object' ? Object.keys(one) : []);
  for (let at = path.length - 1; at > 0; at -= 1) {
    if (!/[.[]/.test(path.charAt(at))) continue;
    const found = findMember(value, path.slice(0, at));
    if (found !== undefined) return list((found.holder as Readonly<Record<string, unknown>>)[found.name]);
  }
  return list(value);
}
