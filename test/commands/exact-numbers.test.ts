import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pickPublicPart } from '../../src/protocol/jose/key.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import {
  CLIENT_ID,
  type MisbehavingServerOptions,
  startMisbehavingServer,
} from '../helpers/misbehaving-server.ts';
import { startResourceServer } from '../helpers/resource-server.ts';
import { machine, readFailure } from '../helpers/run.ts';
import { keyFor, signText } from '../protocol/server-jwts.ts';

const NUMBERS =
  '"uid":12345678901234567999,"ratio":1.10,"one":1.0,"huge":1e400,"zero":-0,"deep":{"ids":[9007199254740993]}';

const text = (body: string) => ({ text: body, headers: { 'content-type': 'application/json' } });

/** A machine with the profile `sample` of a scripted server, whose key is in a file. */
async function setUp(script: Omit<MisbehavingServerOptions, 'clock'> = {}) {
  const clock = new FakeClock();
  const server = await startMisbehavingServer({ ...script, clock });
  const { home, addProfile, runWith } = await machine();
  await addProfile(server.issuer, '--client-id', CLIENT_ID);
  const jwks = join(home, 'jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [pickPublicPart(await keyFor('ES256'))] }));
  const run = (...argv: string[]) => runWith({ clock, env: { SECRET: 'a secret' } }, ...argv);
  const stdin = (input: string, ...argv: string[]) => runWith({ clock, stdin: input }, ...argv);
  const seconds = Math.floor(clock.now() / 1000);
  const token = (claims: string) => signText(`{"exp":${seconds + 60},${claims}}`);
  return { home, server, run, stdin, jwks, token };
}

describe('jwt verify --claim', () => {
  it.each([
    ['uid=12345678901234567999', true],
    ['uid=12345678901234567890', false],
    ['uid=12345678901234567000', false],
    ['deep.ids=9007199254740993', true],
    ['deep.ids=9007199254740992', false],
    ['deep={"ids":[9007199254740993]}', true],
    ['deep={"ids":[9007199254740992]}', false],
    ['huge=1e400', true],
    ['huge=1e401', false],
    ['one=1', true],
    ['ratio=1.1', true],
    ['["uid"]=12345678901234567999', true],
  ])('%s: the token is accepted: %s', async (claim, isAccepted) => {
    const { run, stdin, jwks, token } = await setUp();
    const jwt = await token(NUMBERS);
    const one = await run('jwt', 'verify', jwt, '--jwks', jwks, '--claim', claim, '--json');
    expect(one.code).toBe(isAccepted ? 0 : 4);
    const lines = await stdin(
      `${jwt}\n`,
      'jwt',
      'verify',
      '--lines',
      '--jwks',
      jwks,
      '--claim',
      claim,
      '--json',
    );
    expect(JSON.parse(lines.stdout)).toMatchObject({ valid: isAccepted });
  });

  it('says both numbers as they were written', async () => {
    const { run, jwks, token } = await setUp();
    const jwt = await token('"uid":12345678901234567890');
    const result = await run(
      'jwt',
      'verify',
      jwt,
      '--jwks',
      jwks,
      '--claim',
      'uid=12345678901234567999',
      '--json',
    );
    expect(readFailure(result).message).toContain(
      'claim uid: it is 12345678901234567890, expected 12345678901234567999',
    );
  });

  it('finds a claim whose name has dots, also below another', async () => {
    const { run, jwks, token } = await setUp();
    const jwt = await token(
      '"https://ex.com/roles":["admin"],"resource_access":{"my.client":{"roles":["a=b"]}}',
    );
    for (const claim of [
      '["https://ex.com/roles"]=admin',
      'https://ex.com/roles=admin',
      'resource_access["my.client"].roles=a=b',
      'resource_access.my.client.roles[0]=a=b',
    ])
      expect(await run('jwt', 'verify', jwt, '--jwks', jwks, '--claim', claim)).toMatchObject({ code: 0 });
  });
});

describe('what came is printed with its numbers as they were written', () => {
  const members = NUMBERS.split(/,(?=")/);

  it('by jwt decode and jwt verify, as JSON, as a field and for people', async () => {
    const { run, jwks, token } = await setUp();
    const jwt = await token(NUMBERS);
    for (const argv of [
      ['jwt', 'decode', jwt],
      ['jwt', 'verify', jwt, '--jwks', jwks],
    ]) {
      const { stdout } = await run(...argv, '--json');
      const compact = stdout.replace(/\s/g, '');
      for (const member of members) expect(compact).toContain(member);
      expect((await run(...argv, '--field', 'claims.uid')).stdout).toBe('12345678901234567999\n');
      expect((await run(...argv, '--field', 'claims.deep')).stdout).toBe('{"ids":[9007199254740993]}\n');
    }
    const { stdout } = await run('jwt', 'decode', jwt);
    expect(stdout).toMatch(/uid +12345678901234567999/);
    expect(stdout).toMatch(/deep +\{"ids":\[9007199254740993\]\}/);
  });

  it('by a token request, and by token show from what was kept', async () => {
    const answer = text(
      `{"access_token":"the-access-token","token_type":"Bearer","expires_in":300,${NUMBERS}}`,
    );
    const { run } = await setUp({ token: [answer] });
    const issued = await run('token', 'client-credentials', '--client-secret', 'env:SECRET', '--json');
    const kept = await run('token', 'show', '--json');
    for (const { stdout } of [issued, kept])
      for (const member of members) expect(stdout.replace(/\s/g, '')).toContain(member);
    expect((await run('token', 'show', '--field', 'uid')).stdout).toBe('12345678901234567999\n');
    expect((await run('token', 'show')).stdout).toMatch(/uid +12345678901234567999/);
  });

  it('by introspect, userinfo, discover and call', async () => {
    const { run } = await setUp({
      metadata: { x_limit: 1 },
      introspection: [text(`{"active":true,${NUMBERS}}`), text(`{"active":true,${NUMBERS}}`)],
      userinfo: [text(`{"sub":"a",${NUMBERS}}`), text(`{"sub":"a",${NUMBERS}}`)],
    });
    const resource = await startResourceServer(() => [
      { body: `{${NUMBERS}}`, headers: { 'content-type': 'application/json' } },
    ]);
    for (const argv of [
      ['introspect', 'the-access-token'],
      ['userinfo', 'the-access-token'],
    ]) {
      const { stdout } = await run(...argv, '--json');
      for (const member of members) expect(stdout.replace(/\s/g, '')).toContain(member);
      expect((await run(...argv)).stdout).toMatch(/uid +12345678901234567999/);
    }
    const called = await run('call', resource.url, '--token', 'the-access-token', '--json');
    for (const member of members) expect(called.stdout.replace(/\s/g, '')).toContain(member);
  });

  it('by -v, where secrets are masked', async () => {
    const { run } = await setUp({
      introspection: [text(`{"active":true,"jwt":"a-secret-token",${NUMBERS}}`)],
    });
    const { stderr } = await run('introspect', 'the-access-token', '-v');
    expect(stderr).toContain('"uid":12345678901234567999');
    expect(stderr).not.toContain('a-secret-token');
  });
});

describe('--field', () => {
  it('reaches a member whose name has dots, and says how such a name is written', async () => {
    const { run, token } = await setUp();
    const jwt = await token('"https://ex.com/roles":["admin","user"]');
    const field = async (path: string) => run('jwt', 'decode', jwt, '--field', path);
    expect((await field('claims["https://ex.com/roles"]')).stdout).toBe('["admin","user"]\n');
    expect((await field('claims["https://ex.com/roles"][0]')).stdout).toBe('admin\n');
    expect((await field("claims['https://ex.com/roles'].1")).stdout).toBe('user\n');
    expect((await field('claims.https://ex.com/roles')).stdout).toBe('["admin","user"]\n');
    const missing = await field('claims.roles');
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain(
      'There are: exp, https://ex.com/roles. A name with dots is written ["https://ex.com/roles"].',
    );
  });
});

describe('a claim that is sent', () => {
  it('has its number as it was given', async () => {
    const answer = text('{"access_token":"the-access-token","token_type":"Bearer"}');
    const { run, home, server } = await setUp({ token: [answer] });
    const key = join(home, 'key.json');
    await writeFile(key, JSON.stringify(await keyFor('ES256')));
    const argv = ['--assertion-key', key, '--sub', 'taro', '--claim', 'uid=12345678901234567999'];
    expect(await run('token', 'jwt-bearer', ...argv)).toMatchObject({ code: 0 });
    const assertion = server.to('token')[0]?.form.get('assertion') ?? '';
    const payload = Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString();
    expect(payload).toContain('"uid":12345678901234567999');
  });
});

describe('a tenant', () => {
  it('keeps the number of --claim as it was given', async () => {
    const { run, home } = await setUp();
    const tenants = ['--tenants', join(home, 'tenants.json')];
    const add = (issuer: string, claim: string) =>
      run('serve', 'tenants', 'add', issuer, ...tenants, '--any-audience', '--claim', claim);
    expect(await add('https://a.example', 'uid=12345678901234567999')).toMatchObject({ code: 0 });
    expect(await add('https://b.example', 'uid=12345678901234567998')).toMatchObject({ code: 0 });
    const { stdout } = await run('serve', 'tenants', 'list', ...tenants);
    expect(stdout).toContain('uid=12345678901234567999');
    expect(stdout).toContain('uid=12345678901234567998');
    const listed = await run('serve', 'tenants', 'list', ...tenants, '--json');
    expect(listed.stdout).toContain('"uid": 12345678901234567999');
  });
});
