import { REGISTERED_ERRORS } from '../../refusal-codes.ts';
import { type PageLine, readPageLines } from '../page-text.ts';
import { findStatusWord, type StatedRefusal } from './refusal-forms.ts';

/** The elements that hold the message of an error page, the more specific first; all marks of an entry must match. */
const MESSAGE_PLACES: readonly (readonly string[])[] = [
  // Keycloak
  ['#kc-error-message', '.instruction'],
  ['#kc-error-message'],
  ['role=alert'],
  ['.alert-danger'],
  ['.alert-error'],
  ['.error-message'],
  ['.error'],
];

/** Characters of the message that are kept. */
const LONGEST_TEXT = 300;

/**
 * Reads a refusal from an HTML error page, in the words of the server.
 * @param html the page
 * @param status of the answer, whose reason phrase is the `error` if the page has no error code
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 a server that refuses the redirect URI shows such a page
 */
export function readErrorPage(html: string, status: number): StatedRefusal {
  const all = readPageLines(html);
  const place = MESSAGE_PLACES.find((marks) => all.some((line) => isAt(line, marks)));
  const lines = place === undefined ? all : all.filter((line) => isAt(line, place));
  const texts = lines.map(({ text }) => text);
  const error = findNamed(texts, ERROR_LABEL);
  const description = findNamed(texts, DESCRIPTION_LABEL);
  if (error !== undefined && /^[\w.:-]+$/.test(error)) {
    return { error, error_description: description === undefined ? undefined : cutText(description) };
  }
  return readErrorText(description ?? texts.join(' '), status);
}

/**
 * Reads a refusal from a text: an error code in it, such as Spring's `[invalid_request] OAuth 2.0 Parameter: client_id`.
 * @param status of the answer, whose reason phrase is the `error` if the text has no error code
 */
export function readErrorText(text: string, status: number): StatedRefusal {
  const [, bracketed, afterBracket] = /\[([a-z]+(?:_[a-z]+)+)\] ?([^[\]]{1,300})/.exec(text) ?? [];
  if (bracketed !== undefined && CODES.has(bracketed))
    return { error: bracketed, error_description: cutText(afterBracket ?? '') };
  const words: readonly string[] = text.match(/[a-z_]{5,50}/g) ?? [];
  return {
    error: words.find((word) => CODES.has(word)) ?? findStatusWord(status),
    error_description: text === '' ? undefined : cutText(text),
  };
}

/** Codes of one word are not used, because any text may contain them. */
const CODES: ReadonlySet<string> = new Set(REGISTERED_ERRORS.filter((code) => code.includes('_')));

const ERROR_LABEL = /^error(?: code)?$/i;
const DESCRIPTION_LABEL = /^(?:error[_ ])?(?:description|message)$/i;

/** The value of `label: value` on one line, or on the line after a label. */
function findNamed(texts: readonly string[], label: RegExp): string | undefined {
  for (const [index, text] of texts.entries()) {
    const colon = text.indexOf(':');
    const name = colon < 0 ? text : text.slice(0, colon);
    if (!label.test(name.trim())) continue;
    const value = colon < 0 ? texts[index + 1] : text.slice(colon + 1).trim() || texts[index + 1];
    if (value !== undefined) return value;
  }
  return undefined;
}

function isAt({ marks }: PageLine, place: readonly string[]): boolean {
  return place.every((mark) => marks.includes(mark));
}

function cutText(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return trimmed.length > LONGEST_TEXT ? `${trimmed.slice(0, LONGEST_TEXT)}…` : trimmed;
}
