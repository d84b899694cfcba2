import { readBytesFile } from './bytes-file.ts';

/** Reads a text file that the person named. @throws UsageError `file_unreadable` */
export async function readTextFile(path: string): Promise<string> {
  return Buffer.from(await readBytesFile(path)).toString('utf8');
}
