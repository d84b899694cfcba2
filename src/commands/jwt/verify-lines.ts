import { UsageError, ValidationError } from '../../errors.ts';
import { type LinesProgress, verifyStandardInput } from '../../flows/validation/verify-lines.ts';
import { inWords } from '../../output/duration.ts';
import type { BatchExpectations } from '../../protocol/jose/jwt-lines.ts';
import type { Session } from '../../session/session.ts';

/** Milliseconds between two looks of the live line. */
const LIVE_EVERY = 100;

/** `oauthctl jwt verify --lines`: verdicts are the result, and are printed whether good or bad. */
export async function runVerifyLines(session: Session, expected: BatchExpectations): Promise<void> {
  const { ctx, reporter, globals } = session;
  if (globals.field !== undefined) {
    throw new UsageError('field_and_lines', '--field picks from one result, and --lines brings many', {
      hint: 'Take --json, and pick from each line.',
    });
  }
  let shownAt = Number.NEGATIVE_INFINITY;
  const live = (progress: LinesProgress) => {
    // On one screen the verdicts themselves show how it goes.
    if (ctx.io.stdoutIsTerminal || progress.ms - shownAt < LIVE_EVERY) return;
    shownAt = progress.ms;
    reporter.live(describe(progress));
  };
  const total = await verifyStandardInput(ctx, { expected, asJson: globals.json === true }, live).finally(
    () => reporter.settle(),
  );
  const count = total.valid + total.invalid;
  if (count === 0) throw new UsageError('token_empty', 'there is no token in standard input');
  reporter.note(`${describe(total)}, in ${inWords(total.ms / 1000)}`);
  if (total.invalid === 0) return;
  throw new ValidationError('jwt_invalid', `${total.invalid} of ${count} tokens are not valid`, {
    hint: 'What was wrong with each stands on its line of the result.',
  });
}

function describe({ valid, invalid, ms }: LinesProgress): string {
  const rate = ms > 0 ? ` · ${grouped(((valid + invalid) / ms) * 1000)}/s` : '';
  return `${grouped(valid + invalid)} tokens · ${grouped(invalid)} not valid${rate}`;
}

/** `1234567` as `1 234 567`. */
function grouped(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ' ');
}
