/**
 * Removes characters from the end of a text. A pattern such as `/0+$/` would start anew at each of them in the middle of
 * the text, and its time would grow with the square.
 * @param characters each that is removed
 */
export function trimTrailing(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
