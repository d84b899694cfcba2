import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { decodeText } from './text-file.ts';

export interface WatchedFile {
  close(): void;
}

export interface FileWatchOptions {
  /** The text as it is now, and whenever it has changed; throws for one that is no good, which may be half of one that is being written. */
  readonly onText: (text: string) => void;
  /** The file is no good, or gone, and has been for a moment. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds. */
  readonly pollEvery?: number;
  /** Milliseconds after which a text that is no good is read again before it counts. */
  readonly settleAfter?: number;
}

/**
 * Watches a file, also one that is replaced by renaming. The system's notices come at once where there are any; the
 * file is looked at every second as well, since some file systems send none.
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
  /** One look at a time; a notice that comes meanwhile is one more. */
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

/** The folder is watched, since a file that is replaced is another one. */
function watchFolder(target: string, onNotice: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(target), (_event, name) => {
      if (name === null || name === basename(target)) onNotice();
    });
    // The system has no more watchers to give, or the folder is gone.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** What changes whenever the file does. */
async function readState(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
