import { withoutByteOrderMarks } from './http/byte-order-marks.ts';
import type { Exchange, HttpClient, Recorder, TransportOptions } from './http/types.ts';
import type { KafkaClient } from './kafka/types.ts';
import type { Prompt } from './output/prompt.ts';
import { Warnings } from './output/warnings.ts';
import type { Redactor } from './redact.ts';
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
  /** Resolves after the given milliseconds; rejects with the signal's reason if it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Io {
  /** Writes the result. */
  out(text: string | Uint8Array): void;
  /** Writes a part of the result, and resolves when there is room for more. */
  outDrained(text: string): Promise<void>;
  /** Resolves when all results are written. @throws OutputError if they could not be written */
  outFlushed(): Promise<void>;
  /** Writes progress, steps, warnings and errors; known secrets are masked. */
  err(text: string): void;
  /** Writes to stderr without masking: what the user needs, such as a URL to open. */
  show(text: string): void;
  readStdin(): Promise<string>;
  readStdinBytes(): Promise<Uint8Array>;
  /** Standard input in chunks, read on demand; throws the signal's reason when it aborts. */
  stdinChunks(signal: AbortSignal): AsyncIterable<string>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** The width of stdout; undefined if it is not a terminal. */
  readonly stdoutColumns: number | undefined;
  /** stderr itself, for spinners and questions; to be used only if it is a terminal. */
  readonly terminal: NodeJS.WriteStream;
  /** stdin itself, for questions; to be used only if it is a terminal. */
  readonly keyboard: NodeJS.ReadStream;
}

/** Creates the listeners; each resolves when it listens. */
export interface Servers {
  authenticationDevice(options: AuthenticationDeviceOptions): Promise<AuthenticationDeviceServer>;
  redirect<Response>(options: RedirectOptions<Response>): Promise<RedirectServer<Response>>;
  resource(options: ResourceServerOptions): Promise<ResourceServer>;
}

/** The resources that a command or flow uses; those that are slow to load are created on first use. */
export interface Context {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Makes cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Aborts on SIGINT and SIGTERM; its reason is an InterruptedError. */
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  /** Opens a URL in the user's browser. @throws Error if that is not possible */
  readonly browse: (url: string) => Promise<void>;
  http(): Promise<HttpClient>;
  kafka(): Promise<KafkaClient>;
  store(): Promise<Store>;
  prompt(): Promise<Prompt>;
  servers(): Promise<Servers>;
  /** Starts threads that verify batches of tokens; the caller has to close them. */
  readonly batchPool: (setup: BatchSetup) => Promise<BatchPool>;
  /** Resolves a secret reference (`env:`, `file:`, `cmd:`, `-`, or the secret itself), and remembers it for masking. */
  secret(reference: string): Promise<string>;
  /**
   * Reserves standard input, which can be read once in a run.
   * @param reader the name of the reader in an error, such as `--password`
   * @throws UsageError `stdin_twice`, which names both readers, if it is reserved already
   */
  claimStdin(reader: string): void;
  /** Warns the user of input that was repaired or ignored; each text once. */
  warn(text: string): void;
  /** Registers a listener for warnings. */
  onWarning(listener: (text: string) => void): void;
  /** Reads a text file that an option names; a byte order mark is ignored with a warning. */
  readFile(path: string): Promise<string>;
  /** Reads a file of any kind that an option names. */
  readBytes(path: string): Promise<Uint8Array>;
  /** Writes a file that an option names, replacing an existing one. */
  writeBytes(path: string, bytes: Uint8Array): Promise<void>;
  /** Registers a listener for exchanges, sent or received. */
  onExchange(listener: (exchange: Exchange) => void): void;
  /** Returns the same context with another transport. */
  withTransport(options: TransportOptions): Context;
}

/** The parts of a context that use the process; tests have other ones. */
export interface ContextParts {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** The process as the holder of locks. */
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

/** Creates a context; the only place that creates transport, store, prompt and listeners. */
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
      const terminal = { env, stdin: io.keyboard, stderr: io.terminal };
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
