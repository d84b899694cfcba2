import { printable } from './printable.ts';
import type { Paint } from './style.ts';

/** A check and its outcome. */
export interface ShownCheck {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
}

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;
const NAME_WIDTH = 12;

/** Renders checks for people, one a line. */
export function renderChecks(checks: readonly ShownCheck[], paint: Paint): string {
  const width = Math.max(NAME_WIDTH, ...checks.map(({ name }) => name.length));
  const tints = { passed: paint.green, failed: paint.red, skipped: paint.dim };
  return checks
    .map(({ name, outcome, detail }) => {
      const said = outcome === 'skipped' ? `not checked: ${detail}` : detail;
      return `${tints[outcome](MARKS[outcome])} ${printable(name).padEnd(width)} ${printable(said)}\n`;
    })
    .join('');
}

/** Renders the failures among checks in one line. */
export function failuresInWords(checks: readonly ShownCheck[]): string {
  return checks
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name, detail }) => `${name}: ${detail}`)
    .join('; ');
}

/** Renders the verdict on one line of many: JSON, or a mark, the line's number and what failed. */
export function renderLineVerdict(
  verdict: { readonly line: number; readonly valid: boolean; readonly failed: readonly ShownCheck[] },
  asJson: boolean,
): string {
  const { line, valid, failed } = verdict;
  if (asJson) {
    const reasons = failed.map(({ outcome: _outcome, ...check }) => check);
    return `${JSON.stringify({ line, valid, failed: reasons })}\n`;
  }
  return valid
    ? `${MARKS.passed} ${line}\n`
    : `${MARKS.failed} ${line}  ${printable(failuresInWords(failed))}\n`;
}
