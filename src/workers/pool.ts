import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Batch, BatchResult, BatchSetup } from './batch.ts';

/** Threads that verify batches of tokens. */
export interface BatchPool {
  /** The number of batches that can be processed at once. */
  readonly size: number;
  /** Verifies a batch in the thread with the fewest batches. @throws Error if a thread ends */
  run(batch: Batch): Promise<BatchResult>;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** The callers, in the order of the batches: a thread answers them one after the other. */
  readonly waiting: PromiseWithResolvers[];
}

interface PromiseWithResolvers {
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

/** The path of the threads' entry point, relative to the chunk of this module. */
const PROGRAM = new URL('../workers/batch-worker.js', import.meta.url);

/** Creates a pool with one thread per core; each is started at its first batch. */
export function createBatchPool(setup: BatchSetup): BatchPool {
  const size = availableParallelism();
  const threads: Thread[] = [];

  function start(): Thread {
    const worker = new Worker(PROGRAM, { workerData: setup });
    const thread: Thread = { worker, waiting: [] };
    worker.on('message', (result: BatchResult) => thread.waiting.shift()?.resolve(result));
    worker.on('error', (error) => {
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    });
    threads.push(thread);
    return thread;
  }

  return {
    size,
    run(batch) {
      const [idlest] = threads.toSorted((one, other) => one.waiting.length - other.waiting.length);
      const thread =
        idlest === undefined || (idlest.waiting.length > 0 && threads.length < size) ? start() : idlest;
      return new Promise((resolve, reject) => {
        thread.waiting.push({ resolve, reject });
        thread.worker.postMessage(batch);
      });
    },
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
