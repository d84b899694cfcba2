import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { emptyFolder } from './folder.ts';

const kept = (access_token: string) => ({
  response: { access_token, 'not-before-policy': 0 },
  grant_type: 'client_credentials',
  issuer: 'https://as.example',
  client_id: 'a',
  received_at: 1,
});

describe('the token store', () => {
  it('keeps the last response of each owner, every member', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.keep('one', kept('first'));
    await tokens.keep('two', kept('other'));
    await tokens.keep('one', kept('second'));
    expect(await tokens.last('one')).toEqual(kept('second'));
    expect(await tokens.last('two')).toEqual(kept('other'));
  });

  it.each(['nobody', 'constructor', '__proto__'])('has nothing for %s, who had none', async (owner) => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.keep('one', kept('first'));
    expect(await tokens.last(owner)).toBeUndefined();
  });

  it('lists what is kept, and forgets those that are named and there', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.keep('one', kept('first'));
    await tokens.keep('two', kept('other'));
    expect(await tokens.list()).toEqual({ one: kept('first'), two: kept('other') });
    expect(await tokens.forget(['two', 'nobody', 'constructor'])).toEqual(['two']);
    expect(await tokens.list()).toEqual({ one: kept('first') });
  });

  it('drops a dead refresh token with all that came with it, and a dead access token alone', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    const response = { access_token: 'first', expires_in: 300, refresh_token: 'r', scope: 'a' };
    await tokens.keep('one', { ...kept('first'), response });
    await tokens.keep('two', kept('other'));
    expect(await tokens.drop('nothing')).toEqual([]);
    expect(await tokens.drop('first')).toEqual(['one']);
    expect((await tokens.last('one'))?.response).toEqual({ refresh_token: 'r', scope: 'a' });
    expect(await tokens.drop('r')).toEqual(['one']);
    expect(await tokens.list()).toEqual({ two: kept('other') });
    expect(await tokens.drop('other')).toEqual(['two']);
    expect(await tokens.list()).toEqual({});
  });

  it('replaces a refresh token that was used up, and nothing else', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    const response = { access_token: 'a', refresh_token: 'old', refresh_expires_in: 60 };
    await tokens.keep('one', { ...kept('a'), response });
    await tokens.rotate('one', 'old', 'new', kept('unused'));
    expect(await tokens.last('one')).toEqual({
      ...kept('a'),
      response: { access_token: 'a', refresh_token: 'new' },
    });
  });

  it('keeps a new refresh token alone where the used one is not kept', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.rotate('one', 'old', 'new', { ...kept('a'), grant_type: 'refresh_token' });
    expect(await tokens.last('one')).toEqual({
      ...kept('a'),
      grant_type: 'refresh_token',
      response: { refresh_token: 'new' },
    });
  });
});

describe('the right to refresh', () => {
  it('has one holder an owner at a time, and leaves nothing behind', async () => {
    const home = await emptyFolder();
    const { tokens } = openStore({ OAUTHCTL_HOME: home });
    const unlock = await tokens.lockRefresh('one');
    expect(await tokens.lockRefresh('one')).toBeUndefined();
    const unlockOther = await tokens.lockRefresh('https://as.example/realms/R a');
    expect(unlockOther).toBeTypeOf('function');
    await unlock?.();
    await unlockOther?.();
    expect(await readdir(home)).toEqual([]);
    const again = await tokens.lockRefresh('one');
    expect(again).toBeTypeOf('function');
    await again?.();
  });

  it('does not hold up a change of what is kept', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    const unlock = await tokens.lockRefresh('one');
    await tokens.keep('one', kept('first'));
    expect(await tokens.last('one')).toEqual(kept('first'));
    await unlock?.();
  });

  it('is taken from a process that died', async () => {
    const home = await emptyFolder();
    const { tokens } = openStore({ OAUTHCTL_HOME: home });
    const unlock = await tokens.lockRefresh('one');
    const [name = ''] = await readdir(home);
    await unlock?.();
    await mkdir(join(home, name));
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(home, name), longAgo, longAgo);
    const taken = await tokens.lockRefresh('one');
    expect(taken).toBeTypeOf('function');
    await taken?.();
    expect(await readdir(home)).toEqual([]);
  });

  it('that cannot be had because of the folder is reported with its path', async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, 'taken'), 'a file where a folder belongs');
    const { tokens } = openStore({ OAUTHCTL_HOME: join(folder, 'taken') });
    await expect(tokens.lockRefresh('one')).rejects.toMatchObject({
      code: 'file_unwritable',
      exitCode: 2,
      message: expect.stringContaining(join(folder, 'taken')),
    });
  });
});
