import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock, ContextParts } from '../../src/context.ts';
import { systemClock, systemRandom } from '../../src/process-parts.ts';
import { Redactor } from '../../src/redact.ts';
import { runBatch } from '../../src/workers/batch.ts';

export interface TestParts extends ContextParts {
  /** What was written to stdout and stderr so far. */
  readonly stdout: () => string;
  readonly stdoutBytes: () => Buffer;
  readonly stderr: () => string;
  /** The addresses that the browser was sent to. */
  readonly browsed: readonly string[];
  /** Aborts the run, as a signal would. */
  readonly abort: (reason: unknown) => void;
  /** The folder of this test's files; removed when it ends. */
  readonly home: string;
}

export interface TestPartsOptions {
  readonly clock?: Clock;
  readonly random?: (bytes: number) => Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly showSecrets?: boolean;
  /** Whether stderr is a terminal; one that draws nothing. */
  readonly terminal?: boolean;
  /** Its columns; 80 where nothing is said. */
  readonly columns?: number;
  /** The width of stdout; without one it is no terminal. */
  readonly stdoutColumns?: number;
  /** Stands for the browser. */
  readonly browse?: (url: string) => Promise<void>;
}

/** The parts of a context for one test: captured output, an own home, no terminal, nothing of this process. */
export async function testParts(options: TestPartsOptions = {}): Promise<TestParts> {
  const home = await mkdtemp(join(tmpdir(), 'oauthctl-test-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const redactor = new Redactor(options.showSecrets ?? false);
  const abort = new AbortController();
  const browsed: string[] = [];
  const stdout: Uint8Array[] = [];
  const stdoutBytes = () => Buffer.concat(stdout);
  const stdin = Buffer.from(options.stdin ?? '');
  let stderr = '';
  return {
    home,
    env: { OAUTHCTL_HOME: home, NO_PROXY: '*', ...(options.terminal && { TERM: 'dumb' }), ...options.env },
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    signal: abort.signal,
    holder: process,
    abort: (reason) => abort.abort(reason),
    redactor,
    browsed,
    browse: async (url) => {
      browsed.push(url);
      await options.browse?.(url);
    },
    // In this thread: the bundle alone has a program for others.
    batchPool: async (setup) => ({ size: 2, run: (batch) => runBatch(batch, setup), close: async () => {} }),
    stdout: () => stdoutBytes().toString(),
    stdoutBytes,
    stderr: () => stderr,
    io: {
      out: (text) => {
        stdout.push(Buffer.from(text));
      },
      err: (text) => {
        stderr += redactor.text(text);
      },
      show: (text) => {
        stderr += text;
      },
      outFlushed: async () => {},
      outDrained: async (text) => {
        stdout.push(Buffer.from(text));
      },
      readStdin: async () => stdin.toString(),
      async *stdinChunks() {
        for (let at = 0; at < stdin.length; at += 1000)
          yield stdin.subarray(at, at + 1000).toString('latin1');
      },
      readStdinBytes: async () => stdin,
      stdinIsTerminal: false,
      stdoutIsTerminal: options.stdoutColumns !== undefined,
      stdoutColumns: options.stdoutColumns,
      stderrIsTerminal: options.terminal ?? false,
      get terminal(): NodeJS.WriteStream {
        if (options.terminal !== true) throw new Error('there is no terminal in this test');
        return { columns: options.columns ?? 80 } as NodeJS.WriteStream;
      },
      get keyboard(): NodeJS.ReadStream {
        throw new Error('there is no keyboard in this test');
      },
    },
  };
}
