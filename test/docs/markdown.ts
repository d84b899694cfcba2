import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of code. */
export interface Block {
  /** What stands after the opening fence: `sh`, `json`, `text`, or nothing. */
  readonly language: string;
  readonly text: string;
  /** The HTML comment directly before the fence, without its delimiters. */
  readonly marker: string | undefined;
  /** The line of the opening fence, from 1. */
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** One Markdown file of the repository. */
export interface Document {
  /** Relative to the folder of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  /** Everything that it links to, in `[text](target)` form, outside blocks. */
  readonly links: readonly Link[];
  /** Its text without fenced blocks; the lines keep their numbers. */
  readonly prose: string;
}

/** Parses the parts of Markdown that the documents of this repository use. */
export function parseMarkdown(path: string, text: string): Document {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  const prose: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^(\s*)```(\S*)$/.exec(lines[index] ?? '');
    if (fence === null) {
      prose.push(lines[index] ?? '');
      continue;
    }
    const end = lines.indexOf(`${fence[1]}\`\`\``, index + 1);
    if (end === -1) throw new Error(`${path}:${index + 1}: the block has no end`);
    blocks.push({
      language: fence[2] ?? '',
      text: lines.slice(index + 1, end).join('\n'),
      marker: /^<!-- (.*) -->$/.exec(lines[index - 1] ?? '')?.[1],
      line: index + 1,
    });
    prose.push(...Array<string>(end - index + 1).fill(''));
    index = end;
  }
  return {
    path,
    text,
    blocks,
    prose: prose.join('\n'),
    anchors: findAnchors(prose),
    links: findLinks(prose),
  };
}

/** Reads README.md, CONTRIBUTING.md and every page below docs. */
export function readDocuments(): Document[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
    .sort();
  return ['README.md', 'CONTRIBUTING.md', ...pages].map((path) =>
    parseMarkdown(path, readFileSync(join(ROOT, path), 'utf8')),
  );
}

function findAnchors(lines: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const line of lines) {
    const heading = /^#{1,6} +(.*)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const anchor = heading
      .trim()
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function findLinks(lines: readonly string[]): Link[] {
  return lines.flatMap((line, index) =>
    // What stands between backticks is code.
    [...line.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length)).matchAll(/\]\(([^)\s]+)\)/g)].map(
      ([, target = '']) => ({ target, line: index + 1 }),
    ),
  );
}
