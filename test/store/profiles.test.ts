import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import type { ProfileStore } from '../../src/store/profiles.ts';
import { emptyFolder } from './folder.ts';

const issuer = 'https://as.example';

describe('the profile store', () => {
  let profiles: ProfileStore;

  beforeEach(async () => {
    profiles = openStore({ OAUTHCTL_HOME: await emptyFolder() }).profiles;
  });

  it('makes the first profile the current one, and no later one', async () => {
    await profiles.add('one', { issuer });
    await profiles.add('two', { issuer });
    expect((await profiles.list()).current).toBe('one');
  });

  it('makes a later one current when asked to', async () => {
    await profiles.add('one', { issuer });
    await profiles.add('two', { issuer }, { use: true });
    expect((await profiles.list()).current).toBe('two');
    await profiles.use('one');
    expect((await profiles.list()).current).toBe('one');
  });

  it('keeps what is there when a name is added twice', async () => {
    await profiles.add('one', { issuer, scope: 'openid' });
    await expect(profiles.add('one', { issuer: 'https://other.example' })).rejects.toMatchObject({
      code: 'profile_exists',
      exitCode: 2,
    });
    expect(await profiles.get('one')).toEqual({ issuer, scope: 'openid' });
  });

  it('replaces a profile whole when told to', async () => {
    await profiles.add('one', { issuer, scope: 'openid' });
    await profiles.add('one', { issuer: 'https://other.example' }, { overwrite: true });
    expect(await profiles.get('one')).toEqual({ issuer: 'https://other.example' });
  });

  it('changes and removes members, and leaves the others', async () => {
    await profiles.add('one', { issuer, scope: 'openid', client_id: 'a' });
    await profiles.set('one', { scope: undefined, login_hint: 'cl-taro' });
    expect(await profiles.get('one')).toEqual({ issuer, client_id: 'a', login_hint: 'cl-taro' });
  });

  it('has no current profile after that was removed', async () => {
    await profiles.add('one', { issuer });
    await profiles.add('two', { issuer });
    await profiles.remove('one');
    expect(await profiles.list()).toEqual({ current: undefined, profiles: { two: { issuer } } });
  });

  it('takes the next profile that is added as current when there is none', async () => {
    await profiles.add('one', { issuer });
    await profiles.remove('one');
    await profiles.add('two', { issuer });
    expect((await profiles.list()).current).toBe('two');
  });

  it.each(['get', 'use', 'remove'] as const)(
    'names the profiles there are when %s knows none of that name',
    async (method) => {
      await profiles.add('one', { issuer });
      await expect(profiles[method]('other')).rejects.toMatchObject({
        code: 'profile_unknown',
        exitCode: 2,
        hint: 'There are: one.',
      });
    },
  );

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'knows no profile "%s" by inheritance',
    async (name) => {
      await expect(profiles.get(name)).rejects.toMatchObject({ code: 'profile_unknown' });
      await expect(profiles.set(name, { scope: 'openid' })).rejects.toMatchObject({
        code: 'profile_unknown',
      });
    },
  );

  it.each(['__proto__', '', '-p', '.hidden', '../up', 'a/b', 'a b', 'a\nb', 'é', 'x'.repeat(65)])(
    'refuses the name %j',
    async (name) => {
      await expect(profiles.add(name, { issuer })).rejects.toMatchObject({
        code: 'profile_name_invalid',
        exitCode: 2,
      });
      expect(await profiles.list()).toEqual({ current: undefined, profiles: {} });
    },
  );

  it.each(['a', 'SampleRealm', 'prod-eu.1', 'a_b', '0', 'constructor', 'x'.repeat(64)])(
    'takes the name %j',
    async (name) => {
      await profiles.add(name, { issuer });
      expect(await profiles.get(name)).toEqual({ issuer });
      expect(Object.keys((await profiles.list()).profiles)).toEqual([name]);
    },
  );

  it('is a file that people can read', async () => {
    await profiles.add('one', { issuer, client_secret: 'env:SECRET' });
    expect(await readFile(profiles.path, 'utf8')).toBe(
      `${JSON.stringify({ version: 1, profiles: { one: { issuer, client_secret: 'env:SECRET' } }, current: 'one' }, null, 2)}\n`,
    );
  });
});
