import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readDocuments } from './markdown.ts';
import {
  describeProgram,
  renderExitCodes,
  renderReference,
  renderSettings,
  renderVariables,
  TOPIC_NAMES,
} from './reference.ts';

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

  it.each([
    ['docs/settings.md', 'settings', renderSettings],
    ['docs/settings.md', 'variables', renderVariables],
    ['docs/exit-codes.md', 'exit codes', renderExitCodes],
  ] as const)('%s has the table of %s that the program gives', (path, name, render) => {
    expectPage(path, replaceTable(readPage(path), name, render()));
  });
});

describe('what the documents mention', () => {
  it.each(readDocuments().filter(({ path }) => path !== 'docs/reference.md'))(
    '$path names commands and options that exist',
    async ({ path, prose, blocks }) => {
      const described = await describeProgram();
      const topics = TOPIC_NAMES.map((name) => `help ${name}`);
      const known = new Set([...described.map((one) => one.path), ...topics]);
      const options = new Set(described.flatMap(({ command }) => command.options.map(({ long }) => long)));
      options.add('--help').add('--help-all').add('--version');
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
