import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Milliseconds after which the lock of a dead process expires; a running process renews its lock. */
const STALE = 10_000;

/**
 * Takes a lock between processes, without waiting for it.
 * @param path of the lock itself
 * @returns the function that releases it; undefined while another process holds it
 * @throws the file system's error if the lock cannot be created
 */
export async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  const { default: lockfile } = await import('proper-lockfile');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const release = await lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      stale: STALE,
      // The lock can be lost while the machine is suspended. The running change is still completed.
      onCompromised: () => {},
    });
    return () => release().catch(() => {});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}
