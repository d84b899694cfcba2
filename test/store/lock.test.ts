import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { describeHolderCommand, describeLockHolder, type LockHolder, tryLock } from '../../src/store/lock.ts';
import { bundleStoreScript } from './bundle-script.ts';
import { emptyFolder } from './folder.ts';

const HOLDER: LockHolder = { pid: 4711, argv: ['node', 'oauthctl', 'token', 'refresh'] };

/** Starts a process that takes the lock and keeps it. */
async function startHolder(folder: string, path: string): Promise<ChildProcess> {
  const script = await bundleStoreScript(
    folder,
    `import { tryLock } from './lock.ts';
     const lock = await tryLock(process.argv[2], process);
     process.stdout.write(lock === undefined ? 'refused' : 'held');
     process.stdin.on('data', async () => process.stdout.write(String(await lock.isOurs())));`,
  );
  const child = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  // The lock goes by the inode of its folder, which the next test's folder can get.
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  const [text] = await once(child.stdout, 'data');
  if (String(text) !== 'held') throw new Error(`the lock was not taken: ${text}`);
  return child;
}

describe('a lock between processes', () => {
  it('is held by one, and free again after its release, with nothing left behind', async () => {
    const folder = await emptyFolder();
    const path = join(folder, 'a.lock');
    const lock = await tryLock(path, HOLDER);
    expect(await tryLock(path, HOLDER)).toBeUndefined();
    expect(await lock?.isOurs()).toBe(true);
    await lock?.release();
    expect(await readdir(folder)).toEqual([]);
    const again = await tryLock(path, HOLDER);
    expect(again).toBeDefined();
    await again?.release();
  });

  it('is free at once when its process was killed', async () => {
    const folder = await emptyFolder();
    const path = join(folder, 'a.lock');
    const child = await startHolder(folder, path);
    expect(await tryLock(path, HOLDER)).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await readdir(folder)).toContain('a.lock');
    const lock = await tryLock(path, HOLDER);
    expect(await lock?.isOurs()).toBe(true);
    await lock?.release();
    expect(await readdir(folder)).not.toContain('a.lock');
  });

  it('stays with a process that is stopped for longer than a lock file lasts', async () => {
    const folder = await emptyFolder();
    const path = join(folder, 'a.lock');
    const child = await startHolder(folder, path);
    child.kill('SIGSTOP');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    expect(await tryLock(path, HOLDER)).toBeUndefined();
    child.kill('SIGCONT');
    child.stdin?.write('?');
    const [text] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    expect(String(text)).toBe('true');
  });

  it('says who holds it', async () => {
    const path = join(await emptyFolder(), 'a.lock');
    const lock = await tryLock(path, HOLDER);
    expect(await describeLockHolder(path, Date.now() + 7_000)).toMatch(
      /^"oauthctl token refresh" \(process 4711 on .+, for 7 s\)$/,
    );
    await lock?.release();
    expect(await describeLockHolder(path)).toBe('another run');
  });

  it('does not say which arguments its holder was started with', () => {
    const argv = ['node', 'oauthctl', 'revoke', 'eyJhbGciOiJub25lIn0.e30.', '--client-secret', 'secret'];
    expect(describeHolderCommand({ argv })).toBe('oauthctl revoke');
  });

  it('is not taken from another machine while it is renewed there, and then it is', async () => {
    const folder = await emptyFolder();
    const path = join(folder, 'a.lock');
    const text = JSON.stringify({
      id: 'other',
      pid: 1,
      command: 'oauthctl',
      host: 'b',
      scope: 'b',
      since: 0,
    });
    await writeFile(path, text);
    expect(await tryLock(path, HOLDER)).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe(text);
    const longAgo = new Date(Date.now() - 11_000);
    await utimes(path, longAgo, longAgo);
    const lock = await tryLock(path, HOLDER);
    expect(await lock?.isOurs()).toBe(true);
    await lock?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('that another process has taken over is no longer ours, and its release leaves the other’s alone', async () => {
    const path = join(await emptyFolder(), 'a.lock');
    const lock = await tryLock(path, HOLDER);
    await writeFile(path, 'of another process');
    expect(await lock?.isOurs()).toBe(false);
    await lock?.release();
    expect(await readFile(path, 'utf8')).toBe('of another process');
  });

  it('is renewed while it is held', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const path = join(await emptyFolder(), 'a.lock');
    const lock = await tryLock(path, HOLDER);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(async () => expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(30_000));
    await lock?.release();
  });

  it('of an older version, which is a folder, is respected until it is stale', async () => {
    const folder = await emptyFolder();
    const path = join(folder, 'a.lock');
    await mkdir(path);
    expect(await tryLock(path, HOLDER)).toBeUndefined();
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    const lock = await tryLock(path, HOLDER);
    expect(await lock?.isOurs()).toBe(true);
    await lock?.release();
    expect(await readdir(folder)).toEqual([]);
  });
});
