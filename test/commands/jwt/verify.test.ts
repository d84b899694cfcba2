import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, exportSPKI, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../src/store/index.ts';
import { buildProgramInto } from '../../helpers/built-program.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { keyPair } from '../../helpers/keys.ts';
import { CLIENT_ID, startMisbehavingServer } from '../../helpers/misbehaving-server.ts';
import { type Machine, machine, readFailure } from '../../helpers/run.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const ISSUER = 'https://as.example';

let folder: string;
let privateKey: CryptoKey;
let strangerKey: CryptoKey;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oauthctl-jwt-'));
  const pair = await keyPair('RS256');
  privateKey = pair.privateKey;
  strangerKey = (await keyPair('RS256', 'stranger')).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  await writeFile(file('jwks.json'), JSON.stringify({ keys: [jwk] }));
  await writeFile(file('jwk.json'), JSON.stringify(jwk));
  await writeFile(file('key.pem'), await exportSPKI(pair.publicKey));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function sign(claims: JWTPayload = {}, header = {}, key: CryptoKey = privateKey): Promise<string> {
  return new SignJWT({
    iss: ISSUER,
    aud: 'api',
    sub: 'taro',
    iat: SECONDS - 10,
    exp: SECONDS + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'k', ...header })
    .sign(key);
}

async function verifyOn(on: Machine, args: readonly string[], stdin = '', env = {}) {
  const clock = new FakeClock({ now: NOW });
  return on.runWith({ clock, stdin, env }, 'jwt', 'verify', ...args);
}

const verify = async (args: readonly string[], stdin?: string, env?: Record<string, string>) =>
  verifyOn(await machine(), args, stdin, env);

describe('a symmetric JWK', () => {
  const secret = Buffer.from('a secret that is long enough for HMAC with SHA-256');
  const verifyWith = async (members: object) => {
    const path = file('oct.json');
    await writeFile(path, JSON.stringify({ kty: 'oct', k: secret.toString('base64url'), ...members }));
    const token = await new SignJWT({ exp: SECONDS + 60 }).setProtectedHeader({ alg: 'HS256' }).sign(secret);
    return verify(['--json', token, '--key', path]);
  };

  it.each([[{}], [{ use: 'sig' }], [{ key_ops: ['verify'] }], [{ key_ops: ['sign'] }], [{ alg: 'HS256' }]])(
    'with %j verifies',
    async (members) => {
      expect((await verifyWith(members)).code).toBe(0);
    },
  );

  it.each([
    [{ use: 'enc' }],
    [{ key_ops: ['encrypt', 'decrypt'] }],
    [{ key_ops: [] }],
    [{ alg: 'A128GCMKW' }],
    [{ alg: 'RS256' }],
  ])('with %j is refused', async (members) => {
    const result = await verifyWith(members);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'key_unfit' });
  });

  it('verifies no other algorithm than its own', async () => {
    const result = await verifyWith({ alg: 'HS512' });
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('alg_unfit');
  });
});

describe('a short RSA key', () => {
  it('is used with a warning', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    await writeFile(file('short.json'), JSON.stringify(publicKey.export({ format: 'jwk' })));
    const result = await verify([await sign(), '--key', file('short.json')]);
    expect(result.stderr).toContain('1024 bits; signatures need 2048 or more');
    expect(result.code).toBe(4);
  });
});

