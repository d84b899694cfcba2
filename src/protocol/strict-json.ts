import { parseJson } from '../exact-json.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  findStringEnd,
  isTooDeep,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from '../json-scan.ts';
import { type JsonObject, parseJsonObject } from './json.ts';

/** Levels of nested objects and arrays; deeper claims are an attack on programs that walk them. */
export const DEEPEST_JSON = 32;

/** A flaw that `JSON.parse` would not report, or that there is no JSON object. */
export type JsonFlaw =
  | { readonly kind: 'not_json' }
  | { readonly kind: 'too_deep' }
  | { readonly kind: 'duplicate_member'; readonly member: string };

export interface StrictJson {
  /** Undefined if it is not a JSON object or nested too deep; of members with the same name it has the last. */
  readonly json?: JsonObject;
  readonly flaw?: JsonFlaw;
}

/**
 * Parses a JSON object and finds members that occur twice, which parsers read differently.
 * @param mayRepeat whether a member may occur twice with the same string, which every parser reads in the same way
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-2.4
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4
 */
export function parseStrictJson(text: string, mayRepeat = false): StrictJson {
  // JSON does not allow a byte order mark, and signed content is not repaired.
  const json = text.startsWith('\ufeff') ? undefined : parseJsonObject(text);
  if (json === undefined) return { flaw: { kind: isTooDeep(text) ? 'too_deep' : 'not_json' } };
  const flaw = findFlaw(text, mayRepeat);
  if (flaw === undefined) return { json };
  return flaw.kind === 'too_deep' ? { flaw } : { json, flaw };
}

/** @param text valid JSON */
function findFlaw(text: string, mayRepeat: boolean): JsonFlaw | undefined {
  // For each open object its names and where they end; undefined for an array.
  const open: (Map<string, number> | undefined)[] = [];
  let isName = false;
  let duplicate: JsonFlaw | undefined;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = findStringEnd(text, at);
        if (isName) {
          const member = nameBetween(text, at, end);
          const names = open.at(-1);
          const before = names?.get(member);
          if (before !== undefined && !(mayRepeat && isSameString(text, before, end))) {
            duplicate ??= { kind: 'duplicate_member', member };
          }
          names?.set(member, end);
          isName = false;
        }
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        isName = text.charCodeAt(at) === OPEN_OBJECT;
        open.push(isName ? new Map() : undefined);
        if (open.length > DEEPEST_JSON) return { kind: 'too_deep' };
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        isName = false;
        break;
      case COMMA:
        isName = open.at(-1) !== undefined;
        break;
    }
  }
  return duplicate;
}

/** Says whether the values of two names are the same string, written in the same way. */
function isSameString(text: string, one: number, other: number): boolean {
  const value = stringAfter(text, one);
  return value !== undefined && value === stringAfter(text, other);
}

/** Returns the string value of the name that ends there, as it is written. */
function stringAfter(text: string, endOfName: number): string | undefined {
  // Other values, or white space before the value, make the repetition a flaw.
  const start = text.indexOf(':', endOfName) + 1;
  return text.charCodeAt(start) === QUOTE ? text.slice(start, findStringEnd(text, start)) : undefined;
}

/** Escapes are resolved: `"\u0061lg"` is `alg`. */
function nameBetween(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? String(parseJson(text.slice(start, end + 1))) : raw;
}
