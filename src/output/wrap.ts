/** Columns below which nothing is wrapped: a narrower terminal breaks lines by itself. */
export const NARROWEST = 40;

/** Measures a text that is not ASCII; undefined as long as loadCellWidths was not called. */
let measure: ((text: string) => number) | undefined;

/** Loads the table of wide characters. It takes longer than the rest of a start, and only a terminal needs it. */
export async function loadCellWidths(): Promise<void> {
  measure ??= (await import('string-width')).default;
}

/**
 * The cells that a text takes on a terminal: wide characters take two, colours and combining marks none. Before
 * loadCellWidths every character counts as one.
 */
export function countCells(text: string): number {
  // Most texts are ASCII, whose width needs no table.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return measure?.(text) ?? [...text].length;
}

/** Fills a text with spaces up to so many cells. */
export function padCells(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - countCells(text)));
}

/**
 * Breaks a text into lines at spaces. A word that is longer than a line stays whole, so that an address can be copied.
 * @param width cells of a line; undefined breaks at line breaks alone
 */
export function wrapText(text: string, width: number | undefined): string[] {
  return text.split('\n').flatMap((line) => (width === undefined ? [line] : wrapLine(line, width)));
}

function wrapLine(text: string, width: number): string[] {
  if (countCells(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  // Spaces stay with the word before them: two of them separate parameters.
  for (const part of text.match(/\S+\s*|\s+/g) ?? []) {
    if (line !== '' && countCells(line + part.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += part;
  }
  lines.push(line.trimEnd());
  return lines;
}

/**
 * Breaks a text at words, with every line after the first indented.
 * @param columns of the terminal; undefined breaks nothing
 * @param indent cells before the lines that follow
 * @param first cells that stand before the first line already
 */
export function wrapHanging(text: string, columns: number | undefined, indent: number, first = 0): string {
  const width = textWidth(columns, Math.max(indent, first));
  return wrapText(text, width).join(`\n${' '.repeat(indent)}`);
}

/** The cells that are left for text beside an indentation; undefined where nothing is wrapped. */
export function textWidth(columns: number | undefined, indent: number): number | undefined {
  return columns === undefined || columns < NARROWEST ? undefined : Math.max(columns - indent, 20);
}
