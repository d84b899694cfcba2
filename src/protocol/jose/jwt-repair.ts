// Repairs what copying, terminals and files do to a token. The signature is verified over the repaired token, byte for
// byte.
import { parseJson } from '../../exact-json.ts';
import { parseJsonObject } from '../json.ts';

/** A text, and the repairs that were made to it, in a few words each; empty where there were none. */
export interface Repaired {
  readonly text: string;
  readonly repairs: readonly string[];
}

const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '‘': '’',
};

/** The parts of a JWT, padded or in base64 rather than base64url. `{` is encoded as `e` and one of these characters. */
const LOOSE_JWT = /^e[w-z0-9][\w+/-]*={0,2}(?:\.[\w+/-]*={0,2}){2}(?:(?:\.[\w+/-]*={0,2}){2})?$/;

/**
 * Removes what surrounds a token: a byte order mark, white space, quotes, the header name and the scheme of an
 * `Authorization` header, a comma or semicolon after it.
 */
export function unwrapToken(text: string): Repaired {
  let rest = text;
  for (let pass = 0; pass < MOST_WRAPPERS; pass += 1) {
    const before = rest;
    // The byte order mark is white space to trim().
    rest = trimEscapes(rest.trim()).trim();
    rest = unquote(rest);
    rest = rest.replace(/^(?:authorization\s*:\s*)?(?:bearer|dpop)\s+(?=\S)/i, '');
    if (/^[\w.~+/=-]+[,;]$/.test(rest)) rest = rest.slice(0, -1);
    if (rest === before) break;
  }
  const repairs = text.startsWith('\ufeff') ? ['a byte order mark before it was removed'] : [];
  return { text: rest, repairs };
}

/** A text can be made of nothing but wrappers, each of which takes one pass over it. */
const MOST_WRAPPERS = 16;

/** Removes line ends that are written as `\r` and `\n` from both ends. */
function trimEscapes(text: string): string {
  const isEscape = (at: number) => text.startsWith('\\n', at) || text.startsWith('\\r', at);
  let start = 0;
  let end = text.length;
  while (isEscape(start)) start += 2;
  while (end - start >= 2 && isEscape(end - 2)) end -= 2;
  return text.slice(start, end);
}

/** Removes quotes; of a JSON string the escapes as well. */
function unquote(text: string): string {
  const quoted = text.replace(/[,;]$/, '');
  const closing = QUOTES[quoted.charAt(0)];
  if (closing === undefined || quoted.length < 2 || !quoted.endsWith(closing)) return text;
  const inside = quoted.slice(1, -1);
  if (!inside.includes(closing) && !inside.includes('\\')) return inside;
  try {
    return closing === '"' ? String(parseJson(quoted)) : text;
  } catch {
    return inside.includes(closing) ? text : inside;
  }
}

/**
 * Reads a text that is one JWT, in whatever encoding: joins one that is broken over lines.
 * @returns undefined for anything else, several JWTs included
 */
export function joinJwt(text: string): Repaired | undefined {
  const joined = text.replace(/\\\r?\n|\\r|\\n|\s/g, '');
  if (!LOOSE_JWT.test(joined)) return undefined;
  if (joined === text) return { text, repairs: [] };
  if (!isOneJwt(joined.split('.'))) return undefined;
  return { text: joined, repairs: ['it was broken by white space, which was removed'] };
}

/**
 * As joinJwt, and writes one in base64url that is padded or in base64.
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-2
 */
export function repairJwt(text: string): Repaired | undefined {
  const joined = joinJwt(text);
  if (joined === undefined) return undefined;
  const repairs = [...joined.repairs];
  if (joined.text.includes('=')) repairs.push('its parts were padded with "=", which was removed');
  if (/[+/]/.test(joined.text)) repairs.push('it was in base64, and is read as base64url');
  return { text: joined.text.replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_'), repairs };
}

/** Two signed JWTs that follow each other have five parts when they are joined, as an encrypted JWT has. */
function isOneJwt([header = '', ...others]: readonly string[]): boolean {
  const json = parseJsonObject(Buffer.from(header, 'base64url').toString('utf8'));
  return json !== undefined && others.length === (json.enc === undefined ? 2 : 4);
}
