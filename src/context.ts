import { InterruptedError } from './errors.ts';
import { withoutByteOrderMarks } from './http/byte-order-marks.ts';
import type { Exchange, HttpClient, Recorder, TransportOptions } from './http/types.ts';
import type { KafkaClient } from './kafka/types.ts';
import type { Prompt } from './output/prompt.ts';
import { ResultStream } from './output/result-stream.ts';
import { Warnings } from './output/warnings.ts';
import { Redactor } from './redact.ts';
import type {
  AuthenticationDeviceOptions,
  AuthenticationDeviceServer,
} from './servers/authentication-device.ts';
import type { RedirectOptions, RedirectServer } from './servers/redirect.ts';
import type { ResourceServer, ResourceServerOptions } from './servers/resource-server.ts';
import type { Store } from './store/index.ts';
import type { LockHolder } from './store/lock.ts';
import { createStdinClaim } from './store/stdin-claim.ts';
import type { BatchSetup } from './workers/batch.ts';
import type { BatchPool } from './workers/pool.ts';

export type {
  Exchange,
  HttpAnswer,
  HttpClient,
  HttpRequest,
  Recorder,
  TransportOptions,
} from './http/types.ts';
export type {
  BrokerAddress,
  BrokerConnection,
  ClusterMetadata,
  KafkaClient,
  PartitionName,
  SaslAuthentication,
  SaslHandshake,
  StoredMessage,
} from './kafka/types.ts';
export type { Prompt } from './output/prompt.ts';
export type { Store } from './store/index.ts';
export type { Batch, BatchSetup } from './workers/batch.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many milliseconds, rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Io {
  /** Writes the result. */
  out(text: string | Uint8Array): void;
  /** Writes a part of the result, and resolves when there is room for more. */
  outDrained(text: string): Promise<void>;
  /** Resolves when all results are written. @throws OutputError where they could not be */
  outFlushed(): Promise<void>;
  /** Writes progress, steps, warnings and errors; known secrets are masked on the way. */
  err(text: string): void;
  /** Writes to stderr with nothing masked: what the person has to use, such as an address to open. */
  show(text: string): void;
  readStdin(): Promise<string>;
  readStdinBytes(): Promise<Uint8Array>;
  /** Standard input as it comes, read no faster than it is taken; ends with the signal's reason when it aborts. */
  stdinChunks(signal: AbortSignal): AsyncIterable<string>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** The width of stdout; undefined where it is no terminal. */
  readonly stdoutColumns: number | undefined;
  /** stderr itself, for spinners and questions; only to be used where it is a terminal. */
  readonly terminal: NodeJS.WriteStream;
}

/** What a listener of ours is made with; each resolves when it listens. */
export interface Servers {
  authenticationDevice(options: AuthenticationDeviceOptions): Promise<AuthenticationDeviceServer>;
  redirect<Response>(options: RedirectOptions<Response>): Promise<RedirectServer<Response>>;
  resource(options: ResourceServerOptions): Promise<ResourceServer>;
}

/** Everything a command or flow may touch of the world; what costs time to load is made on first use. */
export interface Context {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Makes so many bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  /** Aborts on SIGINT and SIGTERM, its reason an InterruptedError. */
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  /** Opens an address in the person's browser. @throws Error where that cannot be done */
  readonly browse: (url: string) => Promise<void>;
  http(): Promise<HttpClient>;
  kafka(): Promise<KafkaClient>;
  store(): Promise<Store>;
  prompt(): Promise<Prompt>;
  servers(): Promise<Servers>;
  /** Starts threads that verify batches of tokens; whoever starts them closes them. */
  readonly batchPool: (setup: BatchSetup) => Promise<BatchPool>;
  /** Resolves a secret reference (`env:`, `file:`, `cmd:`, `-`, or the secret itself), and remembers it as one. */
  secret(reference: string): Promise<string>;
  /**
   * Reserves standard input, which can be read once in a run.
   * @param reader what it is for, as an error names it: an option such as `--password`
   * @throws UsageError `stdin_twice` that names both, where it is reserved already
   */
  claimStdin(reader: string): void;
  /** Tells the person of something odd that was repaired or passed over; each text once. */
  warn(text: string): void;
  /** Hears of every warning. */
  onWarning(listener: (text: string) => void): void;
  /** Reads a text file that an option names; a byte order mark is passed over with a warning. */
  readFile(path: string): Promise<string>;
  /** Reads a file of any kind that an option names. */
  readBytes(path: string): Promise<Uint8Array>;
  /** Writes a file that an option names, in place of what is there. */
  writeBytes(path: string, bytes: Uint8Array): Promise<void>;
  /** Hears of every exchange, sent or received. */
  onExchange(listener: (exchange: Exchange) => void): void;
  /** The same context over another transport. */
  withTransport(options: TransportOptions): Context;
}

