import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';

/** Reads a text file that the person named. @throws UsageError `file_unreadable` */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError('file_unreadable', `${path} cannot be read (${code ?? String(error)})`, {
      cause: error,
    });
  }
}
