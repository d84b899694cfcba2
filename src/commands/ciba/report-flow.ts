import { InterruptedError, TimeoutError } from '../../errors.ts';
import { findPendingRequest } from '../../flows/ciba/pending-request.ts';
import { type Session, storageName } from '../../session/session.ts';
import type { CibaSteps } from '../../steps/ciba-steps.ts';

/** Runs a flow and reports its end. After an interruption or a deadline the hint says how to continue. */
export async function reportFlow<Value>(
  session: Session,
  steps: CibaSteps,
  flow: () => Promise<Value>,
): Promise<Value> {
  try {
    return await flow();
  } catch (error) {
    steps.failed(error);
    throw await addContinueHint(session, error);
  } finally {
    session.reporter.settle();
  }
}

async function addContinueHint(session: Session, error: unknown): Promise<unknown> {
  const isInterrupted = error instanceof InterruptedError;
  if (!isInterrupted && !(error instanceof TimeoutError && error.code === 'deadline')) return error;
  // The flow's own hint, for example that a result may have been sent, is more important.
  if (isInterrupted && error.hint !== undefined) return error;
  const pending = await findPendingRequest(session.ctx, storageName(session)).catch(() => undefined);
  if (pending === undefined) return error;
  const hint = `The request is kept; go on with "${describePollCommand(pending.pending_errors)}".`;
  if (isInterrupted) return error.withHint(hint);
  return new TimeoutError(error.code, error.message, { hint });
}

/** The command that goes on with the last request. */
export function describePollCommand(pendingErrors: readonly string[] = []): string {
  return ['oauthctl ciba poll', ...pendingErrors.map((error) => `--pending-error ${error}`)].join(' ');
}
