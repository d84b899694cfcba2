/** Below this number of columns nothing is wrapped; the terminal breaks the lines. */
export const NARROWEST = 40;

/** Measures a text that is not ASCII; undefined before loadCellWidths was called. */
let measure: ((text: string) => number) | undefined;

/** Loads the table of wide characters. It is slow, and needed for a terminal only. */
export async function loadCellWidths(): Promise<void> {
  measure ??= (await import('string-width')).default;
}

/**
 * Counts the cells of a text on a terminal: wide characters take two, colours and combining marks none. Before
 * loadCellWidths every character counts as one.
 */
export function countCells(text: string): number {
  // Most texts are ASCII, whose width needs no table.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return measure?.(text) ?? [...text].length;
}

/** Pads a text with spaces to a number of cells. */
export function padCells(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - countCells(text)));
}

/**
 * Breaks a text into lines at spaces. A word that is longer than a line is not broken, so that a URL can be copied.
 * @param width cells of a line; undefined keeps the lines of the text
 */
export function wrapText(text: string, width: number | undefined): string[] {
  return text.split('\n').flatMap((line) => (width === undefined ? [line] : wrapLine(line, width)));
}

function wrapLine(text: string, width: number): readonly string[] {
  if (countCells(text) <= width) return [text];
  return wrapParts(text.match(/\S+\s*|\s+/g) ?? [], width);
}

/**
 * Joins parts to lines. A part that is longer than a line has a line of its own and is not broken.
 * @param parts each with the spaces that follow it; those at the end of a line are left out
 * @param width cells of a line, indentation included
 * @param indent spaces before every line after the first
 */
export function wrapParts(parts: readonly string[], width: number, indent = 0): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line.trim() !== '' && countCells(line + part.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = ' '.repeat(indent);
    }
    line += part;
  }
  return [...lines, line.trimEnd()];
}

/**
 * Wraps a text at words, and indents every line after the first.
 * @param columns of the terminal; undefined wraps nothing
 * @param indent cells before the following lines
 * @param first cells that are already used on the first line
 */
export function wrapHanging(text: string, columns: number | undefined, indent: number, first = 0): string {
  const width = textWidth(columns, Math.max(indent, first));
  return wrapText(text, width).join(`\n${' '.repeat(indent)}`);
}

/** Returns the cells that are left for text beside an indentation; undefined if nothing is wrapped. */
export function textWidth(columns: number | undefined, indent: number): number | undefined {
  return columns === undefined || columns < NARROWEST ? undefined : Math.max(columns - indent, 20);
}
