import { renderLineVerdict } from '../output/checks.ts';
import { type BatchExpectations, verifyLines } from '../protocol/jose/jwt-lines.ts';

/** The options of all batches of a run; plain data. */
export interface BatchSetup {
  readonly expected: BatchExpectations;
  /** Whether verdicts are lines of JSON. */
  readonly asJson: boolean;
}

/** Complete lines, one token per line. */
export interface Batch {
  readonly text: string;
  /** Of the first line, counted from 1. */
  readonly firstLine: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The rendered verdicts on one batch. */
export interface BatchResult {
  readonly text: string;
  readonly valid: number;
  readonly invalid: number;
}

/** Verifies one batch and renders its verdicts. */
export async function runBatch(batch: Batch, { expected, asJson }: BatchSetup): Promise<BatchResult> {
  const verdicts = await verifyLines(batch.text, batch, expected);
  const valid = verdicts.filter((verdict) => verdict.valid).length;
  return {
    text: verdicts.map((verdict) => renderLineVerdict(verdict, asJson)).join(''),
    valid,
    invalid: verdicts.length - valid,
  };
}

/**
 * Processes batches one after the other, in the order of their arrival.
 * @param answer is called once for each batch
 */
export function answerInTurn(
  setup: BatchSetup,
  answer: (result: BatchResult) => void,
): (batch: Batch) => Promise<void> {
  let before = Promise.resolve();
  return (batch) => {
    before = before.then(async () => answer(await runBatch(batch, setup)));
    return before;
  };
}
