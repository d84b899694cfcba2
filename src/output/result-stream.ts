import { OutputError } from '../errors.ts';

/** The part of a stream that is used: stdout of the process, or a test double. */
export interface WritableOutput {
  write(chunk: string | Uint8Array, onWritten?: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  removeListener(event: 'drain' | 'close', listener: () => void): unknown;
}

/**
 * The stream that results are written to. A failure to write is kept and reported by `flushed`, so that no result is
 * lost silently. It is not a failure if the reader closes the pipe after a part (`| head -1`).
 */
export class ResultStream {
  readonly #open: () => WritableOutput;
  readonly #onClosed: (reason: OutputError) => void;
  #stream: WritableOutput | undefined;
  #failure: OutputError | undefined;
  #delivered = 0;
  #pending = 0;
  #idle: (() => void)[] = [];

  /**
   * @param open returns the stream; called at the first write
   * @param onClosed is called once when the reader has closed the stream
   */
  constructor(open: () => WritableOutput, onClosed: (reason: OutputError) => void) {
    this.#open = open;
    this.#onClosed = onClosed;
  }

  /** Writes; after a failure, discards. @returns whether there is room for more */
  write(chunk: string | Uint8Array): boolean {
    if (this.#failure !== undefined || chunk.length === 0) return true;
    this.#stream ??= this.#listen();
    this.#pending += 1;
    return this.#stream.write(chunk, (error) => {
      this.#pending -= 1;
      if (error) this.#fail(error);
      else this.#delivered += 1;
      if (this.#pending === 0) for (const wake of this.#idle.splice(0)) wake();
    });
  }

  /** Writes, and resolves when there is room for more or the stream is closed. */
  async writeDrained(chunk: string): Promise<void> {
    if (this.write(chunk)) return;
    const stream = this.#stream;
    if (stream === undefined) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        stream.removeListener('drain', done);
        stream.removeListener('close', done);
        resolve();
      };
      stream.once('drain', done);
      stream.once('close', done);
    });
  }

  /**
   * Resolves when all is written.
   * @throws OutputError `output_failed`, `output_closed` if nothing was read
   */
  async flushed(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    if (this.#failure !== undefined && !this.#failure.isReadersChoice) throw this.#failure;
  }

  #listen(): WritableOutput {
    const stream = this.#open();
    stream.on('error', (error) => this.#fail(error));
    return stream;
  }

  #fail(cause: NodeJS.ErrnoException): void {
    if (this.#failure !== undefined) return;
    const isClosed = cause.code === 'EPIPE' || cause.code === 'ERR_STREAM_DESTROYED';
    this.#failure = new OutputError(isClosed ? 'output_closed' : 'output_failed', {
      isReadersChoice: isClosed && this.#delivered > 0,
      cause,
    });
    this.#onClosed(this.#failure);
  }
}
