import { readBytesFile } from './bytes-file.ts';

const BYTE_ORDER_MARK = '\ufeff';

/** Called with a short description of what was repaired in a text. */
export type OnRepair = (what: string) => void;

/**
 * Reads a text file that the user named; a byte order mark is ignored.
 * @throws UsageError `file_unreadable`
 */
export async function readTextFile(path: string, onRepair: OnRepair = () => {}): Promise<string> {
  return withoutByteOrderMark(decodeText(await readBytesFile(path)), path, onRepair);
}

/** Decodes UTF-8, or UTF-16 with a byte order mark (written by Windows PowerShell). The mark is kept. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

/** Removes the byte order mark of a text. @param what names the text for the repair */
export function withoutByteOrderMark(text: string, what: string, onRepair: OnRepair): string {
  if (!text.startsWith(BYTE_ORDER_MARK)) return text;
  onRepair(`the byte order mark at the beginning of ${what} was removed`);
  return text.slice(BYTE_ORDER_MARK.length);
}
