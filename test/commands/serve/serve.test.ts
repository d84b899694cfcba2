import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { CLIENT_ID, startMisbehavingServer } from '../../helpers/misbehaving-server.ts';
import { machine, readFailure, run, startCommand } from '../../helpers/run.ts';
import { until } from '../../helpers/wait.ts';

const ISSUER = 'https://as.example';

/** Runs the server until the test ends it. */
async function serving(...argv: string[]) {
  const clock = new FakeClock();
  const { parts, end } = await startCommand({ clock }, 'serve', '--listen', '127.0.0.1:0', ...argv);
  await until(() => parts.stdout().includes('http'));
  const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(parts.stdout())?.[0] ?? expect.fail(parts.stderr());
  const get = (token?: string, path = '') =>
    fetch(`${url}${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  return { parts, clock, url, get, end };
}

describe('serve', () => {
  it.each([
    ['tenants_missing', []],
    ['audience_missing', ['--issuer', ISSUER]],
    ['audience_missing', ['--issuer', ISSUER, '--audience', 'api', '--any-audience']],
    ['tenants_ambiguous', ['--tenants', 'x.json', '--audience', 'api']],
    ['tenants_invalid', ['--issuer', 'as.example', '--audience', 'api']],
    ['tenants_invalid', ['--issuer', `${ISSUER}/{tenantid}`, '--audience', 'api']],
    ['tenants_invalid', ['--issuer', ISSUER, '--issuer', ISSUER, '--audience', 'api']],
    ['file_unreadable', ['--tenants', '/nowhere/x.json']],
    ['listen_not_loopback', ['--issuer', ISSUER, '--audience', 'api', '--listen', '0.0.0.0:0']],
    ['listen_not_loopback', ['--issuer', ISSUER, '--audience', 'api', '--listen', '127.0.0.1.example:0']],
    ['listen_not_loopback', ['--issuer', ISSUER, '--audience', 'api', '--listen', '[::]:0']],
    ['listen_invalid', ['--issuer', ISSUER, '--audience', 'api', '--listen', '127.0.0.1:0/path']],
    ['seconds_invalid', ['--issuer', ISSUER, '--audience', 'api', '--leeway', '-1']],
  ])('refuses with %s: %j', async (code, argv) => {
    const done = await run('serve', ...argv, '--json');
    expect(done.code).toBe(2);
    expect(readFailure(done)).toMatchObject({ code });
  });

  it('takes tokens of an issuer, logs every request in a line, and ends as it is told', async () => {
    const clock = new FakeClock();
    const as = await startMisbehavingServer({ clock });
    const { parts, get, end } = await serving('--issuer', as.issuer, '--audience', CLIENT_ID);
    const good = await as.idToken({ claims: { typ: 'Bearer' } });
    const response = await get(good);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ tenant: as.issuer, claims: { sub: 'user-1' } });
    expect((await get(await as.idToken({ claims: { typ: 'ID' } }))).status).toBe(401);
    expect((await get(await as.idToken({ claims: { iss: ISSUER } }))).status).toBe(401);
    expect((await get(undefined, 'a%0Ab?access_token=x')).status).toBe(404);
    expect(await (await get(undefined, 'metrics')).text()).toContain(
      `oauthctl_validations_total{tenant="${as.issuer}",outcome="accepted"} 1`,
    );
    expect(as.requests.map(({ endpoint }) => endpoint)).toEqual(['metadata', 'jwks']);
    expect(await end()).toBe(130);
    const log = parts
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('2026-01-01T'));
    expect(log).toEqual([
      expect.stringMatching(new RegExp(`Z GET / 200 ${as.issuer} - [\\d.]+ ms$`)),
      expect.stringMatching(new RegExp(`Z GET / 401 ${as.issuer} not_an_access_token [\\d.]+ ms · kind: `)),
      expect.stringMatching(/Z GET \/ 401 iss-not-listed issuer_not_listed [\d.]+ ms · the issuer "https/),
      expect.stringMatching(/Z GET \/a%0Ab 404 - - [\d.]+ ms$/),
      expect.stringMatching(/Z GET \/metrics 200 - - [\d.]+ ms$/),
    ]);
    expect(parts.stderr()).not.toContain(good.slice(0, 20));
    expect(parts.stderr()).not.toContain('access_token=');
  });

  it('a template on loopback accepts one tenant by keys at an address, without a metadata request', async () => {
    const as = await startMisbehavingServer({ clock: new FakeClock() });
    const { home } = await machine();
    const file = join(home, 'tenants.json');
    const issuer = `${as.issuer}/{tenantid}/v2.0`;
    const tenant = { issuer, allowed_values: ['one'], jwks_uri: `${as.issuer}/jwks`, audience: CLIENT_ID };
    await writeFile(file, JSON.stringify({ tenants: [tenant] }));
    const { parts, get } = await serving('--tenants', file);
    expect(parts.stdout()).toContain(`${issuer} (local)`);
    const token = (value: string) =>
      as.idToken({ claims: { typ: 'Bearer', iss: `${as.issuer}/${value}/v2.0` } });
    expect((await get(await token('two'))).status).toBe(401);
    expect(as.requests).toEqual([]);
    const accepted = await get(await token('one'));
    expect(accepted.status).toBe(200);
    expect(await accepted.json()).toMatchObject({ tenant: `${as.issuer}/one/v2.0` });
    expect(as.requests.map(({ endpoint }) => endpoint)).toEqual(['jwks']);
  });

  it('metadata with unused members that are null, empty or relative gives no 503', async () => {
    const clock = new FakeClock();
    const metadata = { token_endpoint: null, userinfo_endpoint: '', introspection_endpoint: '/introspect' };
    const as = await startMisbehavingServer({ clock, metadata });
    const { get } = await serving('--issuer', as.issuer, '--audience', CLIENT_ID);
    expect((await get(await as.idToken({ claims: { typ: 'Bearer' } }))).status).toBe(200);
  });

  it('tells scripts where it listens, and logs in JSON', async () => {
    const { parts, url, get, end } = await serving('--issuer', ISSUER, '--any-audience', '--json');
    expect(JSON.parse(parts.stdout())).toEqual({ url, tenants: [{ issuer: ISSUER, validation: 'local' }] });
    await get();
    await end();
    const [line = ''] = parts.stderr().split('\n');
    expect(JSON.parse(line)).toMatchObject({ method: 'GET', path: '/', status: 401, tenant: null });
  });

  it('follows the file of its tenants, and keeps to the last one that was good', async () => {
    const clock = new FakeClock();
    const as = await startMisbehavingServer({ clock });
    const { home } = await machine();
    const file = join(home, 'tenants.json');
    await writeFile(file, '{"tenants":[]}');
    const { parts, get } = await serving('--tenants', file);
    const token = await as.idToken({ claims: { typ: 'Bearer' } });
    expect((await get(token)).status).toBe(401);
    await writeFile(file, JSON.stringify({ tenants: [{ issuer: as.issuer, audience: CLIENT_ID }] }));
    await until(async () => (await get(token)).status === 200, 'the token is taken');
    await writeFile(file, '{"tenants":[{"issuer":1}]}');
    await until(() => parts.stderr().includes('the tenants are unchanged'));
    expect((await get(token)).status).toBe(200);
    const metadata = (await (await get(undefined, '.well-known/oauth-protected-resource')).json()) as object;
    expect(metadata).toMatchObject({ authorization_servers: [as.issuer] });
  });
});

describe('serve tenants', () => {
  it('makes, edits and lists the file', async () => {
    const { home, run: runHere } = await machine();
    const file = join(home, 'folder', 'tenants.json');
    const tenants = (...argv: string[]) => runHere('serve', 'tenants', ...argv, '--tenants', file, '--json');
    const added = await tenants(
      'add',
      ISSUER,
      '--audience',
      'a',
      '--audience',
      'b',
      '--claim',
      'plan=gold',
      'level=3',
    );
    expect(JSON.parse(added.stdout)).toMatchObject({ issuer: ISSUER, audience: ['a', 'b'] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await tenants(
      ...[
        'add',
        'https://b.example',
        '--any-audience',
        '--validation',
        'introspection',
        '--client-id',
        'api',
      ],
      ...['--client-secret', 'env:SECRET', '--scope', 'read', 'write'],
    );
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      tenants: [
        { issuer: ISSUER, audience: ['a', 'b'], claims: { plan: 'gold', level: 3 } },
        {
          issuer: 'https://b.example',
          any_audience: true,
          validation: 'introspection',
          client_id: 'api',
          client_secret: 'env:SECRET',
          scopes: ['read', 'write'],
        },
      ],
    });
    expect(readFailure(await tenants('add', ISSUER, '--audience', 'c'))).toMatchObject({
      code: 'tenant_exists',
    });
    await tenants('add', ISSUER, '--audience', 'c', '--force');
    const list = await runHere('serve', 'tenants', 'list', '--tenants', file);
    expect(list.stdout).toBe(
      'https://b.example · introspection as api · any audience · scope read write\n' +
        'https://as.example · local · audience c\n',
    );
    await tenants('remove', ISSUER);
    expect(readFailure(await tenants('remove', ISSUER))).toMatchObject({ code: 'tenant_unknown' });
    expect(JSON.parse((await tenants('list')).stdout).tenants).toHaveLength(1);
  });

  it('writes and lists a template with its allowed values, the address of its keys and its other issuer', async () => {
    const { home, run: runHere } = await machine();
    const file = join(home, 'tenants.json');
    const template = 'https://login.example/{tenantid}/v2.0';
    const added = await runHere(
      ...['serve', 'tenants', 'add', template, '--audience', 'api', '--allowed-value', 'one', 'two'],
      ...['--jwks-uri', 'https://login.example/keys'],
      ...['--access-token-issuer', 'https://sts.example/{tenantid}/', '--tenants', file],
    );
    expect(added.code).toBe(0);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      tenants: [
        {
          issuer: template,
          audience: 'api',
          allowed_values: ['one', 'two'],
          jwks_uri: 'https://login.example/keys',
          access_token_issuer: 'https://sts.example/{tenantid}/',
        },
      ],
    });
    const list = await runHere('serve', 'tenants', 'list', '--tenants', file);
    expect(list.stdout).toBe(
      `${template} · for one, two · keys at https://login.example/keys · ` +
        'access tokens of https://sts.example/{tenantid}/ · local · audience api\n',
    );
  });

  it.each([
    ['tenants_invalid', ['add', ISSUER]],
    ['tenants_invalid', ['add', `${ISSUER}/{tenantid}`, '--audience', 'a']],
    ['tenants_invalid', ['add', ISSUER, '--audience', 'a', '--allowed-value', 'a']],
    ['tenants_invalid', ['add', `${ISSUER}/{t}`, '--audience', 'a', '--allowed-value', '../x']],
    ['tenants_invalid', ['add', ISSUER, '--audience', 'a', '--jwks-uri', 'http://as.example/keys']],
    ['tenants_invalid', ['add', 'as.example', '--audience', 'a']],
    ['tenants_invalid', ['add', ISSUER, '--audience', 'a', '--validation', 'introspection']],
    ['claim_invalid', ['add', ISSUER, '--audience', 'a', '--claim', 'plan']],
  ])('refuses with %s, and writes nothing: %j', async (code, argv) => {
    const { home, run: runHere } = await machine();
    const file = join(home, 'tenants.json');
    const done = await runHere('serve', 'tenants', ...argv, '--tenants', file, '--json');
    expect(readFailure(done)).toMatchObject({ code, exit_code: 2 });
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('shows no secret that stands in the file itself', async () => {
    const { home, run: runHere } = await machine();
    const file = join(home, 'tenants.json');
    const secret = 'a-literal-secret';
    const argv = ['--tenants', file, '--audience', 'a', '--validation', 'introspection', '--client-id', 'c'];
    const added = await runHere(
      'serve',
      'tenants',
      'add',
      ISSUER,
      ...argv,
      '--client-secret',
      secret,
      '--json',
    );
    const list = await runHere('serve', 'tenants', 'list', '--tenants', file, '--json');
    expect(added.stderr).toContain('warning');
    for (const { stdout, stderr } of [added, list]) {
      expect(stdout).toContain('(masked)');
      expect(stdout + stderr).not.toContain(secret);
    }
    expect(await readFile(file, 'utf8')).toContain(secret);
  });

  it('loses nothing where several run at once', async () => {
    const { home, run: runHere } = await machine();
    const file = join(home, 'tenants.json');
    const issuers = Array.from({ length: 8 }, (_, index) => `https://as-${index}.example`);
    const runs = issuers.map((issuer) =>
      runHere('serve', 'tenants', 'add', issuer, '--any-audience', '--tenants', file),
    );
    for (const { code, stderr } of await Promise.all(runs))
      expect({ code, stderr }).toMatchObject({ code: 0 });
    const { tenants } = JSON.parse(await readFile(file, 'utf8')) as { tenants: { issuer: string }[] };
    expect(tenants.map(({ issuer }) => issuer).sort()).toEqual(issuers);
  });
});

it('serve schema shows the JSON Schema of the file', async () => {
  const { code, stdout } = await run('serve', 'schema');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ required: ['tenants'] });
});
