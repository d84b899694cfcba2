import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { parseJson } from '../exact-json.ts';
import { type SystemLock, trySystemLock } from './system-lock.ts';

/** The process that takes locks. */
export interface LockHolder {
  readonly pid: number;
  /** As Node has it: the command begins at the third member. */
  readonly argv: readonly string[];
}

/** Names the command of a process. Further arguments are left out, because they can be secret. */
export function describeHolderCommand({ argv }: Pick<LockHolder, 'argv'>): string {
  const words = argv.slice(2, 4).filter((word) => /^[a-z][a-z-]{1,20}$/.test(word));
  return ['oauthctl', ...words].join(' ');
}

export interface Lock {
  /** Whether no other process has taken it over, which happens after a long stop of this process. */
  isOurs(): Promise<boolean>;
  release(): Promise<void>;
}

/** Milliseconds after which a lock is taken over whose holder does not renew it. */
const STALE = 10_000;
const RENEW_EVERY = STALE / 4;

/**
 * Takes a lock between processes, without waiting for it.
 *
 * There are two locks. The system's own excludes the processes of this machine (more exactly, of this network
 * namespace), and ends with the process, also by SIGKILL. A lock file excludes other containers and machines that share
 * the folder, and says who holds the lock. A lock file that a dead process of this machine has left is removed at once;
 * one of another machine after it has not been renewed for STALE milliseconds.
 * @param path of the lock file
 * @returns undefined while another process holds it
 * @throws the file system's error if the lock file cannot be created
 */
export async function tryLock(path: string, holder?: LockHolder): Promise<Lock | undefined> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const system = await trySystemLock(path);
  if (system.kind === 'busy') return undefined;
  try {
    const file = await takeFile(path, holder, system);
    if (file !== undefined) {
      return {
        isOurs: file.isOurs,
        async release() {
          await file.release();
          await releaseSystem(system);
        },
      };
    }
  } catch (error) {
    await releaseSystem(system);
    throw error;
  }
  await releaseSystem(system);
  return undefined;
}

/** Describes the holder of a lock, from the lock file. @param now milliseconds since the epoch */
export async function describeLockHolder(path: string, now = Date.now()): Promise<string> {
  const { pid, host, command, since } = parseRecord(await readText(path)) ?? {};
  if (pid === undefined || since === undefined) return 'another run';
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  return `"${command}" (process ${pid} on ${host}, for ${seconds} s)`;
}

async function releaseSystem(system: SystemLock): Promise<void> {
  if (system.kind === 'held') await system.release();
}

interface LockRecord {
  readonly pid?: number;
  readonly command?: string;
  readonly id: string;
  readonly host: string;
  /** The processes among which the system's lock excludes; undefined where there is none. */
  readonly scope?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

async function takeFile(
  path: string,
  holder: LockHolder | undefined,
  system: SystemLock,
): Promise<Lock | undefined> {
  const scope = system.kind === 'held' ? await readScope() : undefined;
  const record: LockRecord = {
    id: randomUUID(),
    ...(holder && { pid: holder.pid, command: describeHolderCommand(holder) }),
    host: hostname(),
    ...(scope !== undefined && { scope }),
    since: Date.now(),
  };
  const text = JSON.stringify(record);
  while (!(await create(path, text))) {
    const seen = await readText(path);
    if (seen === undefined) continue;
    const isDead = (scope !== undefined && parseRecord(seen)?.scope === scope) || (await isStale(path));
    if (!isDead) return undefined;
    await takeAway(path, seen);
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, RENEW_EVERY);
  timer.unref();
  const isOurs = async () => (await readText(path)) === text;
  return {
    isOurs,
    async release() {
      clearInterval(timer);
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}

/** @returns whether the file is new; false if there is one already */
async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // It was created, and the disk is full.
    if (!(await readText(path))) await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE;
  } catch {
    return false;
  }
}

/** Removes the file of a dead holder, unless another process has replaced it meanwhile. */
async function takeAway(path: string, seen: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) === seen) await rm(aside, { recursive: true, force: true });
  else await rename(aside, path);
}

/** The text of a lock file; undefined if there is none. The lock of an older version is a folder, read as empty. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : '';
  }
}

function parseRecord(text: string | undefined): LockRecord | undefined {
  try {
    const value = parseJson(text ?? '') as LockRecord | null;
    return typeof value?.since === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Identifies the machine since its start, and the network namespace: that of the system's lock. */
async function readScope(): Promise<string> {
  const parts = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/net').catch(() => ''),
  ]);
  return [hostname(), ...parts.map((part) => part.trim())].join(' ');
}
