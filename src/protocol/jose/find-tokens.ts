import { parseJson } from '../../exact-json.ts';
import { isTooDeep } from '../../json-scan.ts';
import { repairJwt, unwrapToken } from './jwt-repair.ts';

/** A token that was found. */
export interface FoundToken {
  /** The JSON member or parameter that holds it. */
  readonly name?: string;
  readonly token: string;
  /** Whether disclosures followed it, which are not part of the token here. */
  readonly isSdJwt?: boolean;
  /** What was repaired in it, in a few words each. */
  readonly repairs?: readonly string[];
}

/** A JWS or JWE in compact serialization, also one that is cut short after its first part. */
const WHOLE_JWT = /^eyJ[\w-]+(?:\.[\w-]*){0,4}$/;
/** Also one whose header has white space after `{`: base64url of `{` begins with `e` and one of these characters. */
const DOTTED_JWT = /^e[w-z0-9][\w-]*(?:\.[\w-]*){1,4}$/;
/** In running text, where a text without a dot may be any word. */
const EVERY_JWT = /(?<![\w.-])eyJ[\w-]+(?:\.[\w-]*){1,4}/g;
/** A token that was shortened for display. */
const SHORTENED = /(?:\.\.\.|…)$/;

/** Members and parameters that hold a token of whatever kind, opaque ones included. */
const TOKEN_NAME = /^(?:.*_)?token$/;

/** Levels of a JSON document in which tokens are looked for. */
const DEEPEST = 16;

/**
 * Finds the tokens in a text that a user gives: the token itself, `Bearer …`, a token response or other JSON, a JWS in
 * JSON serialization, an SD-JWT, a URL, a form, a header, or any text with JWTs in it.
 * @returns in the order of the text; none where nothing looks like a token
 */
export function findTokens(text: string): readonly FoundToken[] {
  const unwrapped = unwrapToken(text);
  const trimmed = unwrapped.text;
  if (SHORTENED.test(trimmed)) return [];
  const issued = trimmed.split('~', 1)[0] ?? '';
  const sdJwt = issued === trimmed ? {} : { isSdJwt: true };
  const repaired = repairJwt(issued);
  if (repaired !== undefined)
    return [{ ...withRepairs(repaired.text, [...unwrapped.repairs, ...repaired.repairs]), ...sdJwt }];
  if (WHOLE_JWT.test(issued) || DOTTED_JWT.test(issued))
    return [{ ...withRepairs(issued, unwrapped.repairs), ...sdJwt }];
  if (/^[[{]/.test(trimmed) && isTooDeep(trimmed)) return [];
  const json = readJson(trimmed);
  if (json !== undefined) return uniqueBy(inJson(json, undefined, 0), readToken);
  const parameters = parsePairs(trimmed);
  const named = parameters.filter(([name, value]) => isToken(name, value));
  if (named.length > 0)
    return uniqueBy(
      named.map(([name, token]) => ({ name, token })),
      readToken,
    );
  return uniqueBy(
    Array.from(trimmed.matchAll(EVERY_JWT), ([token]) => ({ token })),
    readToken,
  );
}

function withRepairs(token: string, repairs: readonly string[]): FoundToken {
  return { token, ...(repairs.length > 0 && { repairs }) };
}

function readJson(text: string): unknown {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function inJson(value: unknown, name: string | undefined, depth: number): FoundToken[] {
  if (depth > DEEPEST) return [];
  if (typeof value === 'string') {
    const named = name === undefined ? {} : { name };
    const repaired = repairJwt(value.trim());
    if (repaired !== undefined) return [{ ...named, ...withRepairs(repaired.text, repaired.repairs) }];
    if (name !== undefined && isToken(name, value)) return [{ name, token: value }];
    return WHOLE_JWT.test(value) ? [{ ...named, token: value }] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  const serialized = fromJsonSerialization(value as Readonly<Record<string, unknown>>);
  if (serialized !== undefined) return serialized;
  const entries = Array.isArray(value)
    ? value.map((item) => [name, item] as const)
    : Object.entries(value as object);
  return entries.flatMap(([member, item]) => inJson(item, member, depth + 1));
}

/** @see https://www.rfc-editor.org/rfc/rfc7515#section-7.2 */
function fromJsonSerialization(value: Readonly<Record<string, unknown>>): FoundToken[] | undefined {
  const { payload, signature, signatures } = value;
  if (typeof payload !== 'string') return undefined;
  const all: unknown[] = Array.isArray(signatures) ? signatures : signature === undefined ? [] : [value];
  const tokens = all.flatMap((one) => {
    const { protected: header, signature: bytes } = (one ?? {}) as Readonly<Record<string, unknown>>;
    return typeof header === 'string' && typeof bytes === 'string'
      ? [{ token: `${header}.${payload}.${bytes}` }]
      : [];
  });
  return tokens.length > 0 ? tokens : undefined;
}

/** Parameters of a URL, in its query and its fragment, or of a form. */
export function parsePairs(text: string): readonly (readonly [string, string])[] {
  if (/\s/.test(text) || !text.includes('=')) return [];
  const parts = /^[a-z][\w+.-]*:/i.test(text) || text.startsWith('/') ? text.split(/[?#]/).slice(1) : [text];
  return parts.flatMap((part) => [...new URLSearchParams(part)]);
}

/** A parameter by a token's name may be opaque; by any other name it must look like a JWT. */
function isToken(name: string, value: string): boolean {
  if (WHOLE_JWT.test(value)) return true;
  return value !== '' && TOKEN_NAME.test(name);
}

const readToken = ({ token }: FoundToken): string => token;

/** Keeps the first of the items that have the same key. */
export function uniqueBy<Item>(items: readonly Item[], readKey: (item: Item) => string): readonly Item[] {
  const first = new Map<string, Item>();
  for (const item of items) {
    const key = readKey(item);
    if (!first.has(key)) first.set(key, item);
  }
  return [...first.values()];
}
