import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readDocuments } from './markdown.ts';
import { describeProgram, listExitCodes, renderReference, renderSettings } from './reference.ts';

const WRITE = process.env.OAUTHCTL_WRITE_DOCS === '1';
const OUTDATED = 'it is not what the program says: run "npm run docs:reference"';

function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Compares a page with what the program gives, or writes it where the run is meant for that. */
function expectPage(path: string, expected: string): void {
  if (WRITE) writeFileSync(join(ROOT, path), expected);
  expect(readPage(path), `${path}: ${OUTDATED}`).toBe(expected);
}

/** Puts a table between the two comments of its name. */
function replaceTable(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->\n`, `\n<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`There is no table ${name}`);
  return page.slice(0, from + begin.length) + table + page.slice(to);
}

describe('the reference', () => {
  it('docs/reference.md is what the program gives', async () => {
    expectPage('docs/reference.md', await renderReference());
  });

  it('the table of docs/settings.md is what the program gives', () => {
    const path = 'docs/settings.md';
    expectPage(path, replaceTable(readPage(path), 'settings', renderSettings()));
  });

  it('docs/exit-codes.md has a row for every exit code, and no other', () => {
    const rows = [...readPage('docs/exit-codes.md').matchAll(/^\| (\d+) \| `(\w+)` \|/gm)];
    expect(rows.map(([, code, name]) => [Number(code), name])).toEqual(listExitCodes());
  });
});

describe('what the documents mention', () => {
  it.each(readDocuments().filter(({ path }) => path !== 'docs/reference.md'))(
    '$path names commands and options that exist',
    async ({ path, prose, blocks }) => {
      const described = await describeProgram();
      const known = new Set(described.map((one) => one.path));
      const options = new Set(described.flatMap(({ command }) => command.options.map(({ long }) => long)));
      options.add('--help').add('--version');
      const code = [...prose.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
      const commands = blocks
        .filter(({ language }) => language === 'sh')
        .map(({ text }) => text.replace(/(?:^| )#.*$/gm, ''));
      const problems: string[] = [];
      for (const text of [...code, ...commands]) {
        for (const [, words = ''] of text.matchAll(/\boauthctl ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)/g)) {
          const [noun = ''] = words.split(' ');
          const hasVerbs = [...known].some((one) => one.startsWith(`${noun} `));
          if (!known.has(hasVerbs ? words : noun) && !known.has(noun)) problems.push(`oauthctl ${words}`);
        }
        // The options of other programs are not ours to know.
        if (/^(?:npm|node|git|docker|bin|kc\.sh|curl) /.test(text)) continue;
        for (const [, option = ''] of text.matchAll(/(?:^|[\s[(])(--[a-z][\w-]*)/g)) {
          if (!options.has(option)) problems.push(option);
        }
      }
      expect(problems, path).toEqual([]);
    },
  );
});
