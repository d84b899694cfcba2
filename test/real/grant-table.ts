import { readFile, writeFile } from 'node:fs/promises';
import { GRANTS } from '../../src/protocol/definitions/grants/index.ts';

/** What a cell says of a request that brought tokens. */
export const GRANTED = 'yes';

/** The outcomes at one server, by `GRANT METHOD`. */
export type Outcomes = ReadonlyMap<string, string>;

const FILE = new URL('../../docs/grants.md', import.meta.url);

/** The section of one server in the documentation. */
function renderSection(server: string, methods: readonly string[], outcomes: Outcomes): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const cells = (grant: string) => methods.map((method) => outcomes.get(`${grant} ${method}`) ?? 'not run');
  return [
    `## ${server}`,
    '',
    row(['grant', ...methods.map((method) => `\`${method}\``)]),
    row(['---', ...methods.map(() => '---')]),
    ...GRANTS.map(({ name }) => row([`\`${name}\``, ...cells(name)])),
    '',
  ].join('\n');
}

/** What the documentation says of each cell of a server. */
export async function documentedOutcomes(server: string): Promise<Outcomes> {
  const [header = [], , ...rows] = (await sectionOf(server))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const name = (cell = '') => cell.replaceAll('`', '');
  return new Map(
    rows.flatMap(([grant, ...cells]) =>
      cells.map((cell, index) => [`${name(grant)} ${name(header[index + 1])}`, cell] as const),
    ),
  );
}

/** Writes the section of one server, in place of the one before. */
export async function document(
  server: string,
  methods: readonly string[],
  outcomes: Outcomes,
): Promise<void> {
  const section = renderSection(server, methods, outcomes);
  const before = await sectionOf(server);
  const text = await readFile(FILE, 'utf8');
  await writeFile(
    FILE,
    before === '' ? `${text.trimEnd()}\n\n${section}` : text.replace(before, () => section),
  );
}

async function sectionOf(server: string): Promise<string> {
  const text = await readFile(FILE, 'utf8');
  const sections = text.split(/(?<=\n)\n(?=## )/).map((section) => `${section.trimEnd()}\n`);
  return sections.find((section) => section.startsWith(`## ${server}\n`)) ?? '';
}
