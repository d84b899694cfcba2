// Walks over the text of JSON without parsing it.

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const BACKSLASH = 0x5c;

/** Levels of objects and arrays that are read; code that walks through deeper ones can overflow the stack. */
export const DEEPEST = 256;

/**
 * Finds where a string ends.
 * @param start the position of its opening quote
 * @returns the position of its closing quote; the length of the text if there is none
 */
export function findStringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) return at;
    if (character === BACKSLASH) at += 1;
  }
  return text.length;
}

/** Says whether objects and arrays are nested deeper than DEEPEST levels. */
export function isTooDeep(text: string): boolean {
  if (text.length < 2 * DEEPEST) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = findStringEnd(text, at);
    else if (character === OPEN_OBJECT || character === OPEN_ARRAY) depth += 1;
    else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}
