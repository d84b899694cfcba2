/**
 * Makes text of another party safe to show: control characters, which could change the screen, are escaped. With
 * `multiline`, line breaks are kept.
 */
export function printable(text: string, multiline = false): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isControl =
      code < 0x20 ||
      (code >= 0x7f && code <= 0x9f) ||
      // Line separators of Unicode, and characters that change the direction of text.
      (code >= 0x2028 && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069);
    if (!isControl || (multiline && (character === '\n' || character === '\t'))) return character;
    return `\\x${code.toString(16).padStart(2, '0')}`;
  }).join('');
}
