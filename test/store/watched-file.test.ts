import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { watchFile } from '../../src/store/watched-file.ts';
import { testParts } from '../helpers/parts.ts';
import { until } from '../helpers/wait.ts';

/** Milliseconds between two looks at the file, which the tests alone let pass. */
const POLL_EVERY = 1_000;
/** Milliseconds after which a text that is not valid is read again. */
const SETTLE_AFTER = 250;

afterEach(() => {
  vi.useRealTimers();
});

/** Watches a file, and keeps what is told of it. */
function watch(path: string) {
  const heard: unknown[] = [];
  const wrong: string[] = [];
  const file = watchFile(path, {
    onText: (now) => heard.push(JSON.parse(now)),
    onError: (error) => wrong.push((error as Error).message),
    pollEvery: POLL_EVERY,
    settleAfter: SETTLE_AFTER,
  });
  onTestFinished(() => file.close());
  return { heard, wrong, file };
}

/** A file that is watched, once its first text was told; its timers are in the hands of the test. */
async function watched(text: string) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const path = join((await testParts()).home, 'list.json');
  await writeFile(path, text);
  const watching = watch(path);
  await until(() => watching.heard.length > 0);
  return { path, ...watching };
}

/** Waits until a text that is not valid was read, and is to be read again after SETTLE_AFTER. */
const untilItSettles = () => until(() => vi.getTimerCount() === 2, 'the file is to be read again');

it('tells the text at first, and after every change', async () => {
  const { path, heard } = await watched('1');
  expect(heard).toEqual([1]);
  await writeFile(path, '22');
  await until(() => heard.at(-1) === 22);
  expect(heard).toEqual([1, 22]);
});

it('sees by notice that a file is replaced', async () => {
  const { path, heard } = await watched('1');
  for (const text of ['2', '3']) {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    await until(() => heard.at(-1) === Number(text));
  }
  expect(heard).toEqual([1, 2, 3]);
});

it('sees by looking at it that a file is replaced', async () => {
  const { path, heard } = await watched('1');
  for (const text of ['2', '3']) {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    await until(() => {
      vi.advanceTimersByTime(POLL_EVERY);
      return heard.at(-1) === Number(text);
    });
  }
  expect(heard).toEqual([1, 2, 3]);
});

it('does not tell of half a file that is whole a moment later', async () => {
  const { path, heard, wrong } = await watched('1');
  await writeFile(path, '[1,');
  await untilItSettles();
  await writeFile(path, '[1,2]');
  vi.advanceTimersByTime(SETTLE_AFTER);
  await until(() => heard.length > 1);
  expect(heard).toEqual([1, [1, 2]]);
  expect(wrong).toEqual([]);
});

it('tells once of a file that stays invalid, and of one that is gone', async () => {
  const { path, heard, wrong } = await watched('1');
  const settle = () => vi.advanceTimersByTime(SETTLE_AFTER);
  await writeFile(path, '[');
  await untilItSettles();
  settle();
  await until(() => wrong.length > 0);
  await rm(path);
  await untilItSettles();
  settle();
  await until(() => wrong.length > 1);
  expect(wrong).toEqual([expect.stringContaining('JSON'), expect.stringContaining('ENOENT')]);
  expect(heard).toEqual([1]);
});

it('tells nothing once it is closed', async () => {
  const { path, heard, file } = await watched('1');
  file.close();
  await writeFile(path, '2');
  // Another one that watches the same file has heard of it by then.
  const other = watch(path);
  await until(() => other.heard.length > 0);
  await writeFile(path, '3');
  await until(() => {
    vi.advanceTimersByTime(POLL_EVERY);
    return other.heard.at(-1) === 3;
  });
  expect(heard).toEqual([1]);
});
