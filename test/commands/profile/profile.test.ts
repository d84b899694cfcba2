import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Machine, machine, readFailure } from '../../helpers/run.ts';
import { httpServer } from '../../http/servers.ts';

const ISSUER = 'https://as.example/realms/R';
const SECRET = 's3cret-of-the-client';

let here: Machine;

beforeEach(async () => {
  here = await machine();
});

const stored = async () => JSON.parse(await readFile(join(here.home, 'profiles.json'), 'utf8'));
const json = async (...argv: string[]) => {
  const { code, stdout, stderr } = await here.run('--json', ...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

describe('profile add', () => {
  it('keeps every member, and makes the first profile the current one', async () => {
    const members = {
      issuer: ISSUER,
      accept_issuer: 'https://public.example/realms/R',
      client_id: 'a',
      client_secret: 'env:SECRET',
      auth_method: 'client_secret_post',
      scope: 'openid email',
      login_hint: 'cl-taro',
      device_listen: '127.0.0.1:3001/auth',
      id_token_alg: 'PS256',
      ca_cert: '/etc/ca.pem',
      cert: '/etc/cert.pem',
      key: '/etc/key.pem',
    };
    // The files are named only; they are read when a server is spoken to.
    const flags = Object.entries(members)
      .filter(([name]) => !['ca_cert', 'cert', 'key'].includes(name))
      .flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, value]);
    const files = ['ca_cert', 'cert', 'key'].map(async (name) => {
      const path = join(here.home, `${name}.pem`);
      await writeFile(path, 'PEM');
      return [name, path] as const;
    });
    const paths = Object.fromEntries(await Promise.all(files));
    const fileFlags = Object.entries(paths).flatMap(([name, path]) => [
      `--${name.replaceAll('_', '-')}`,
      path,
    ]);
    const { code, stdout, stderr } = await here.run('profile', 'add', 'mine', ...flags, ...fileFlags);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `profile "mine" · ${ISSUER}\n`, stderr: '' });
    expect(await stored()).toEqual({
      version: 1,
      current: 'mine',
      profiles: { mine: { ...members, ...paths } },
    });
    expect((await stat(join(here.home, 'profiles.json'))).mode & 0o777).toBe(0o600);
  });

  it('is named "default" where no name is given and nobody can be asked', async () => {
    expect(await json('profile', 'add', '--issuer', ISSUER)).toEqual({ name: 'default', issuer: ISSUER });
  });

  it('warns of a secret in the arguments, stores it, and shows it masked', async () => {
    const { code, stdout, stderr } = await here.run(
      ...['profile', 'add', 'mine', '--issuer', ISSUER, '--client-secret', SECRET, '--json'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: a secret in the arguments can be read.*env:NAME/);
    expect(JSON.parse(stdout)).toEqual({ name: 'mine', issuer: ISSUER, client_secret: '(masked)' });
    expect((await stored()).profiles.mine.client_secret).toBe(SECRET);
  });

  it('stores what standard input gave, without its line break and without a warning', async () => {
    const { code, stdout, stderr } = await here.runWith(
      { stdin: `${SECRET}\n` },
      ...['profile', 'add', 'mine', '--issuer', ISSUER, '--client-secret', '-'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain(SECRET);
    expect((await stored()).profiles.mine.client_secret).toBe(SECRET);
  });

  it.each(['env:NOT_SET_YET', 'cmd:pass show client'])(
    'keeps the reference %s as one, unresolved',
    async (reference) => {
      const added = await json('profile', 'add', 'mine', '--issuer', ISSUER, '--client-secret', reference);
      expect(added.client_secret).toBe(reference);
      expect((await stored()).profiles.mine.client_secret).toBe(reference);
    },
  );

  it('makes relative files absolute, so that the profile works from any folder', async () => {
    await json(
      'profile',
      'add',
      'mine',
      '--issuer',
      ISSUER,
      '--client-secret',
      'file:secret.txt',
      '--ca-cert',
      'package.json',
    );
    expect((await stored()).profiles.mine).toMatchObject({
      client_secret: `file:${resolve('secret.txt')}`,
      ca_cert: resolve('package.json'),
    });
  });

  it('does not replace a profile unless told to', async () => {
    await json('profile', 'add', 'mine', '--issuer', ISSUER);
    const again = await here.run('--json', 'profile', 'add', 'mine', '--issuer', 'https://other.example');
    expect(again.code).toBe(2);
    expect(readFailure(again)).toMatchObject({
      code: 'profile_exists',
      hint: expect.stringContaining('--force'),
    });
    expect((await stored()).profiles.mine.issuer).toBe(ISSUER);
    await json('profile', 'add', 'mine', '--issuer', 'https://other.example', '--force');
    expect((await stored()).profiles.mine.issuer).toBe('https://other.example');
  });

  it('makes a later profile the current one with --use', async () => {
    await json('profile', 'add', 'one', '--issuer', ISSUER);
    await json('profile', 'add', 'two', '--issuer', ISSUER);
    await json('profile', 'add', 'three', '--issuer', ISSUER, '--use');
    expect((await stored()).current).toBe('three');
  });

  it.each([
    [[], 'setting_missing'],
    [['--url', 'http://127.0.0.1:1'], 'url_and_realm'],
    [['--realm', 'R'], 'url_and_realm'],
    [['--issuer', 'as.example'], 'issuer_invalid'],
    [['--issuer', 'ftp://as.example'], 'issuer_invalid'],
    [['--url', 'as.example', '--realm', 'R'], 'issuer_invalid'],
    [['--issuer', ISSUER, '--auth-method', 'magic'], 'usage'],
    [['--issuer', ISSUER, '--client-secret', '-'], 'secret_unavailable'],
  ])('with %j is refused with %s and stores nothing', async (argv, code) => {
    const result = await here.run('--json', 'profile', 'add', 'mine', ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe(code);
    expect(await json('profile', 'list')).toEqual({ current: null, profiles: {} });
  });

  it.each(['__proto__', '../up', 'a b', ''])('refuses the name %j', async (name) => {
    const result = await here.run('--json', 'profile', 'add', name, '--issuer', ISSUER);
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe('profile_name_invalid');
  });

  it.each(['/realms/R', '/auth/realms/R'])('finds a realm of a Keycloak at %s', async (path) => {
    const asked: unknown[] = [];
    const port: number = await httpServer((request, response) => {
      asked.push(request.url);
      const found = request.url === `${path}/.well-known/openid-configuration`;
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          found ? { issuer: `http://127.0.0.1:${port}${path}` } : { error: 'Realm does not exist' },
        ),
      );
    });
    const added = await json('profile', 'add', '--url', `http://127.0.0.1:${port}/`, '--realm', 'R');
    expect(added).toEqual({ name: 'R', issuer: `http://127.0.0.1:${port}${path}` });
    expect(asked[0]).toBe('/realms/R/.well-known/openid-configuration');
  });

  it('tells of a realm that is nowhere what the server said, and stores nothing', async () => {
    const port = await httpServer((_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Realm does not exist"}');
    });
    const result = await here.run(
      '--json',
      'profile',
      'add',
      '--url',
      `http://127.0.0.1:${port}`,
      '--realm',
      'Nope',
    );
    expect(result.code).toBe(3);
    expect(readFailure(result)).toMatchObject({
      code: 'metadata_not_found',
      hint: expect.stringContaining('The server has no realm of this name.'),
      oauth: { error: 'metadata_not_found', error_description: 'Realm does not exist', status: 404 },
    });
    expect(await json('profile', 'list')).toEqual({ current: null, profiles: {} });
  });
});

