import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTextFile } from '../../src/store/text-file.ts';
import { emptyFolder } from './folder.ts';

describe('a text file', () => {
  it.each([
    ['UTF-8', Buffer.from('{"ä":1}'), 0],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff{"ä":1}'), 1],
    ['UTF-16 with a byte order mark', Buffer.from('\ufeff{"ä":1}', 'utf16le'), 1],
    ['UTF-16 in the other order', Buffer.from('\ufeff{"ä":1}', 'utf16le').swap16(), 1],
  ])('in %s is read, and what was repaired is said', async (_encoding, bytes, repaired) => {
    const path = join(await emptyFolder(), 'file.json');
    await writeFile(path, bytes);
    const repairs: string[] = [];
    expect(await readTextFile(path, (what) => repairs.push(what))).toBe('{"ä":1}');
    expect(repairs).toEqual(
      Array(repaired).fill(`the byte order mark at the beginning of ${path} was removed`),
    );
  });
});
