import { UsageError, ValidationError } from '../../errors.ts';
import { type LinesProgress, verifyStandardInput } from '../../flows/validation/verify-lines.ts';
import { inWords } from '../../output/duration.ts';
import type { BatchExpectations } from '../../protocol/jose/jwt-lines.ts';
import type { Session } from '../../session/session.ts';

/** Milliseconds between two updates of the live line. */
const LIVE_EVERY = 100;

/** `oauthctl jwt verify --lines`: the verdicts are the result, and are printed for valid and invalid tokens. */
export async function runVerifyLines(session: Session, expected: BatchExpectations): Promise<void> {
  const { ctx, reporter, globals } = session;
  if (globals.field !== undefined) {
    throw new UsageError('field_and_lines', '--field takes one result, and --lines prints many', {
      hint: 'Use --json, and select from each line.',
    });
  }
  let shownAt = Number.NEGATIVE_INFINITY;
  const live = (progress: LinesProgress) => {
    // If stdout is the terminal, the verdicts show the progress.
    if (ctx.io.stdoutIsTerminal || progress.ms - shownAt < LIVE_EVERY) return;
    shownAt = progress.ms;
    reporter.live(describe(progress));
  };
  const total = await verifyStandardInput(ctx, { expected, asJson: globals.json === true }, live).finally(
    () => reporter.settle(),
  );
  const count = total.valid + total.invalid;
  if (count === 0) throw new UsageError('token_empty', 'there is no token on standard input');
  reporter.note(`${describe(total)}, in ${inWords(total.ms / 1000)}`);
  if (total.invalid === 0) return;
  throw new ValidationError('jwt_invalid', `${total.invalid} of ${count} tokens are not valid`, {
    hint: 'The line of each token in the result says what is invalid.',
  });
}

function describe({ valid, invalid, ms }: LinesProgress): string {
  const rate = ms > 0 ? ` · ${grouped(((valid + invalid) / ms) * 1000)}/s` : '';
  return `${grouped(valid + invalid)} tokens · ${grouped(invalid)} not valid${rate}`;
}

const GROUPED = new Intl.NumberFormat('en-US');

/** `1234567` as `1 234 567`. */
function grouped(count: number): string {
  return GROUPED.format(Math.round(count)).replaceAll(',', ' ');
}