describe('one token', () => {
  it('that is valid is listed with every check, and exits with 0', async () => {
    const { code, stdout, stderr } = await verify([
      await sign(),
      '--jwks',
      file('jwks.json'),
      '--audience',
      'api',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ signature +a valid RS256 signature$/m);
    expect(stdout).toMatch(/^✓ aud /m);
    expect(stdout).toMatch(/^✓ exp .*no leeway/m);
    expect(stdout).toMatch(/^– iss +not checked/m);
    expect(stdout).toMatch(/\nvalid\n$/);
  });

  it('that is not valid is listed as well, and exits with 4', async () => {
    const token = await sign({ iss: `${ISSUER}/`, exp: SECONDS - 3 });
    const { code, stdout, stderr } = await verify([token, '--jwks', file('jwks.json'), '--issuer', ISSUER]);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^✓ signature/m);
    expect(stdout).toMatch(/^✗ iss .*a trailing slash only/m);
    expect(stdout).toMatch(/^✗ exp .*it expired 3 s ago/m);
    expect(stdout).toMatch(/\nnot valid\n$/);
    expect(stderr).toMatch(/^error: the token is not valid: iss: .*; exp: /);
    expect(stderr).not.toContain(token.split('.')[2]);
  });

  it('under --json is a verdict, or an error with all checks', async () => {
    const good = await verify(['--json', await sign(), '--jwks', file('jwks.json')]);
    expect(JSON.parse(good.stdout)).toMatchObject({
      valid: true,
      header: { kid: 'k' },
      claims: { sub: 'taro' },
      checks: expect.arrayContaining([{ name: 'signature', outcome: 'passed', detail: expect.any(String) }]),
    });
    const bad = await verify(['--json', await sign({}, {}, strangerKey), '--jwks', file('jwks.json')]);
    expect(bad.code).toBe(4);
    expect(readFailure(bad)).toMatchObject({
      code: 'jwt_invalid',
      exit_code: 4,
      checks: expect.arrayContaining([
        { name: 'signature', outcome: 'failed', reason: 'signature_wrong', detail: expect.any(String) },
        expect.objectContaining({ name: 'exp', outcome: 'passed' }),
      ]),
    });
  });

  it('gives --field nothing when it is not valid', async () => {
    const args = ['--field', 'claims.sub', '--jwks', file('jwks.json')];
    expect((await verify([...args, await sign()])).stdout).toBe('taro\n');
    expect(await verify([...args, await sign({ exp: 1 })])).toMatchObject({ code: 4, stdout: '' });
  });

  it('that is garbage says what it looks like', async () => {
    const result = await verify(['--json', 'not-a-token', '--key', file('key.pem')]);
    expect(readFailure(result)).toMatchObject({
      code: 'jwt_invalid',
      hint: expect.stringContaining('an opaque token'),
      checks: expect.arrayContaining([expect.objectContaining({ name: 'format', reason: 'not_a_jwt' })]),
    });
  });

  it.each(['jwks.json', 'jwk.json', 'key.pem'])('is verified by the key in %s', async (name) => {
    expect((await verify([await sign(), '--key', file(name)])).code).toBe(0);
    expect((await verify([await sign({}, {}, strangerKey), '--key', file(name)])).code).toBe(4);
  });

  it('is verified by a secret, and by nothing else that it names', async () => {
    const secret = 'a-secret-that-is-long-enough-for-it';
    const token = await new SignJWT({ sub: 'a' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    const good = await verify([token, '--secret', 'env:SHARED'], '', { SHARED: secret });
    expect(good.code).toBe(0);
    expect(good.stdout + good.stderr).not.toContain(secret);
    expect((await verify([token, '--secret', 'env:SHARED'], '', { SHARED: `${secret}2` })).code).toBe(4);
    const confused = await verify(['--json', token, '--key', file('key.pem')]);
    expect(JSON.stringify(readFailure(confused))).toContain('alg_confusion');
  });

  it('is taken from Bearer, from a token response and from standard input', async () => {
    const token = await sign();
    const args = ['--jwks', file('jwks.json'), '--field', 'claims.sub'];
    const response = JSON.stringify({ id_token: await sign({ sub: 'id' }), access_token: token });
    for (const text of [token, `Bearer ${token}`, response])
      expect((await verify(args, text)).stdout).toBe('taro\n');
    expect((await verify([...args, '--id-token', '-'], response)).stdout).toBe('id\n');
    const several = await verify([...args, '--json'], `${token}\n${await sign({ sub: 'b' })}`);
    expect(readFailure({ ...several })).toMatchObject({ code: 'token_ambiguous', exit_code: 2 });
  });

  it('may be older or younger by the leeway', async () => {
    const token = await sign({ exp: SECONDS - 3 });
    expect((await verify([token, '--key', file('key.pem')])).code).toBe(4);
    expect((await verify([token, '--key', file('key.pem'), '--leeway', '5'])).code).toBe(0);
  });

  it('has every option that a check needs', async () => {
    const access = 'the-access-token';
    const at_hash = createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url');
    const claims = { aud: 'app', at_hash, nonce: 'n', auth_time: SECONDS - 5, roles: ['a'], level: 2 };
    const token = await sign(claims, { typ: 'JWT' });
    const args = [
      '--key',
      file('key.pem'),
      '--id-token',
      '--client-id',
      'app',
      '--issuer',
      ISSUER,
      '--alg',
      'RS256',
    ];
    const more = [
      '--nonce',
      'n',
      '--max-age',
      '5',
      '--claim',
      'roles=a',
      '--claim',
      'level=2',
      '--type',
      'JWT',
    ];
    const good = await verify([token, ...args, ...more, '--access-token', 'env:ACCESS'], '', {
      ACCESS: access,
    });
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/^✓ at_hash/m);
    const failing = [
      '--nonce',
      'm',
      '--max-age',
      '4',
      '--claim',
      'roles=b',
      '--claim',
      'gone',
      '--type',
      'at+jwt',
    ];
    const bad = await verify(['--json', token, ...args, ...failing, '--access-token', 'env:ACCESS'], '', {
      ACCESS: 'x',
    });
    const { checks } = readFailure(bad) as { checks: { outcome: string; reason: string }[] };
    expect(checks.flatMap(({ outcome, reason }) => (outcome === 'failed' ? [reason] : []))).toEqual([
      ...['type_unexpected', 'too_old', 'nonce_mismatch', 'hash_mismatch', 'claim_mismatch', 'claim_missing'],
    ]);
  });
});

describe('keys of an issuer', () => {
  it('are discovered, and the issuer must be its own', async () => {
    const server = await startMisbehavingServer({ clock: new FakeClock({ now: NOW }) });
    const idToken = await server.idToken();
    const args = ['--json', '--issuer', server.issuer, '--id-token', '--client-id', CLIENT_ID];
    expect((await verify([...args, idToken])).code).toBe(0);
    expect(server.requests.map(({ endpoint }) => endpoint)).toEqual(['metadata', 'jwks']);
    const other = await verify([...args, await server.idToken({ claims: { iss: `${server.issuer}/` } })]);
    expect(JSON.stringify(readFailure(other))).toContain('issuer_mismatch');
    const forged = await verify([...args, await server.idToken({ foreignKey: true })]);
    expect(JSON.stringify(readFailure(forged))).toContain('signature_wrong');
  });

  it('are those of the profile where nothing else is said', async () => {
    const server = await startMisbehavingServer({ clock: new FakeClock({ now: NOW }) });
    const on = await machine();
    const store = openStore({ OAUTHCTL_HOME: on.home });
    await store.profiles.add('sample', { issuer: server.issuer, client_id: CLIENT_ID });
    const { code, stdout } = await verifyOn(on, ['-p', 'sample', '--id-token', await server.idToken()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ aud/m);
  });

  it('may be fetched by the address of the JWKS alone', async () => {
    const server = await startMisbehavingServer({ clock: new FakeClock({ now: NOW }) });
    const { code, stdout } = await verify([await server.idToken(), '--jwks', `${server.issuer}/jwks`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^– iss/m);
    expect(server.requests.map(({ endpoint }) => endpoint)).toEqual(['jwks']);
  });

  it('are not asked for when a key is named', async () => {
    const result = await verify([await sign(), '--issuer', ISSUER, '--key', file('key.pem')]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^✓ iss/m);
  });
});

describe('a mistake', () => {
  it.each([
    [[], 'keys_missing'],
    [['--key', 'KEY', '--jwks', 'KEY'], 'keys_ambiguous'],
    [['--key', 'KEY', '--secret', 'env:X'], 'keys_ambiguous'],
    [['--key', '/no/such/file'], 'file_unreadable'],
    [['--key', 'KEY', '--alg', 'None'], 'alg_none'],
    [['--key', 'KEY', '--leeway', '-1'], 'seconds_invalid'],
    [['--key', 'KEY', '--max-age', 'old'], 'seconds_invalid'],
    [['--key', 'KEY', '--claim', '=x'], 'claim_invalid'],
    [['--key', 'KEY', '--id-token', '--logout-token'], 'profile_ambiguous'],
    [['--key', 'KEY', '--nonce', 'n'], 'id_token_missing'],
    [['--key', 'KEY', '--lines'], 'lines_and_token'],
  ])('in the options exits with 2: %j', async (args, code) => {
    const given = args.map((arg) => (arg === 'KEY' ? file('key.pem') : arg));
    const result = await verify(['--json', await sign(), ...given]);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code });
  });

  it('with no keys tells whose the token says it is', async () => {
    expect(readFailure(await verify(['--json', await sign()])).hint).toContain(ISSUER);
  });
});

describe('many tokens', () => {
  it('bring a verdict each, in order, and a summary', async () => {
    const lines = [await sign(), '', `Bearer ${await sign()}`, 'garbage', await sign({ exp: 1 })].join(
      '\r\n',
    );
    const { code, stdout, stderr } = await verify(['--lines', '--jwks', file('jwks.json')], `${lines}\n`);
    expect(code).toBe(4);
    expect(stdout.split('\n')).toEqual([
      '✓ 1',
      '✓ 3',
      expect.stringMatching(/^✗ 4 {2}format: /),
      expect.stringMatching(/^✗ 5 {2}exp: it expired /),
      '',
    ]);
    expect(stderr).toContain('4 tokens · 2 not valid');
    expect(stderr).toMatch(/error: 2 of 4 tokens are not valid\n/);
  });

  it('are lines of JSON under --json', async () => {
    const result = await verify(['--json', '--lines', '--jwks', file('jwks.json')], `${await sign()}\nx`);
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { line: 1, valid: true, failed: [] },
      {
        line: 2,
        valid: false,
        failed: [{ name: 'format', reason: 'not_a_jwt', detail: expect.any(String) }],
      },
    ]);
    expect(JSON.parse(result.stderr.trimEnd().split('\n').at(-1) ?? '').error).toMatchObject({
      exit_code: 4,
    });
  });

  it('that are all valid exit with 0', async () => {
    const lines = `${await sign()}\n`.repeat(300);
    const { code, stdout } = await verify(['-q', '--lines', '--jwks', file('jwks.json')], lines);
    expect(code).toBe(0);
    expect(stdout.match(/^✓/gm)).toHaveLength(300);
    expect(stdout.endsWith('✓ 300\n')).toBe(true);
  });

  it('may have one among them that is far too long', async () => {
    const lines = `${await sign()}\n${'x'.repeat(600_000)}\n${await sign()}`;
    const { stdout } = await verify(['--lines', '--jwks', file('jwks.json')], lines);
    expect(stdout.split('\n').map((line) => line.slice(0, 3))).toEqual(['✓ 1', '✗ 2', '✓ 3', '']);
    expect(stdout).toContain('are not read');
  });

  it('that are none are a mistake', async () => {
    const result = await verify(['--json', '--lines', '--jwks', file('jwks.json')], '\n\n');
    expect(readFailure(result)).toMatchObject({ code: 'token_empty', exit_code: 2 });
  });
});

