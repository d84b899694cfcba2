import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where downloads and unpacked servers are kept between runs: never inside the repository. */
export function cacheFolder(): string {
  const { OAUTHCTL_LAB_CACHE, XDG_CACHE_HOME } = process.env;
  return OAUTHCTL_LAB_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'oauthctl-lab');
}

/** Gives the path of a file or folder of the cache if it is there. */
export function inCache(path: string): string | undefined {
  const target = join(cacheFolder(), path);
  return existsSync(target) ? target : undefined;
}

/**
 * Gives a file or folder of the cache, made first if it is missing.
 *
 * It is made under another name and renamed when whole, so a run that is killed leaves nothing that the next one
 * takes for complete, and of two runs that make it at the same time the first one wins.
 *
 * @param path below the cache folder
 * @param make creates what it is given the path of; its parent folder exists
 */
export async function cached(path: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), path);
  if (existsSync(target)) return target;
  const unfinished = `${target}.unfinished-${randomUUID()}`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await make(unfinished);
    await rename(unfinished, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return target;
}

/** Makes an empty folder for one run of one server. */
export function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `oauthctl-lab-${name}-`));
}
