import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/errors.ts';
import { openStore } from '../../src/store/index.ts';
import { JsonFile } from '../../src/store/json-file.ts';
import { tryLock } from '../../src/store/lock.ts';
import { emptyFolder } from './folder.ts';

interface Document {
  version: 1;
  names: string[];
}

const isDocument = (value: unknown): value is Document => Array.isArray((value as Document | null)?.names);

async function documentIn(folder: string) {
  const path = join(folder, 'names.json');
  return {
    path,
    file: new JsonFile<Document>(path, { empty: () => ({ version: 1, names: [] }), isContent: isDocument }),
  };
}

const addName = (document: Document) => {
  document.names.push('another');
};

describe('a JSON file', () => {
  it('is empty before it exists, and reading makes nothing', async () => {
    const folder = await emptyFolder();
    const { file } = await documentIn(join(folder, 'below'));
    expect(await file.read()).toEqual({ version: 1, names: [] });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is 0600 in a 0700 folder', async () => {
    const folder = join(await emptyFolder(), 'a', 'b');
    const { path, file } = await documentIn(folder);
    await file.change(addName);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('becomes 0600 again when somebody had opened it to others', async () => {
    const { path, file } = await documentIn(await emptyFolder());
    await writeFile(path, '{"version":1,"names":[]}', { mode: 0o644 });
    await file.change(addName);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves neither temporary file nor lock behind', async () => {
    const folder = await emptyFolder();
    const { file } = await documentIn(folder);
    await file.change(addName);
    await file.change(addName);
    expect(await readdir(folder)).toEqual(['names.json']);
    expect(await file.read()).toEqual({ version: 1, names: ['another', 'another'] });
  });

  it('returns what the change returns, and is not written when nothing changed', async () => {
    const folder = await emptyFolder();
    const { file } = await documentIn(folder);
    expect(await file.change((document) => document.names.length)).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('stays as it was, and unlocked, when the change throws', async () => {
    const folder = await emptyFolder();
    const { file } = await documentIn(folder);
    await file.change(addName);
    const failing = file.change((document) => {
      document.names = [];
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await file.read()).toEqual({ version: 1, names: ['another'] });
    expect(await readdir(folder)).toEqual(['names.json']);
  });

  it.each([
    ['half-written', '{"version":1,"names":["a"'],
    ['empty', ''],
    ['of another shape', '{"version":1,"names":"a"}'],
    ['a JSON null', 'null'],
  ])('that is %s is reported with its path and left byte for byte, also by a write', async (_what, text) => {
    const folder = await emptyFolder();
    const { path, file } = await documentIn(folder);
    await writeFile(path, text);
    for (const attempt of [file.read(), file.change(addName)]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'file_unreadable',
        exitCode: 2,
        message: expect.stringContaining(path),
      });
    }
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(folder)).toEqual(['names.json']);
  });

  it('that cannot be opened is reported with its path', async () => {
    const { path, file } = await documentIn(await emptyFolder());
    await mkdir(path);
    for (const attempt of [file.read(), file.change(addName)]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'file_unreadable',
        exitCode: 2,
        message: expect.stringContaining(path),
      });
    }
  });

  it('whose folder cannot be made is reported with its path', async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, 'taken'), 'a file where a folder belongs');
    const { path, file } = await documentIn(join(folder, 'taken'));
    await expect(file.change(addName)).rejects.toMatchObject({
      code: 'file_unwritable',
      exitCode: 2,
      message: expect.stringContaining(path),
    });
  });

  it('overcomes the lock of a process that died', async () => {
    const folder = await emptyFolder();
    const { path, file } = await documentIn(folder);
    await mkdir(`${path}.lock`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, longAgo, longAgo);
    await file.change(addName);
    expect(await file.read()).toEqual({ version: 1, names: ['another'] });
    expect(await readdir(folder)).toEqual(['names.json']);
  });
});

describe('the lock of a JSON file', () => {
  const names = { empty: () => ({ version: 1, names: [] }) as Document, isContent: isDocument };

  it('that stays held ends the wait, which says who holds it', async () => {
    const path = join(await emptyFolder(), 'names.json');
    const lock = await tryLock(`${path}.lock`, {
      pid: 4711,
      argv: ['node', 'oauthctl', 'token', 'refresh'],
    });
    await expect(new JsonFile(path, names, { patience: 50 }).change(addName)).rejects.toMatchObject({
      code: 'file_locked',
      exitCode: 2,
      message: expect.stringMatching(/is locked by "oauthctl token refresh" \(process 4711 on /),
    });
    await lock?.release();
  });

  it('is waited for until a signal ends it', async () => {
    const path = join(await emptyFolder(), 'names.json');
    const lock = await tryLock(`${path}.lock`);
    const abort = new AbortController();
    const changing = new JsonFile(path, names, { signal: abort.signal }).change(addName);
    abort.abort(new InterruptedError('SIGINT'));
    await expect(changing).rejects.toMatchObject({ code: 'interrupted' });
    await lock?.release();
  });

  it('that was lost before the write leads to a second change, of what the other process wrote', async () => {
    const folder = await emptyFolder();
    const { path, file } = await documentIn(folder);
    let calls = 0;
    await file.change((document) => {
      calls += 1;
      document.names.push('ours');
      if (calls > 1) return;
      // As after a long stop: another process has taken the lock over, changed the file and released it.
      rmSync(`${path}.lock`);
      writeFileSync(path, '{"version":1,"names":["theirs"]}');
    });
    expect(await file.read()).toEqual({ version: 1, names: ['theirs', 'ours'] });
    expect(await readdir(folder)).toEqual(['names.json']);
  });
});

describe('the store', () => {
  it.each([
    ['profiles.json', '{"version":2,"profiles":{}}'],
    ['profiles.json', '{"version":1,"profiles":{"a":{"client_id":"no issuer"}}}'],
    ['profiles.json', '{"version":1,"profiles":{"a":{"issuer":1}}}'],
    ['profiles.json', '{"version":1,"current":1,"profiles":{}}'],
    ['profiles.json', '[]'],
    ['tokens.json', '{"version":1,"last":{"a":{"response":null}}}'],
    ['tokens.json', '{"version":1,"last":[]}'],
    ['pending.json', '{"version":1,"requests":[{}],"held":[]}'],
    ['pending.json', '{"version":1,"requests":[],"held":[null]}'],
    ['pending.json', '{"version":1,"requests":[]}'],
  ])('refuses %s with %s in it', async (name, text) => {
    const home = await emptyFolder();
    const path = join(home, name);
    await writeFile(path, text);
    const store = openStore({ OAUTHCTL_HOME: home });
    const reads = {
      'profiles.json': () => store.profiles.list(),
      'tokens.json': () => store.tokens.last('a'),
      'pending.json': () => store.pending.last('a'),
    };
    await expect(reads[name as keyof typeof reads]()).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining(path),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('makes no file before there is something to keep', async () => {
    const home = await emptyFolder();
    const store = openStore({ OAUTHCTL_HOME: home });
    await store.profiles.list();
    await store.pending.last('a');
    await store.tokens.last('a');
    expect(await readdir(home)).toEqual([]);
  });
});
