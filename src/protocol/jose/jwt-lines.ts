import type { Check, JwtExpectations, VerificationKeys } from './jwt-verdict.ts';
import { verifyJwt } from './jwt-verification.ts';

/** What every token of a batch is verified against; plain data, so that it can be sent to another thread. */
export type BatchExpectations = Omit<JwtExpectations, 'now' | 'keys'> & { readonly keys: VerificationKeys };

/** The verdict on one token. */
export interface LineVerdict {
  /** Its line, counted from 1 over the whole input. */
  readonly line: number;
  readonly valid: boolean;
  /** The checks that failed. */
  readonly failed: readonly Check[];
}

/**
 * Verifies tokens, one per line; a line may begin with `Bearer`, and empty lines are skipped.
 * @param firstLine the number of the first line
 * @param now milliseconds since the epoch
 * @returns a verdict for every token, in the order of the lines
 */
export async function verifyLines(
  text: string,
  { firstLine, now }: { readonly firstLine: number; readonly now: number },
  expected: BatchExpectations,
): Promise<readonly LineVerdict[]> {
  const verdicts: Promise<LineVerdict>[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const token = line.trim().replace(/^(?:Bearer|DPoP)\s+/i, '');
    if (token === '') continue;
    verdicts.push(
      verifyJwt(token, { ...expected, now }).then(({ valid, checks }) => ({
        line: firstLine + index,
        valid,
        failed: checks.filter(({ outcome }) => outcome === 'failed'),
      })),
    );
  }
  return Promise.all(verdicts);
}
