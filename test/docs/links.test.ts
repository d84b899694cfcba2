import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMarkdown, ROOT, readDocuments } from './markdown.ts';

const documents = readDocuments();
const byPath = new Map(documents.map((document) => [document.path, document]));

/** Says what is wrong with each relative link of a document. */
function findBrokenLinks(path: string): string[] {
  return (byPath.get(path)?.links ?? []).flatMap(({ target, line }) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(ROOT, linked))) return [`${path}:${line}: there is no ${linked}`];
    if (anchor === undefined) return [];
    const page = byPath.get(linked);
    if (page === undefined && statSync(join(ROOT, linked)).isFile())
      return [`${path}:${line}: ${linked} is not a page, and has no anchors`];
    return page?.anchors.has(anchor) ? [] : [`${path}:${line}: ${linked} has no heading #${anchor}`];
  });
}

describe('the links of the documents', () => {
  it.each(documents.map(({ path }) => path))('%s links to files and headings that exist', (path) => {
    expect(findBrokenLinks(path)).toEqual([]);
  });

  it('every page of docs is linked from docs/README.md', () => {
    const linked = new Set(
      byPath.get('docs/README.md')?.links.map(({ target }) => join('docs', target.split('#')[0] ?? '')),
    );
    const pages = documents.map(({ path }) => path).filter((path) => path.startsWith('docs/'));
    expect(pages.filter((path) => path !== 'docs/README.md' && !linked.has(path))).toEqual([]);
  });

  it('README.md has 150 lines at most', () => {
    const lines = byPath.get('README.md')?.text.trimEnd().split('\n') ?? [];
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.length).toBeLessThanOrEqual(150);
  });

  it('the parser finds anchors and links, and leaves code alone', () => {
    const { anchors, links, blocks } = parseMarkdown(
      'x.md',
      '# `token code`: by browser\n## Twice\n## Twice\n[a](b.md#c) `[x](y)`\n<!-- run: sandbox -->\n```sh\n# [no](link)\n```',
    );
    expect([...anchors]).toEqual(['token-code-by-browser', 'twice', 'twice-1']);
    expect(links).toEqual([{ target: 'b.md#c', line: 4 }]);
    expect(blocks).toEqual([{ language: 'sh', text: '# [no](link)', marker: 'run: sandbox', line: 6 }]);
  });
});
