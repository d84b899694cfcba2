import type { Clock, ContextParts, Io } from './context.ts';
import { InterruptedError } from './errors.ts';
import { ResultStream } from './output/result-stream.ts';
import { Redactor } from './redact.ts';

const LONGEST_TIMER = 2 ** 31 - 1;

/** The real clock. A timer takes at most 24 days, so a longer sleep is several timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    const until = Date.now() + ms;
    do {
      const left = Math.min(Math.max(0, until - Date.now()), LONGEST_TIMER);
      await new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        }, left);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    } while (Date.now() < until);
  },
};

/** The runtime's cryptographic generator. */
export function systemRandom(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** Milliseconds that a run may take to clean up after a signal. */
const CLEAN_UP_TIME = 2_000;

/** The parts of a context that use this process: its streams, environment, clock and signals. */
export function createProcessParts(options: { showSecrets: boolean }): ContextParts {
  const redactor = new Redactor(options.showSecrets);
  const abort = abortOnSignals();
  // If nobody reads stdout any more, a command that runs until a signal has to end.
  const stdout = new ResultStream(
    () => process.stdout,
    (reason) => abort.abort(reason),
  );
  return {
    env: process.env,
    clock: systemClock,
    random: systemRandom,
    signal: abort.signal,
    holder: process,
    redactor,
    async browse(url) {
      const { openBrowser } = await import('./output/browser.ts');
      return openBrowser(url, process);
    },
    async batchPool(setup) {
      const { createBatchPool } = await import('./workers/pool.ts');
      return createBatchPool(setup);
    },
    io: createProcessIo(stdout, redactor),
  };
}

/** Aborts on SIGINT and SIGTERM; the reason is an InterruptedError. */
function abortOnSignals(): AbortController {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const reason = new InterruptedError(signal);
      // A second signal ends the run at once, and so does a clean-up that takes too long.
      if (abort.signal.aborted) process.exit(reason.exitCode);
      abort.abort(reason);
      setTimeout(() => process.exit(reason.exitCode), CLEAN_UP_TIME).unref();
    });
  }
  return abort;
}

function createProcessIo(stdout: ResultStream, redactor: Redactor): Io {
  return {
    out: (text) => void stdout.write(text),
    outDrained: (text) => stdout.writeDrained(text),
    outFlushed: () => stdout.flushed(),
    err: (text) => void stderr().write(redactor.text(text)),
    show: (text) => void stderr().write(text),
    async readStdin() {
      const { decodeText } = await import('./store/text-file.ts');
      return decodeText(await readStdinBytes());
    },
    readStdinBytes,
    stdinChunks,
    // Read on use: Node sets up a stream of the process when it is first read, which takes time.
    get stdinIsTerminal() {
      return process.stdin.isTTY === true;
    },
    get stdoutIsTerminal() {
      return process.stdout.isTTY === true;
    },
    get stdoutColumns() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
    get stderrIsTerminal() {
      return process.stderr.isTTY === true;
    },
    get terminal() {
      return process.stderr;
    },
    get keyboard() {
      return process.stdin;
    },
  };
}

async function* stdinChunks(signal: AbortSignal): AsyncGenerator<string> {
  const { stdin } = process;
  const stop = () => stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin.setEncoding('utf8')) yield chunk as unknown as string;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function readStdinBytes(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

let isStderrGuarded = false;

/** If stderr fails, there is nowhere to report it; the result on stdout still counts. */
function stderr(): NodeJS.WriteStream {
  if (!isStderrGuarded) {
    isStderrGuarded = true;
    process.stderr.on('error', () => {});
  }
  return process.stderr;
}
