import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.ts';
import { parseJson, stringifyJson } from '../exact-json.ts';
import { describeLockHolder, type Lock, type LockHolder, tryLock } from './lock.ts';
import { decodeText } from './text-file.ts';

export interface Locking {
  readonly holder?: LockHolder | undefined;
  /** Ends the wait for a lock. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait for a lock; 30 s by default. */
  readonly patience?: number | undefined;
}

/** What a document is without its file, and how it is recognized. */
export interface DocumentKind<Content> {
  readonly empty: () => Content;
  readonly isContent: (value: unknown) => value is Content;
}

/** Milliseconds; three times as long as it takes until the lock of a dead process has expired. */
const PATIENCE = 30_000;

/**
 * A JSON document on disk: 0600 in a 0700 folder, written atomically, changed under a lock between processes. A file
 * that cannot be read is reported and not changed.
 */
export class JsonFile<Content extends object> {
  readonly path: string;
  readonly #empty: () => Content;
  readonly #isContent: (value: unknown) => value is Content;
  readonly #locking: Locking;

  constructor(path: string, { empty, isContent }: DocumentKind<Content>, locking: Locking = {}) {
    this.path = path;
    this.#empty = empty;
    this.#isContent = isContent;
    this.#locking = locking;
  }

  /** Reads without a lock: a write replaces the file in one step. @throws UsageError `file_unreadable` */
  async read(): Promise<Content> {
    let text: string;
    try {
      text = decodeText(await readFile(this.path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.#empty();
      throw this.#unreadable((error as Error).message, error);
    }
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (error) {
      throw this.#unreadable('it is not valid JSON', error);
    }
    if (!this.#isContent(value)) throw this.#unreadable('it is not in the format of oauthctl');
    return value;
  }

  /**
   * Changes the document under the lock.
   * @param change may modify its argument; its result is returned. It is called again if the lock was lost meanwhile
   * @throws UsageError `file_unreadable`, `file_unwritable`, `file_locked`; the reason of the signal
   */
  async change<Result>(change: (content: Content) => Result): Promise<Result> {
    for (;;) {
      const lock = await this.#lock();
      try {
        const content = await this.read();
        const before = stringifyJson(content);
        const result = change(content);
        const isChanged = stringifyJson(content) !== before;
        if (!isChanged || (await this.#write(content, lock))) return result;
      } finally {
        await lock.release().catch(() => {});
      }
    }
  }

  /** Waits for the lock, for longer than it takes until that of a dead process has expired. */
  async #lock(): Promise<Lock> {
    const { holder, signal, patience = PATIENCE } = this.#locking;
    const path = `${this.path}.lock`;
    const until = performance.now() + patience;
    for (;;) {
      let lock: Lock | undefined;
      try {
        lock = await tryLock(path, holder);
      } catch (error) {
        throw this.#unwritable(error);
      }
      if (lock !== undefined) return lock;
      if (performance.now() >= until) {
        throw new UsageError('file_locked', `${this.path} is locked by ${await describeLockHolder(path)}`, {
          hint: 'Wait until that run has ended, or end it; if it is stopped, let it continue.',
        });
      }
      await sleep(randomInt(10, 60), undefined, { signal }).catch((error) => {
        throw signal?.reason ?? error;
      });
    }
  }

  /** @returns false if the lock was lost, and nothing was written */
  async #write(content: Content, lock: Lock): Promise<boolean> {
    const { default: writeFileAtomic } = await import('write-file-atomic');
    if (!(await lock.isOurs())) return false;
    await writeFileAtomic(this.path, `${stringifyJson(content, 2)}\n`, { mode: 0o600 }).catch((error) => {
      throw this.#unwritable(error);
    });
    return true;
  }

  #unreadable(why: string, cause?: unknown): UsageError {
    return new UsageError('file_unreadable', `${this.path} cannot be read: ${why}`, {
      hint: 'It was not changed. Repair it, or move it away to start with a new one.',
      cause,
    });
  }

  #unwritable(cause: unknown): UsageError {
    return new UsageError('file_unwritable', `${this.path} cannot be written: ${(cause as Error).message}`, {
      hint: 'Check the permissions and the free space there, or set another folder with OAUTHCTL_HOME.',
      cause,
    });
  }
}

/** Whether a value is a JSON object with a `version` of 1, as every document here is. */
export function isVersionOne(value: unknown): value is { version: 1 } {
  return value !== null && typeof value === 'object' && (value as { version?: unknown }).version === 1;
}

/** Whether every value of a record passes the check. */
export function isRecord<Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item,
): value is Record<string, Item> {
  return (
    value !== null && typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(isItem)
  );
}