/** The parts of a context that stand for the process; a test brings its own. */
export interface ContextParts {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** This process, which takes locks. */
  readonly holder: LockHolder;
  readonly redactor: Redactor;
  readonly browse: (url: string) => Promise<void>;
  readonly batchPool: (setup: BatchSetup) => Promise<BatchPool>;
}

export const DEFAULT_TRANSPORT: TransportOptions = {
  connectTimeoutMs: 10_000,
  timeoutMs: 30_000,
  maxBodyBytes: 1024 * 1024,
};

/** Composes a context; the only place that builds transport, store, prompt and listeners. */
export function createContext(parts: ContextParts, transport: TransportOptions = DEFAULT_TRANSPORT): Context {
  const { warn, onWarning } = new Warnings();
  return compose({ ...parts, warn, onWarning, claimStdin: createStdinClaim() }, transport, []);
}

function compose(
  parts: ContextParts & Pick<Context, 'warn' | 'onWarning' | 'claimStdin'>,
  transport: TransportOptions,
  listeners: ((exchange: Exchange) => void)[],
): Context {
  const { io, env, clock, redactor, warn } = parts;
  const record = (exchange: Exchange) => {
    for (const listener of listeners) listener(exchange);
  };
  const http = once(async () => {
    const { createHttpClient } = await import('./http/client.ts');
    return withoutByteOrderMarks(await createHttpClient(transport, { record }, () => clock.now()), warn);
  });
  return {
    ...parts,
    http,
    kafka: once(async () => {
      const { createKafkaClient } = await import('./kafka/client.ts');
      return createKafkaClient(transport, { record }, () => clock.now());
    }),
    store: once(async () => (await import('./store/index.ts')).openStore(env, parts)),
    prompt: once(async () => {
      const terminal = { env, stdin: process.stdin, stderr: io.terminal };
      if (env.TERM === 'dumb')
        return (await import('./output/line-prompt.ts')).createLinePrompt(parts.signal, terminal);
      return (await import('./output/enquirer-prompt.ts')).createEnquirerPrompt(parts.signal, terminal);
    }),
    servers: once(() => openServers({ record }, () => clock.now())),
    async secret(reference) {
      const { parseSecretReference, resolveSecretReference } = await import('./store/secret-reference.ts');
      const secret = await resolveSecretReference(parseSecretReference(reference), {
        env,
        readStdin: io.readStdin,
        onRepair: warn,
      });
      redactor.know(secret);
      return secret;
    },
    async readFile(path) {
      const { readTextFile } = await import('./store/text-file.ts');
      return readTextFile(path, warn);
    },
    readBytes: async (path) => (await import('./store/bytes-file.ts')).readBytesFile(path),
    writeBytes: async (path, bytes) => (await import('./store/bytes-file.ts')).writeBytesFile(path, bytes),
    onExchange(listener) {
      listeners.push(listener);
    },
    withTransport: (options) => compose(parts, options, listeners),
  };
}

async function openServers(recorder: Recorder, now: () => number): Promise<Servers> {
  const { listenAuthenticationDevice } = await import('./servers/authentication-device.ts');
  return {
    authenticationDevice: (options) => listenAuthenticationDevice(options, recorder, now),
    async redirect(options) {
      const { listenRedirect } = await import('./servers/redirect.ts');
      return listenRedirect(options, recorder, now);
    },
    async resource(options) {
      const { listenResourceServer } = await import('./servers/resource-server.ts');
      return listenResourceServer(options, recorder, now);
    },
  };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** The real clock. Timers hold at most 24 days, so longer sleeps are several. */
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

/** The parts that stand for this process: its streams, environment, clock and signals. */
export function processParts(options: { showSecrets: boolean }): ContextParts {
  const redactor = new Redactor(options.showSecrets);
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const reason = new InterruptedError(signal);
      // A second signal, or a clean-up that hangs, ends it at once.
      if (abort.signal.aborted) process.exit(reason.exitCode);
      abort.abort(reason);
      setTimeout(() => process.exit(reason.exitCode), CLEAN_UP_TIME).unref();
    });
  }
  // Nobody takes any more: a run without an end has to end.
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
    io: {
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
      // Asked for late: merely touching a stream of the process makes Node set it up.
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

/** Where stderr fails, there is nowhere to say so, and the result still counts. */
function stderr(): NodeJS.WriteStream {
  if (!isStderrGuarded) {
    isStderrGuarded = true;
    process.stderr.on('error', () => {});
  }
  return process.stderr;
}