describe('the bundled program', () => {
  let program: string;

  beforeAll(async () => {
    program = await buildProgramInto(join(folder, 'package'));
  });

  function start(...args: string[]) {
    const child = spawn(
      process.execPath,
      [program, 'jwt', 'verify', '--lines', '--jwks', file('jwks.json'), ...args],
      {
        env: { ...process.env, OAUTHCTL_HOME: folder },
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
    });
    // The program may end before it has read everything.
    child.stdin.on('error', () => {});
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
    return { child, ended };
  }

  /** The clock of the program is the real one. */
  const live = (claims: JWTPayload = {}) =>
    sign({ iat: 1, exp: Math.floor(Date.now() / 1000) + 3600, ...claims });

  it('verifies in threads, in order, and ends by itself', async () => {
    const [good, bad] = [await live(), await live({ exp: 2 })];
    const { child, ended } = start();
    const tokens = Array.from({ length: 3000 }, (_, index) => (index % 7 === 0 ? bad : good));
    child.stdin.end(tokens.join('\n'));
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(4);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('  ')[0]),
    ).toEqual(tokens.map((token, index) => `${token === good ? '✓' : '✗'} ${index + 1}`));
    expect(stderr).toContain('3 000 tokens · 429 not valid');
  });

  it('answers each line as it comes', async () => {
    const { child, ended } = start('-q');
    child.stdin.write(`${await live()}\n`);
    await once(child.stdout, 'data');
    child.stdin.end(await live());
    expect(await ended).toMatchObject({ code: 0, stdout: '✓ 1\n✓ 2\n' });
  });

  it('obeys an interruption while it waits for input', async () => {
    const { child, ended } = start();
    child.stdin.write(`${await live()}\n`);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/error: interrupted/);
  });

  it('stops when nobody reads on', async () => {
    const { child, ended } = start();
    const token = await live();
    child.stdin.write(`${token}\n`.repeat(2000));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end(`${token}\n`.repeat(2000));
    expect(await ended).toMatchObject({ signal: null, stderr: '' });
  });
});
