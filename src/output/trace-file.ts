import { appendFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../errors.ts';

/**
 * Opens a trace file: one line of JSON per exchange, written at once so that a crash loses none.
 * @throws UsageError `file_unwritable`
 */
export function openTraceFile(path: string): (line: string) => void {
  try {
    writeFileSync(path, '', { mode: 0o600 });
  } catch (error) {
    throw new UsageError(
      'file_unwritable',
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  return (line) => appendFileSync(path, line);
}
