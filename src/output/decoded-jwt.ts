import { stringifyJson } from '../exact-json.ts';
import { describeTime, inWords, isTime } from './duration.ts';
import { printable } from './printable.ts';
import type { Paint } from './style.ts';

/** One member of a header or of claims, with its meaning if it is known. */
export interface ShownMember {
  readonly name: string;
  readonly value: unknown;
  /** The text of a number, unchanged. */
  readonly text?: string | undefined;
  readonly meaning?: string | undefined;
  /** Whether the value is a number of seconds since 1970. */
  readonly isTime?: boolean;
}

/** One decoded token, for people. */
export interface ShownJwt {
  /** For example `access_token · JWS RS256`. */
  readonly title: string;
  readonly sections: readonly { readonly name: string; readonly members: readonly ShownMember[] }[];
  /** A payload that is not a set of claims. */
  readonly payload?: string | undefined;
}

const NAME_WIDTH = 20;

/** Renders decoded tokens for people: what each member holds, times in words, and what it means. @param now milliseconds since the epoch */
export function renderDecoded(
  tokens: readonly ShownJwt[],
  { paint, now }: { readonly paint: Paint; readonly now: number },
): string {
  return tokens.map((token) => renderOne(token, paint, now)).join('\n');
}

function renderOne({ title, sections, payload }: ShownJwt, paint: Paint, now: number): string {
  const lines = [paint.bold(printable(title))];
  for (const { name, members } of sections) {
    lines.push(`  ${name}`);
    for (const { name: member, value, text, meaning, isTime } of members) {
      const shown = isTime ? renderTime(member, value, text, now) : renderValue(value, text);
      const suffix = meaning === undefined ? '' : paint.dim(`  ${meaning}`);
      lines.push(`    ${printable(member).padEnd(NAME_WIDTH)} ${shown}${suffix}`);
    }
  }
  if (payload !== undefined) lines.push('  payload', `    ${printable(payload)}`);
  return `${lines.join('\n')}\n`;
}

function renderTime(name: string, value: unknown, text: string | undefined, now: number): string {
  const described = describeTime(value) ?? 'not a time in seconds since 1970';
  if (!isTime(value)) return `${renderValue(value, text)} (${described})`;
  const left = value - now / 1000;
  const words = left > 0 ? `in ${inWords(left)}` : `${inWords(-left)} ago`;
  return `${text ?? value} (${described}, ${name === 'exp' && left <= 0 ? `expired ${words}` : words})`;
}

function renderValue(value: unknown, text: string | undefined): string {
  return printable(typeof value === 'string' ? value : (text ?? stringifyJson(value)));
}
