/** Control characters, line separators of Unicode, and characters that change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** As UNPRINTABLE, without what JSON escapes by itself. */
const UNPRINTABLE_IN_JSON = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Makes JSON safe to show on a terminal. It is the same JSON: characters that could change the screen are `\\u` escapes. */
export function printableJson(json: string): string {
  return json.replace(
    UNPRINTABLE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Makes text of another party safe to show: characters that could change the screen are escaped. With `multiline`, line
 * breaks and tabs are kept.
 */
export function printable(text: string, multiline = false): string {
  return text.replace(UNPRINTABLE, (character) =>
    multiline && (character === '\n' || character === '\t')
      ? character
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
