import { readBytesFile } from './bytes-file.ts';

const BYTE_ORDER_MARK = '\ufeff';

/** Hears what was repaired in a text, in a few words. */
export type OnRepair = (what: string) => void;

/**
 * Reads a text file that the person named; a byte order mark is passed over.
 * @throws UsageError `file_unreadable`
 */
export async function readTextFile(path: string, onRepair: OnRepair = () => {}): Promise<string> {
  return withoutByteOrderMark(decodeText(await readBytesFile(path)), path, onRepair);
}

/** Decodes UTF-8, or UTF-16 where a byte order mark says so, as Windows PowerShell writes it. The mark is kept. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

/** Takes the byte order mark off a text. @param what names the text for the repair */
export function withoutByteOrderMark(text: string, what: string, onRepair: OnRepair): string {
  if (!text.startsWith(BYTE_ORDER_MARK)) return text;
  onRepair(`the byte order mark at the beginning of ${what} was left out`);
  return text.slice(BYTE_ORDER_MARK.length);
}
