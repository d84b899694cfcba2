import { UsageError } from '../../errors.ts';
import { parseJson } from '../../exact-json.ts';
import { parsePairs, uniqueBy } from './find-tokens.ts';
import { joinJwt, type Repaired, unwrapToken } from './jwt-repair.ts';
import { describeShape } from './token-shape.ts';

/** The token that an argument gives. */
export interface PickedToken {
  readonly token: string;
  /** The member or parameter that held it, in snake_case, where it was in a token response or similar. */
  readonly name?: string | undefined;
  /** What was repaired, in a few words each. */
  readonly repairs: readonly string[];
}

interface Candidate {
  readonly name: string;
  readonly token: string;
}

/** Names of members that do not say which kind of token they hold. */
const UNSPECIFIC = ['token', 'jwt', 'bearer', 'bearer_token'];

/** What programs print in place of a token: jq, JavaScript, Python, masks, and variables that were not expanded. */
const NO_TOKEN =
  /^(?:null|undefined|none|nil|nan|true|false|bearer|dpop|\*+|\.+|\$\{?\w+\}?|%\w+%|\{\{.*\}\}|<.*>|\[object object\])$/i;

/** Levels of a JSON document in which a token is looked for. */
const DEEPEST = 8;

/**
 * Picks the one token that a text holds: the token itself, `Bearer …`, in quotes, broken over lines, or by its name in
 * a token response, another JSON document, a form or a URL. A token of another name is never taken in its place. A JWT
 * keeps its encoding, so that it is sent as it was given.
 * @param wanted the accepted names, by preference; such as `access_token`, `refresh_token`, `id_token`
 * @param place where the text is from, for errors
 * @throws UsageError `token_empty`; `token_unfit` where there are only tokens of other names; `token_ambiguous` where
 *   there are several; `token_invalid` for what can be no token
 */
export function pickToken(text: string, wanted: readonly string[], place: string): PickedToken {
  const unwrapped = unwrapToken(text);
  if (unwrapped.text === '') throw new UsageError('token_empty', `there is no token in ${place}`);
  const jwt = joinJwt(unwrapped.text);
  if (jwt !== undefined) return picked(jwt, unwrapped.repairs);
  const candidates = listCandidates(unwrapped.text);
  if (candidates !== undefined) {
    const { name, token } = pickCandidate(candidates, wanted, place, unwrapped.text);
    const inner = unwrapToken(token);
    return { ...picked(joinJwt(inner.text) ?? checkOpaque(inner, place), unwrapped.repairs), name };
  }
  return picked(checkOpaque(unwrapped, place), []);
}

function picked({ text, repairs }: Repaired, before: readonly string[]): PickedToken {
  return { token: text, repairs: [...before, ...repairs] };
}

/** Lists the named tokens in the text; undefined where it has no names. */
function listCandidates(text: string): readonly Candidate[] | undefined {
  if (/^[[{]/.test(text)) {
    try {
      return uniqueBy(listInJson(parseJson(text), '', 0), identify);
    } catch {
      return undefined;
    }
  }
  const pairs = parsePairs(text).map(([name, token]) => ({ name: toSnakeCase(name), token }));
  const named = pairs.filter(({ name }) => isTokenName(name));
  return named.length > 0 ? uniqueBy(named, identify) : undefined;
}

function listInJson(value: unknown, name: string, depth: number): readonly Candidate[] {
  if (depth > DEEPEST) return [];
  if (typeof value === 'string') {
    const isToken = value !== '' && (isTokenName(name) || joinJwt(value) !== undefined);
    return isToken ? [{ name, token: value }] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([member, item]) =>
    listInJson(item, Array.isArray(value) ? name : toSnakeCase(member), depth + 1),
  );
}

function pickCandidate(
  candidates: readonly Candidate[],
  wanted: readonly string[],
  place: string,
  text: string,
): Candidate {
  for (const names of [...wanted.map((name) => [name]), UNSPECIFIC]) {
    const [first, ...others] = candidates.filter(({ name }) => names.includes(name));
    if (first === undefined) continue;
    if (others.length > 0) throw ambiguous(place, others.length + 1);
    return first;
  }
  const named = candidates.filter(({ name }) => isTokenName(name));
  if (named.length > 0) {
    const [best = 'token'] = wanted;
    throw new UsageError('token_unfit', `there is no ${best} in ${place}`, {
      hint: `It holds ${[...new Set(named.map(({ name }) => name))].join(', ')}, which is not used instead.`,
    });
  }
  const [only, ...others] = candidates;
  if (only === undefined) throw invalid(text, place);
  if (others.length > 0) throw ambiguous(place, others.length + 1);
  return only;
}

/** @throws UsageError `token_invalid`, `token_ambiguous` */
function checkOpaque(unwrapped: Repaired, place: string): Repaired {
  const { text } = unwrapped;
  const words = text.split(/\s+/);
  if (words.length > 1 && words.every((word) => joinJwt(word) !== undefined))
    throw ambiguous(place, words.length);
  // No token has spaces, control characters, characters outside ASCII, quotes, braces or angle brackets.
  const isPrintable = /^[\x21-\x7e]+$/.test(text) && !/["{}<>]/.test(text);
  if (!isPrintable || NO_TOKEN.test(text) || describeShape(text).isNoToken) throw invalid(text, place);
  return unwrapped;
}

function isTokenName(name: string): boolean {
  return UNSPECIFIC.includes(name) || /(?:^|_)(?:token|assertion)$/.test(name) || name === 'code';
}

/** `accessToken`, `AccessToken` and `access-token` are `access_token`. */
function toSnakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

const identify = ({ name, token }: Candidate): string => `${name}\n${token}`;

function ambiguous(place: string, count: number): UsageError {
  return new UsageError(
    'token_ambiguous',
    `there are ${count} tokens in ${place}, but exactly one is required`,
    {
      hint: 'Give one of them only.',
    },
  );
}

function invalid(text: string, place: string): UsageError {
  const { looksLike, hint } = describeShape(text);
  const isBroken = /\s/.test(text) && looksLike.startsWith('no token');
  const what = NO_TOKEN.test(text)
    ? `it says "${text}"`
    : isBroken
      ? 'it has spaces or line breaks, and is no JWT'
      : `it looks like ${looksLike}`;
  return new UsageError('token_invalid', `there is no token in ${place}: ${what}`, {
    hint: hint ?? 'Give the token itself, -, @FILE, or @last.access_token (refresh_token, id_token).',
  });
}
