import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';

/** Reads a file that the user named. @throws UsageError `file_unreadable` */
export async function readBytesFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new UsageError('file_unreadable', `${path} cannot be read (${errorText(cause)})`, { cause });
  }
}

/** Writes a file that the user named, replacing an existing one. @throws UsageError `file_unwritable` */
export async function writeBytesFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (cause) {
    throw new UsageError('file_unwritable', `${path} cannot be written (${errorText(cause)})`, { cause });
  }
}

function errorText(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
