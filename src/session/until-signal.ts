import { InterruptedError } from '../errors.ts';

/**
 * Runs a command that lasts until a signal ends it, which is then no error. The exit code stays that of the signal.
 * @param what has ended then, such as "serve"
 * @throws what `run` throws; an InterruptedError with a hint stays an error, because something was left undone
 */
export async function runUntilSignal<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof InterruptedError) || error.hint !== undefined) throw error;
    throw error.asNormalEnd(`${what} ended`);
  }
}
