import { renderUnicodeCompact } from 'uqr';
import type { Paint } from './style.ts';

/** Modules of quiet zone on each side; scanners accept fewer than the four of the standard. */
const BORDER = 2;

/**
 * Draws a QR code in half blocks, always light on dark.
 * @param columns of the terminal
 * @returns lines without a line break at the end; undefined if it does not fit
 */
export function renderQrCode(text: string, paint: Paint, columns: number): string | undefined {
  const lines = renderUnicodeCompact(text, { border: BORDER }).split('\n');
  if ((lines[0]?.length ?? 0) > columns) return undefined;
  return lines.map((line) => paint.lightOnDark(line)).join('\n');
}
