import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { decodeText } from './text-file.ts';

export interface WatchedFile {
  close(): void;
}

export interface FileWatchOptions {
  /** Called with the text at the start and after each change; throws if it is invalid, for example partly written. */
  readonly onText: (text: string) => void;
  /** Called when the file was still invalid or missing at the second attempt. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds. */
  readonly pollEvery?: number;
  /** Milliseconds after which an invalid text is read again before it is reported. */
  readonly settleAfter?: number;
}

/**
 * Watches a file, including one that is replaced by renaming. It also checks the file every second, because some file
 * systems send no notifications.
 */
export function watchFile(path: string, options: FileWatchOptions): WatchedFile {
  const { onText, onError, pollEvery = 1_000, settleAfter = 250 } = options;
  const target = resolve(path);
  let seen: string | undefined;
  let isClosed = false;
  let running: Promise<void> | undefined;
  let again = false;

  const look = async (): Promise<void> => {
    if ((await readState(target)) === seen) return;
    for (const isLast of [false, true]) {
      try {
        seen = await readState(target);
        const text = decodeText(await readFile(target));
        if (!isClosed) onText(text);
        return;
      } catch (error) {
        if (isClosed) return;
        if (isLast) onError(error);
        else await new Promise((wait) => setTimeout(wait, settleAfter));
      }
    }
  };
  /** Reads once at a time; a notification in the meantime causes one more read. */
  const check = (): void => {
    if (isClosed) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    running = look()
      .catch(onError)
      .finally(() => {
        running = undefined;
        if (again) {
          again = false;
          check();
        }
      });
  };

  const timer = setInterval(check, pollEvery);
  const watcher = watchFolder(target, check);
  // It may have changed since it was last read.
  check();
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      watcher?.close();
    },
  };
}

/** Watches the folder, because a replaced file is a new one. */
function watchFolder(target: string, onNotice: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(target), (_event, name) => {
      if (name === null || name === basename(target)) onNotice();
    });
    // No more watchers are available, or the folder does not exist.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** Returns a text that changes whenever the file does. */
async function readState(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
