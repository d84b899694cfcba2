import { InterruptedError } from './errors.ts';
import type { Exchange, HttpClient, TransportOptions } from './http/types.ts';
import type { Prompt } from './output/prompt.ts';
import { Redactor } from './redact.ts';
import type {
  AuthenticationDeviceOptions,
  AuthenticationDeviceServer,
} from './servers/authentication-device.ts';
import type { Store } from './store/index.ts';

export type {
  Exchange,
  HttpAnswer,
  HttpClient,
  HttpRequest,
  Recorder,
  TransportOptions,
} from './http/types.ts';
export type { Prompt } from './output/prompt.ts';
export type { Store } from './store/index.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many milliseconds, rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Io {
  /** Writes the result. */
  out(text: string): void;
  /** Writes progress, steps, warnings and errors; known secrets are masked on the way. */
  err(text: string): void;
  readStdin(): Promise<string>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** stderr itself, for spinners and questions; only to be used where it is a terminal. */
  readonly terminal: NodeJS.WriteStream;
}

/** What a listener of ours is made with; each resolves when it listens. */
export interface Servers {
  authenticationDevice(options: AuthenticationDeviceOptions): Promise<AuthenticationDeviceServer>;
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
  http(): Promise<HttpClient>;
  store(): Promise<Store>;
  prompt(): Promise<Prompt>;
  servers(): Promise<Servers>;
  /** Resolves a secret reference (`env:`, `file:`, `cmd:`, `-`, or the secret itself), and remembers it as one. */
  secret(reference: string): Promise<string>;
  /** Reads a text file that an option names. */
  readFile(path: string): Promise<string>;
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
  readonly redactor: Redactor;
}

export const DEFAULT_TRANSPORT: TransportOptions = {
  connectTimeoutMs: 10_000,
  timeoutMs: 30_000,
  maxBodyBytes: 1024 * 1024,
};

/** Composes a context; the only place that builds transport, store, prompt and listeners. */
export function createContext(parts: ContextParts, transport: TransportOptions = DEFAULT_TRANSPORT): Context {
  return compose(parts, transport, []);
}

function compose(
  parts: ContextParts,
  transport: TransportOptions,
  listeners: ((exchange: Exchange) => void)[],
): Context {
  const { io, env, clock, redactor } = parts;
  const record = (exchange: Exchange) => {
    for (const listener of listeners) listener(exchange);
  };
  const http = once(async () => {
    const { createHttpClient } = await import('./http/client.ts');
    return createHttpClient(transport, { record }, () => clock.now());
  });
  return {
    ...parts,
    http,
    store: once(async () => (await import('./store/index.ts')).openStore(env)),
    prompt: once(async () => (await import('./output/prompt.ts')).createPrompt(parts.signal, io.terminal)),
    servers: once(async () => {
      const { listenAuthenticationDevice } = await import('./servers/authentication-device.ts');
      return {
        authenticationDevice: (options) => listenAuthenticationDevice(options, { record }, () => clock.now()),
      };
    }),
    async secret(reference) {
      const { parseSecretReference, resolveSecretReference } = await import('./store/secret-reference.ts');
      const secret = await resolveSecretReference(parseSecretReference(reference), {
        env,
        readStdin: io.readStdin,
      });
      redactor.know(secret);
      return secret;
    },
    async readFile(path) {
      const { readTextFile } = await import('./store/text-file.ts');
      return readTextFile(path);
    },
    onExchange(listener) {
      listeners.push(listener);
    },
    withTransport: (options) => compose(parts, options, listeners),
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
  return {
    env: process.env,
    clock: systemClock,
    random: systemRandom,
    signal: abort.signal,
    redactor,
    io: {
      out: (text) => void guarded('stdout').write(text),
      err: (text) => void guarded('stderr').write(redactor.text(text)),
      async readStdin() {
        const chunks: Buffer[] = [];
        for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks).toString('utf8');
      },
      // Asked for late: merely touching a stream of the process makes Node set it up.
      get stdinIsTerminal() {
        return process.stdin.isTTY === true;
      },
      get stdoutIsTerminal() {
        return process.stdout.isTTY === true;
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

const guards = new Set<string>();

/** `oauthctl … | head -1` closes the pipe early: that is no error of ours. */
function guarded(name: 'stdout' | 'stderr'): NodeJS.WriteStream {
  const stream = process[name];
  if (!guards.has(name)) {
    guards.add(name);
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  return stream;
}
