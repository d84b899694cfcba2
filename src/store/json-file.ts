import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.ts';
import { parseJson, stringifyJson } from '../exact-json.ts';
import { decodeText } from './text-file.ts';

/**
 * A JSON document on disk: 0600 in a 0700 folder, written atomically, changed under a lock between processes. A file
 * that cannot be read is reported and not changed.
 */
export class JsonFile<Content extends object> {
  readonly path: string;
  readonly #empty: () => Content;
  readonly #isContent: (value: unknown) => value is Content;

  constructor(path: string, empty: () => Content, isContent: (value: unknown) => value is Content) {
    this.path = path;
    this.#empty = empty;
    this.#isContent = isContent;
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
   * @param change may modify its argument; its result is returned
   * @throws UsageError `file_unreadable`, `file_unwritable`, `file_locked`
   */
  async change<Result>(change: (content: Content) => Result): Promise<Result> {
    const [{ default: lockfile }, { default: writeFileAtomic }] = await Promise.all([
      import('proper-lockfile'),
      import('write-file-atomic'),
    ]);
    let release: () => Promise<void>;
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      release = await lockfile.lock(this.path, {
        realpath: false,
        stale: 10_000,
        retries: { retries: 40, factor: 1.2, minTimeout: 20, maxTimeout: 300, randomize: true },
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ELOCKED') {
        throw new UsageError('file_locked', `${this.path} is locked by another run`, {
          hint: `If no other oauthctl is running, remove ${this.path}.lock.`,
          cause: error,
        });
      }
      throw this.#unwritable(error);
    }
    try {
      const content = await this.read();
      const before = stringifyJson(content);
      const result = change(content);
      if (stringifyJson(content) !== before) {
        await writeFileAtomic(this.path, `${stringifyJson(content, 2)}\n`, { mode: 0o600 }).catch((error) => {
          throw this.#unwritable(error);
        });
      }
      return result;
    } finally {
      await release();
    }
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
