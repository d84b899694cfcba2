// What a thread of the pool runs; an entry point of its own in the bundle.
import { parentPort, workerData } from 'node:worker_threads';
import { type Batch, type BatchSetup, runBatch } from './batch.ts';

const setup = workerData as BatchSetup;

parentPort?.on('message', async (batch: Batch) => {
  parentPort?.postMessage(await runBatch(batch, setup));
});