describe('profile list and show', () => {
  beforeEach(async () => {
    await here.run(
      'profile',
      'add',
      'one',
      '--issuer',
      ISSUER,
      '--client-id',
      'a',
      '--client-secret',
      SECRET,
    );
    await here.run('profile', 'add', 'second', '--issuer', 'https://other.example');
  });

  it('list marks the current profile', async () => {
    const { code, stdout, stderr } = await here.run('profile', 'list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`* one     ${ISSUER}  a\n  second  https://other.example\n`);
  });

  it('list masks secrets as JSON', async () => {
    expect(await json('profile', 'list')).toEqual({
      current: 'one',
      profiles: {
        one: { issuer: ISSUER, client_id: 'a', client_secret: '(masked)' },
        second: { issuer: 'https://other.example' },
      },
    });
  });

  it('list is empty and no failure where there are none', async () => {
    const empty = await machine();
    expect(await empty.run('profile', 'list')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('show takes the current profile, and masks its secret', async () => {
    const { stdout } = await here.run('profile', 'show');
    expect(stdout).toBe(
      `name           one\nissuer         ${ISSUER}\nclient_id      a\nclient_secret  (masked)\n`,
    );
  });

  it('show --show-secrets masks nothing', async () => {
    expect((await json('profile', 'show', '--show-secrets')).client_secret).toBe(SECRET);
    expect((await here.run('profile', 'show', '--show-secrets')).stdout).toContain(SECRET);
  });

  it('show takes the profile of its argument, of -p and of OAUTHCTL_PROFILE', async () => {
    expect((await json('profile', 'show', 'second')).name).toBe('second');
    expect((await json('-p', 'second', 'profile', 'show')).name).toBe('second');
    const fromEnvironment = await here.runWith(
      { env: { OAUTHCTL_PROFILE: 'second' } },
      'profile',
      'show',
      '--field',
      'name',
    );
    expect(fromEnvironment.stdout).toBe('second\n');
  });

  it('show --field prints one value, raw', async () => {
    expect(await here.run('profile', 'show', '--field', 'issuer')).toEqual({
      code: 0,
      stdout: `${ISSUER}\n`,
      stderr: '',
    });
    const missing = await here.run('profile', 'show', '--field', 'scope');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('There are: name, issuer, client_id, client_secret.');
  });

  it.each([['show'], ['use'], ['remove'], ['set', '--scope', 'a']])(
    '%s of an unknown profile exits with 2',
    async (verb, ...rest) => {
      const result = await here.run('--json', 'profile', verb, 'other', ...rest);
      expect(result.code).toBe(2);
      expect(readFailure(result)).toMatchObject({ code: 'profile_unknown', hint: 'There are: one, second.' });
    },
  );
});

describe('profile use and remove', () => {
  it('use without a name and without a terminal says what is missing, and lists the names', async () => {
    expect(readFailure(await here.run('--json', 'profile', 'use'))).toMatchObject({
      code: 'profile_missing',
      hint: expect.stringContaining('profile add'),
    });
    await here.addProfile(ISSUER, '--client-id', 'a');
    expect(readFailure(await here.run('--json', 'profile', 'use'))).toMatchObject({
      code: 'profile_missing',
      exit_code: 2,
      hint: 'Name one: sample.',
    });
  });

  it('use chooses the profile that later commands take', async () => {
    await json('profile', 'add', 'one', '--issuer', ISSUER);
    await json('profile', 'add', 'two', '--issuer', 'https://other.example');
    expect(await json('profile', 'use', 'two')).toEqual({ current: 'two' });
    expect((await json('profile', 'show')).name).toBe('two');
  });

  it('remove leaves no current profile when it was that', async () => {
    await json('profile', 'add', 'one', '--issuer', ISSUER);
    expect(await json('profile', 'remove', 'one')).toEqual({ removed: 'one' });
    expect(await stored()).toEqual({ version: 1, profiles: {} });
    expect((await here.run('profile', 'show')).code).toBe(2);
  });
});

describe('profile set', () => {
  beforeEach(async () => {
    await here.run('profile', 'add', 'one', '--issuer', ISSUER, '--client-id', 'a', '--scope', 'openid');
  });

  it('changes members and removes others', async () => {
    const changed = await json(
      'profile',
      'set',
      'one',
      '--client-id',
      'b',
      '--client-secret',
      'env:S',
      '--unset',
      'scope',
    );
    expect(changed).toEqual({ name: 'one', issuer: ISSUER, client_id: 'b', client_secret: 'env:S' });
    expect((await stored()).profiles.one).toEqual({ issuer: ISSUER, client_id: 'b', client_secret: 'env:S' });
  });

  it('removes several members at once', async () => {
    await json('profile', 'set', 'one', '--unset', 'scope', 'client_id');
    expect((await stored()).profiles.one).toEqual({ issuer: ISSUER });
  });

  it('warns of a secret in the arguments as add does, and masks it', async () => {
    const { stdout, stderr } = await here.run('profile', 'set', 'one', '--client-secret', SECRET, '--json');
    expect(stderr).toMatch(/^warning: a secret in the arguments/);
    expect(stdout).not.toContain(SECRET);
    expect((await stored()).profiles.one.client_secret).toBe(SECRET);
  });

  it.each([
    [[], 'nothing_to_set'],
    [['--unset', 'issuer'], 'member_unknown'],
    [['--unset', 'nonsense'], 'member_unknown'],
    [['--unset', '__proto__'], 'member_unknown'],
    [['--issuer', 'nonsense'], 'issuer_invalid'],
    [['--url', 'http://127.0.0.1:1'], 'url_and_realm'],
  ])('with %j is refused with %s and changes nothing', async (argv, code) => {
    const before = await stored();
    const result = await here.run('--json', 'profile', 'set', 'one', ...argv);
    expect(result.code).toBe(2);
    expect(readFailure(result).code).toBe(code);
    expect(await stored()).toEqual(before);
  });

  it('is not disturbed by settings of the environment', async () => {
    await here.runWith(
      { env: { OAUTHCTL_SCOPE: 'other', OAUTHCTL_CLIENT_SECRET: SECRET } },
      'profile',
      'set',
      'one',
      '--login-hint',
      'b',
    );
    expect((await stored()).profiles.one).toEqual({
      issuer: ISSUER,
      client_id: 'a',
      scope: 'openid',
      login_hint: 'b',
    });
  });
});

describe('a broken file of profiles', () => {
  it.each(['{"version":1,"profiles":{', '[]', ''])(
    '%j is named, and left as it is by every command',
    async (text) => {
      const path = join(here.home, 'profiles.json');
      await writeFile(path, text);
      for (const argv of [
        ['profile', 'list'],
        ['profile', 'show'],
        ['profile', 'add', 'one', '--issuer', ISSUER],
        ['profile', 'remove', 'one'],
        ['discover'],
        ['ciba', 'start', '--login-hint', 'a'],
      ]) {
        const result = await here.run('--json', ...argv);
        expect(result.code).toBe(2);
        expect(readFailure(result)).toMatchObject({
          code: 'file_unreadable',
          message: expect.stringContaining(path),
        });
        expect(await readFile(path, 'utf8')).toBe(text);
      }
    },
  );

  it('that is a folder is named as well', async () => {
    const path = join(here.home, 'profiles.json');
    await mkdir(path);
    const result = await here.run('--json', 'profile', 'list');
    expect(result.code).toBe(2);
    expect(readFailure(result).message).toContain(path);
  });
});
