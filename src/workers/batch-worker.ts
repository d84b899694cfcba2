// The program of a thread of the pool; a separate entry point in the bundle.
import { parentPort, workerData } from 'node:worker_threads';
import { answerInTurn, type BatchSetup } from './batch.ts';

parentPort?.on(
  'message',
  answerInTurn(workerData as BatchSetup, (result) => parentPort?.postMessage(result)),
);
