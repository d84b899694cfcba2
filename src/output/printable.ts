/** Control characters, line separators of Unicode, and characters that change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

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
