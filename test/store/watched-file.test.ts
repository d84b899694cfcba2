import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type FileWatchOptions, watchFile } from '../../src/store/watched-file.ts';
import { testParts } from '../helpers/parts.ts';

/** A file that is watched, and what was heard of it. */
async function watched(text: string, options: Partial<FileWatchOptions> = {}) {
  const path = join((await testParts()).home, 'list.json');
  await writeFile(path, text);
  const heard: unknown[] = [];
  const wrong: string[] = [];
  const file = watchFile(path, {
    onText: (now) => heard.push(JSON.parse(now)),
    onError: (error) => wrong.push((error as Error).message),
    pollEvery: 20,
    settleAfter: 20,
    ...options,
  });
  onTestFinished(() => file.close());
  await vi.waitFor(() => expect([...heard, ...wrong].length).toBeGreaterThan(0));
  return { path, heard, wrong, file };
}

it('tells what stands in the file at first, and after every change', async () => {
  const { path, heard } = await watched('1');
  expect(heard).toEqual([1]);
  await writeFile(path, '22');
  await vi.waitFor(() => expect(heard.at(-1)).toBe(22));
});

it.each([20, 60_000])(
  'sees a file that is replaced, by notice or by looking (every %d ms)',
  async (pollEvery) => {
    const { path, heard } = await watched('1', { pollEvery });
    for (const text of ['2', '3']) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
      await vi.waitFor(() => expect(heard.at(-1)).toBe(Number(text)));
    }
  },
);

it('does not tell of half a file that is whole a moment later', async () => {
  const { path, heard, wrong } = await watched('1', { settleAfter: 300 });
  await writeFile(path, '[1,');
  await new Promise((resolve) => setTimeout(resolve, 60));
  await writeFile(path, '[1,2]');
  await vi.waitFor(() => expect(heard.at(-1)).toEqual([1, 2]));
  expect(wrong).toEqual([]);
});

it('tells once of a file that stays no good, and of one that is gone', async () => {
  const { path, heard, wrong } = await watched('1');
  await writeFile(path, '[');
  await vi.waitFor(() => expect(wrong).toEqual([expect.stringContaining('JSON')]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(wrong).toHaveLength(1);
  await rm(path);
  await vi.waitFor(() => expect(wrong.at(-1)).toContain('ENOENT'));
  expect(heard).toEqual([1]);
});

it('tells of nothing once it is closed', async () => {
  const { path, heard, file } = await watched('1');
  file.close();
  await writeFile(path, '2');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toEqual([1]);
});
