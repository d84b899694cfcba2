import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Milliseconds after which the lock of a process that died is overcome; a living one renews its own. */
const STALE = 10_000;

/**
 * Takes a lock between processes, without waiting for it.
 * @param path of the lock itself
 * @returns what releases it; undefined while somebody else holds it
 * @throws the file system's error where no lock can be made
 */
export async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  const { default: lockfile } = await import('proper-lockfile');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const release = await lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      stale: STALE,
      // A machine that slept may have lost it. What is under way then is finished all the same.
      onCompromised: () => {},
    });
    return () => release().catch(() => {});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}
