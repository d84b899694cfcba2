import { InterruptedError, TimeoutError } from '../../errors.ts';
import { type Session, storageName } from '../../session/session.ts';
import type { CibaSteps } from '../../steps/ciba-steps.ts';

/** Runs a flow and tells its end; an interruption or a deadline learns how to go on. */
export async function reportFlow<Value>(
  session: Session,
  steps: CibaSteps,
  flow: () => Promise<Value>,
): Promise<Value> {
  try {
    return await flow();
  } catch (error) {
    steps.failed(error);
    throw await howToGoOn(session, error);
  } finally {
    session.reporter.settle();
  }
}

async function howToGoOn(session: Session, error: unknown): Promise<unknown> {
  const stopped = error instanceof InterruptedError;
  if (!stopped && !(error instanceof TimeoutError && error.code === 'deadline')) return error;
  // What an interrupted flow says of itself, that a result may be on its way, weighs more.
  if (stopped && error.hint !== undefined) return error;
  const { pending } = await session.ctx.store();
  const last = await pending.last(storageName(session)).catch(() => undefined);
  if (last === undefined || last.ended) return error;
  const hint = 'The request is still pending; go on with "oauthctl ciba poll".';
  if (stopped) return error.withHint(hint);
  return new TimeoutError(error.code, error.message, { hint });
}
