import type { Batch, BatchSetup, Context } from '../../context.ts';
import { LONGEST_TOKEN } from '../../protocol/jose/compact-jws.ts';

/** The progress of a run. */
export interface LinesProgress {
  readonly valid: number;
  readonly invalid: number;
  /** Milliseconds since the start. */
  readonly ms: number;
}

/** Batches for each thread: one that is under way and one that waits, so that none is idle. */
const BATCHES_PER_THREAD = 2;

/**
 * Verifies the tokens on standard input, one a line, on all cores, and writes a verdict a line in the same order. Reads
 * no faster than it verifies and no faster than stdout takes it, so that memory does not grow with the input.
 * @param onProgress hears of every batch that was written
 * @throws the signal's reason when it aborts
 */
export async function verifyStandardInput(
  ctx: Context,
  setup: BatchSetup,
  onProgress: (progress: LinesProgress) => void,
): Promise<LinesProgress> {
  const startedAt = ctx.clock.now();
  const pool = await ctx.batchPool(setup);
  let [valid, invalid] = [0, 0];
  const progress = () => ({ valid, invalid, ms: ctx.clock.now() - startedAt });
  const write = async (pending: ReturnType<typeof pool.run>) => {
    const result = await pending;
    await ctx.io.outDrained(result.text);
    valid += result.valid;
    invalid += result.invalid;
    onProgress(progress());
  };
  try {
    const underWay = new Set<Promise<void>>();
    let written = Promise.resolve();
    for await (const { text, firstLine } of wholeLines(ctx.io.stdinChunks(ctx.signal))) {
      ctx.signal.throwIfAborted();
      const pending = pool.run({ text, firstLine, now: ctx.clock.now() });
      const before = written;
      written = before.then(() => write(pending));
      const one = written.finally(() => underWay.delete(one));
      underWay.add(one);
      // Each failure is told by the last promise of the chain.
      for (const promise of [pending, one]) promise.catch(() => {});
      if (underWay.size >= pool.size * BATCHES_PER_THREAD) await Promise.race(underWay);
    }
    await written;
    return progress();
  } finally {
    await pool.close();
  }
}

/**
 * Cuts chunks of text into batches of whole lines, each as soon as it is there. Of a line that is longer than any token
 * no more is kept than it takes to refuse it.
 */
async function* wholeLines(chunks: AsyncIterable<string>): AsyncGenerator<Omit<Batch, 'now'>> {
  let rest = '';
  let firstLine = 1;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf('\n');
    if (end === -1) {
      rest = shortened(rest + chunk);
      continue;
    }
    const text = rest + chunk.slice(0, end);
    yield { text, firstLine };
    firstLine += linesIn(text);
    rest = shortened(chunk.slice(end + 1));
  }
  if (rest !== '') yield { text: rest, firstLine };
}

function shortened(line: string): string {
  // A little more than the longest token, for what may stand before it.
  return line.slice(0, LONGEST_TOKEN + 1024);
}

function linesIn(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
