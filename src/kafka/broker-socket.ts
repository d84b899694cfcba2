import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { BrokerAddress } from './types.ts';

/** The largest answer that is read, in bytes. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Why received bytes are not an answer of a broker. */
export type ForeignAnswer = 'http' | 'tls' | 'too_large' | 'unreadable';

/** The received bytes are not an answer of a Kafka broker. */
export class ForeignAnswerError extends Error {
  readonly reason: ForeignAnswer;

  constructor(reason: ForeignAnswer) {
    super(reason);
    this.reason = reason;
  }
}

/** The broker ended the connection while an answer was due. */
export class ClosedError extends Error {}

/** A socket that sends one request frame at a time and receives its answer. */
export class BrokerSocket {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #failure: Error | undefined;
  #waiting: { resolve(frame: Buffer): void; reject(error: Error): void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => this.#fail(new ClosedError()));
    socket.on('close', () => this.#fail(new ClosedError()));
  }

  /**
   * Sends one frame and waits for the next one.
   * @returns it without its length
   * @throws ForeignAnswerError, ClosedError, the socket's own error, the signal's reason
   */
  async exchange(frame: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const onAbort = () => this.#fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#socket.write(frame);
      });
    } finally {
      this.#waiting = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < 4) return;
    const [first] = this.#chunks;
    if (this.#chunks.length > 1 && first && first.length < 4) this.#join();
    const length = this.#chunks[0]?.readInt32BE(0) ?? 0;
    const foreign = detectForeignAnswer(this.#chunks[0] ?? chunk, length);
    if (foreign !== undefined) this.#fail(new ForeignAnswerError(foreign));
    else if (this.#size >= 4 + length) this.#deliver(this.#join(), length);
  }

  #deliver(whole: Buffer, length: number): void {
    this.#chunks.length = 0;
    this.#size = 0;
    // No bytes may follow the one answer.
    if (whole.length > 4 + length || this.#waiting === undefined)
      this.#fail(new ForeignAnswerError('unreadable'));
    else this.#waiting.resolve(whole.subarray(4));
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks.splice(0, this.#chunks.length, joined);
    return joined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#socket.destroy();
  }
}

function detectForeignAnswer(head: Buffer, length: number): ForeignAnswer | undefined {
  if (head.toString('latin1', 0, 4) === 'HTTP') return 'http';
  // A TLS record: an alert or a handshake, of any version.
  if ((head[0] === 0x15 || head[0] === 0x16) && head[1] === 0x03) return 'tls';
  // An answer starts with the four bytes of its correlation id.
  if (length < 4) return 'unreadable';
  return length > MOST_BYTES ? 'too_large' : undefined;
}

export interface OpenedSocket<Kind> {
  readonly socket: Kind;
  readonly ms: number;
}

/** Connects by TCP. @throws the socket's error, the signal's reason */
export async function openTcp(
  { host, port }: BrokerAddress,
  signal: AbortSignal,
  now: () => number,
): Promise<OpenedSocket<Socket>> {
  const startedAt = now();
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true });
  await settled(socket, 'connect', signal);
  return { socket, ms: now() - startedAt };
}

/** Starts TLS on a connection. @throws the socket's error, ClosedError, the signal's reason */
export async function openTls(
  socket: Socket,
  { host }: BrokerAddress,
  options: ConnectionOptions,
  signal: AbortSignal,
  now: () => number,
): Promise<OpenedSocket<TLSSocket>> {
  const { connect } = await import('node:tls');
  const startedAt = now();
  const secured = connect({ ...options, socket, ...(isIP(host) ? { host } : { host, servername: host }) });
  await settled(secured, 'secureConnect', signal);
  return { socket: secured, ms: now() - startedAt };
}

async function settled(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  let onAbort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      socket.once(event, resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new ClosedError()));
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // A destroyed socket may still emit an error.
    socket.on('error', () => {});
  }
}
