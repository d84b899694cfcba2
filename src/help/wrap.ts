import { wrapParts } from '../output/wrap.ts';

/** The smallest width; a narrower terminal wraps the lines itself. */
const NARROWEST = 60;
/** The largest width; longer lines are hard to read. */
const WIDEST = 120;
/** The width if the output is not a terminal. */
const USUAL = 80;

/** Chooses the width of the lines. @param columns of the terminal; undefined if there is none */
export function chooseWidth(columns: number | undefined): number {
  return Math.min(WIDEST, Math.max(NARROWEST, columns ?? USUAL));
}

/**
 * Breaks a text into lines at its spaces.
 * @param width the longest line, indentation included
 * @param indent the spaces before every line after the first
 */
export function wrapHelpText(text: string, width: number, indent = 0): readonly string[] {
  return wrapParts(
    text.split(/\s+/).map((word) => `${word} `),
    width,
    indent,
  );
}

/** Breaks a command line at its unquoted spaces, so that the lines can be pasted into a shell. */
export function wrapCommandLine(text: string, width: number, indent: number): readonly string[] {
  const words = text.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+\s*/g) ?? [];
  const lines = wrapParts(words, width - ' \\'.length, indent);
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/**
 * Renders rows of two columns, the second one wrapped. A first column that is too long has a line of its own.
 * @param widest how wide the first column may become, indentation and gap included
 */
export function renderRows(
  rows: readonly (readonly [first: string, second: string])[],
  width: number,
  widest: number,
): readonly string[] {
  const fitting = rows.map(([first]) => first.length + 4).filter((length) => length <= widest);
  const column = Math.max(0, ...fitting);
  return rows.flatMap(([first, second]) => {
    const head = `  ${first}`;
    if (second === '') return [head];
    // A word that does not fit beside the column moves the whole text to the left.
    const longest = Math.max(...second.split(/\s+/).map((word) => word.length));
    const start = Math.max(4, Math.min(column, width - longest));
    const lines = wrapHelpText(second, width - start, 0);
    const indented = lines.map((line) => `${' '.repeat(start)}${line}`);
    if (head.length + 2 > start) return [head, ...indented];
    return [`${head.padEnd(start)}${lines[0]}`, ...indented.slice(1)];
  });
}
