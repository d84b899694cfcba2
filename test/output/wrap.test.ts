import { describe, expect, it } from 'vitest';
import { wrapCommandLine, wrapHelpText } from '../../src/help/wrap.ts';
import { wrapText } from '../../src/output/wrap.ts';

describe('a wrapped text', () => {
  it('keeps two spaces between words, except at the end of a line', () => {
    expect(wrapText('one=1  two=2  three=3', 14)).toEqual(['one=1  two=2', 'three=3']);
  });

  it('keeps its own lines, and all of them if no width is given', () => {
    expect(wrapText('a b\nc', 1)).toEqual(['a', 'b', 'c']);
    expect(wrapText('a b\nc', undefined)).toEqual(['a b', 'c']);
  });

  it('breaks no word that is longer than a line, and makes no empty line before it', () => {
    expect(wrapText('see https://example.org/a/long/path now', 10)).toEqual([
      'see',
      'https://example.org/a/long/path',
      'now',
    ]);
    expect(wrapText('  https://example.org/a/long/path', 10)).toEqual(['  https://example.org/a/long/path']);
  });

  it('of the help has one space between words, and an indentation that counts', () => {
    expect(wrapHelpText('one  two\nthree four', 9, 2)).toEqual(['one two', '  three', '  four']);
  });

  it('that is a command line breaks outside quotes, with a backslash that fits into the line', () => {
    expect(wrapCommandLine(`oauthctl call --data 'a b c' --json`, 20, 4)).toEqual([
      'oauthctl call \\',
      `    --data 'a b c' \\`,
      '    --json',
    ]);
  });
});
