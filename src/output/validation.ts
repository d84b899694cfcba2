import { inWords } from './duration.ts';
import { printable } from './printable.ts';
import type { Paint } from './style.ts';

type Verdict = 'accepted' | 'refused' | 'unknown';

/** One row of the table: a property according to the local check and to introspection. */
export interface ShownRow {
  readonly name: string;
  readonly local: string;
  readonly introspection: string;
}

/** A finding with its cause and remedy. */
export interface ShownFinding {
  readonly cause: string;
  readonly remedy: string;
}

/** A change of the verdict of one method, at `at` in milliseconds since the epoch. */
export interface ShownEvent {
  readonly at: number;
  readonly way: 'local' | 'introspection';
  readonly verdict: Verdict;
}

/** Times in milliseconds since the epoch. */
export interface ShownWatch {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it ended, in words. */
  readonly ended: string;
  readonly events: readonly ShownEvent[];
  /** When the local check accepted what introspection refused. */
  readonly window: { readonly from: number; readonly until: number; readonly isOver: boolean } | undefined;
  /** When the local check will refuse the token because of its expiry. */
  readonly expiresAt: number | undefined;
  readonly introspections: number;
  readonly failures: number;
}

const WORDS: Readonly<Record<Verdict, string>> = {
  accepted: '✓ accepts',
  refused: '✗ refuses',
  unknown: '? unknown',
};
const BLOCKS: Readonly<Record<Verdict, string>> = { accepted: '█', refused: '░', unknown: '?' };
const METHOD_NAMES = { local: 'local check', introspection: 'introspection' } as const;

const NAME_WIDTH = 15;
const WIDEST_CELL = 44;
const TIMELINE_WIDTH = 50;

/** Renders a verdict as a mark and a word. */
export function verdictInWords(verdict: Verdict, paint: Paint): string {
  const tint = { accepted: paint.green, refused: paint.red, unknown: paint.yellow }[verdict];
  return tint(WORDS[verdict]);
}

/** Renders a duration in tenths of a second, and a long one in words. */
export function spanInWords(ms: number): string {
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : inWords(ms / 1000);
}

/** Renders both verdicts side by side, with the properties that each method found. */
export function renderVerdicts(
  verdicts: { readonly local: Verdict; readonly introspection: Verdict },
  rows: readonly ShownRow[],
  paint: Paint,
): string {
  const cells = rows.map((row) => ({
    ...row,
    local: cell(row.local),
    introspection: cell(row.introspection),
  }));
  const width = Math.max(METHOD_NAMES.local.length, ...cells.map(({ local }) => local.length)) + 2;
  const verdict = (method: keyof typeof METHOD_NAMES) =>
    verdictInWords(verdicts[method], paint) + ' '.repeat(width - WORDS[verdicts[method]].length);
  const lines = [
    `${''.padEnd(NAME_WIDTH)}${paint.bold(METHOD_NAMES.local.padEnd(width))}${paint.bold(METHOD_NAMES.introspection)}`,
    `${'verdict'.padEnd(NAME_WIDTH)}${verdict('local')}${verdict('introspection')}`,
    ...cells.map(
      ({ name, local, introspection }) =>
        `${paint.dim(printable(name).padEnd(NAME_WIDTH))}${local.padEnd(width)}${introspection}`,
    ),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Renders findings, each with its cause and remedy. */
export function renderFindings(title: string, findings: readonly ShownFinding[], paint: Paint): string {
  if (findings.length === 0) return '';
  const lines = findings.flatMap(({ cause, remedy }) => [
    `  ${paint.yellow('cause ')} ${printable(cause)}`,
    `  ${paint.dim('remedy')} ${printable(remedy)}`,
  ]);
  return `${paint.bold(title)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** Renders a watch: two rows of blocks over time, every change, and the time in which the verdicts differed. */
export function renderWatch(watch: ShownWatch, paint: Paint): string {
  const { startedAt, events, introspections, failures } = watch;
  const changes = events.slice(2).map(({ at, way, verdict }) => {
    const when = `+${spanInWords(at - startedAt)}`.padStart(NAME_WIDTH - 2);
    return `${when}  ${METHOD_NAMES[way].padEnd(NAME_WIDTH)}${verdictInWords(verdict, paint)}`;
  });
  const asked = `${introspections} introspections${failures === 0 ? '' : `, ${failures} without a verdict`}`;
  const lines = [
    ...timeline(watch),
    ...changes,
    `${watch.ended} after ${spanInWords(watch.endedAt - startedAt)}; ${asked}`,
    describeWindow(watch),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function timeline({ startedAt, endedAt, events }: ShownWatch): string[] {
  const length = Math.max(1, endedAt - startedAt);
  const row = (method: keyof typeof METHOD_NAMES) => {
    const blocks = Array.from({ length: TIMELINE_WIDTH }, (_, column) => {
      const slice = startedAt + (length * (column + 1)) / TIMELINE_WIDTH;
      // The verdict before the first check is the one of the first check.
      const said =
        events.findLast(({ way, at }) => way === method && at <= slice) ??
        events.find(({ way }) => way === method);
      return BLOCKS[said?.verdict ?? 'unknown'];
    });
    return `${METHOD_NAMES[method].padEnd(NAME_WIDTH)}${blocks.join('')}`;
  };
  const end = spanInWords(length);
  const legend = '  █ accepts  ░ refuses  ? unknown';
  return [
    row('local'),
    row('introspection'),
    `${''.padEnd(NAME_WIDTH)}0 s${end.padStart(TIMELINE_WIDTH - 3)}${legend}`,
  ];
}

function describeWindow({ startedAt, window, expiresAt }: ShownWatch): string {
  if (window === undefined) return 'the local check never accepted the token while introspection refused it';
  const turned = window.from - startedAt;
  const when = turned <= 0 ? 'from the beginning' : `${spanInWords(turned)} after the beginning`;
  const went = `introspection refused it ${when}; the local check went on accepting it for ${spanInWords(window.until - window.from)}`;
  if (window.isOver) return `${went}: that is the window`;
  const left =
    expiresAt === undefined ? '' : `, ${spanInWords(expiresAt - window.from)} until the token expires`;
  return `${went} so far, and still does: the window is open${left}`;
}

/** Escapes and shortens text of another party. */
function cell(text: string): string {
  const shown = printable(text);
  return shown.length > WIDEST_CELL ? `${shown.slice(0, WIDEST_CELL - 1)}…` : shown;
}
