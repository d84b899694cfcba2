import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportPKCS8, importJWK, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { machine, readFailure } from '../../helpers/run.ts';

const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi'];

/** A machine with a key for ES256 in a file. */
async function withKey(...more: string[]) {
  const here = await machine();
  const file = join(here.home, 'key.json');
  const made = await here.run('key', 'generate', '--alg', 'ES256', '--out', file, '--json', ...more);
  const text = await readFile(file, 'utf8').catch(() => '');
  return { ...here, file, made, text, jwk: () => JSON.parse(text) as JWK };
}

describe('key generate', () => {
  it('writes the private key into a file for its owner alone, and prints the public one', async () => {
    const { made, file, jwk } = await withKey();
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { d, ...publicJwk } = jwk();
    expect(d).toMatch(/^[\w-]{43}$/);
    const kid = await calculateJwkThumbprint(publicJwk);
    expect(publicJwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid });
    expect(JSON.parse(made.stdout)).toEqual({
      ...{ kid, kty: 'EC', alg: 'ES256', use: 'sig', file, public_jwk: publicJwk },
    });
  });

  it('tells people what was made, without the private part', async () => {
    const { run, home } = await machine();
    const { code, stdout } = await run('key', 'generate', '--alg', 'EdDSA', '--out', join(home, 'a'));
    const { d } = JSON.parse(await readFile(join(home, 'a'), 'utf8'));
    expect(code).toBe(0);
    for (const line of [/^kid +\S{43}$/m, /^kty +OKP$/m, /^alg +EdDSA$/m, /^use +sig$/m, /^x +\S{43}$/m])
      expect(stdout).toMatch(line);
    expect(stdout).not.toContain(d);
  });

  it('makes a key for signing by RS256, and for encryption by RSA-OAEP-256, unless told otherwise', async () => {
    const { run, home } = await machine();
    const sig = await run('key', 'generate', '--out', join(home, 'a'), '--field', 'alg');
    const enc = await run('key', 'generate', '--use', 'enc', '--out', join(home, 'b'), '--field', 'alg');
    expect([sig.stdout, enc.stdout]).toEqual(['RS256\n', 'RSA-OAEP-256\n']);
  });

  it('writes PEM that is the same key', async () => {
    const { run, home } = await machine();
    const file = join(home, 'key.pem');
    const made = await run(
      ...['key', 'generate', '--alg', 'ES384', '--format', 'pem', '--kid', 'mine', '--out', file, '--json'],
    );
    expect(await readFile(file, 'utf8')).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/,
    );
    const shown = JSON.parse((await run('key', 'show', file, '--json')).stdout);
    const { x, y } = JSON.parse(made.stdout).public_jwk;
    expect(JSON.parse(made.stdout)).toMatchObject({ kid: 'mine' });
    expect(shown.keys).toMatchObject([{ kty: 'EC', private: true, public_jwk: { x, y } }]);
  });

  it('replaces no file unless told to', async () => {
    const { run, file, text } = await withKey();
    const again = ['key', 'generate', '--alg', 'ES256', '--out', file];
    expect(readFailure(await run(...again, '--json'))).toMatchObject({ code: 'file_exists', exit_code: 2 });
    expect(await readFile(file, 'utf8')).toBe(text);
    expect((await run(...again, '--force')).code).toBe(0);
    expect(await readFile(file, 'utf8')).not.toBe(text);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('prints a private key only where that is asked for', async () => {
    const { run } = await machine();
    const refused = await run('key', 'generate', '--alg', 'ES256', '--json');
    expect(readFailure(refused)).toMatchObject({ code: 'out_missing', exit_code: 2 });
    const shown = await run('key', 'generate', '--alg', 'ES256', '--show-secrets');
    expect(JSON.parse(shown.stdout)).toHaveProperty('d');
    const pem = await run('key', 'generate', '--alg', 'ES256', '--format', 'pem', '--show-secrets');
    expect(pem.stdout).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it.each([
    [['--alg', 'HS256'], 'alg_unknown'],
    [['--alg', 'RS256', '--use', 'enc'], 'use_unfit'],
    [['--alg', 'ECDH-ES', '--use', 'sig'], 'use_unfit'],
    [['--use', 'both'], 'usage'],
    [['--out', '/no/such/folder/key'], 'file_unwritable'],
  ])('with %j fails with %s', async (flags, code) => {
    const { run, home } = await machine();
    const result = await run('key', 'generate', '--out', join(home, 'a'), ...flags, '--json');
    expect(readFailure(result)).toMatchObject({ code, exit_code: 2 });
  });
});

describe('key show', () => {
  it('shows kid, kind, use and public parts, and no private one', async () => {
    const { run, file, jwk } = await withKey();
    const { d, x, kid } = jwk();
    const { code, stdout } = await run('key', 'show', file);
    expect(code).toBe(0);
    for (const [name, value] of Object.entries({
      kid,
      kty: 'EC',
      alg: 'ES256',
      use: 'sig',
      x,
      private: 'yes',
    }))
      expect(stdout).toMatch(new RegExp(`^${name} +${value}$`, 'm'));
    expect(stdout).not.toContain(d);
    expect((await run('key', 'show', file, '--json')).stdout).not.toContain(d);
    expect((await run('key', 'show', file, '--json', '--show-secrets')).stdout).toContain(d);
  });

  it('calls a key without a kid by its thumbprint', async () => {
    const { run, home, jwk } = await withKey();
    const { kid: _kid, alg: _alg, use: _use, ...bare } = jwk();
    await writeFile(join(home, 'bare.json'), JSON.stringify({ keys: [bare] }));
    const { stdout } = await run('key', 'show', join(home, 'bare.json'), '--field', 'keys.0.kid');
    expect(stdout).toBe(`${await calculateJwkThumbprint(bare)}\n`);
  });

  it('shows nothing of a symmetric key but that it is one', async () => {
    const { run, home } = await machine();
    await writeFile(join(home, 'oct.json'), '{"kty":"oct","k":"dGhlLXNlY3JldA","kid":"s"}');
    const { stdout } = await run('key', 'show', join(home, 'oct.json'), '--json');
    expect(JSON.parse(stdout)).toEqual({ keys: [{ kid: 's', kty: 'oct', signs_with: [], private: true }] });
  });

  it.each([
    ['no-such-file', undefined, 'file_unreadable'],
    ['text', 'hello', 'key_invalid'],
    ['locked.pem', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n', 'key_encrypted'],
  ])('of %s fails', async (name, text, code) => {
    const { run, home } = await machine();
    const file = join(home, name);
    if (text !== undefined) await writeFile(file, text);
    expect(readFailure(await run('key', 'show', file, '--json'))).toMatchObject({ code, exit_code: 2 });
  });
});

describe('key jwks', () => {
  it('prints the public set of all files, each key with kid, alg and use', async () => {
    const { run, file, home, jwk } = await withKey();
    const { d: _d, ...publicJwk } = jwk();
    const pem = join(home, 'key.pem');
    const bare = { ...jwk(), kid: undefined, alg: undefined, use: undefined } as unknown as JWK;
    await writeFile(pem, await exportPKCS8((await importJWK(bare, 'ES256', { extractable: true })) as never));
    const { stdout, code } = await run('key', 'jwks', file, pem);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ keys: [publicJwk, publicJwk] });
    for (const member of PRIVATE) expect(stdout).not.toContain(`"${member}":`);
  });

  it('gives keys that do not say the alg and use of the options', async () => {
    const { run, home } = await machine();
    const pem = join(home, 'rsa.pem');
    await run('key', 'generate', '--format', 'pem', '--out', pem);
    const plain = JSON.parse((await run('key', 'jwks', pem)).stdout).keys[0];
    expect(plain).toMatchObject({ use: 'sig', kty: 'RSA' });
    expect(plain).not.toHaveProperty('alg');
    const { stdout } = await run('key', 'jwks', pem, '--alg', 'PS256', '--use', 'sig');
    expect(JSON.parse(stdout).keys).toMatchObject([{ alg: 'PS256', use: 'sig' }]);
  });

  it('refuses a symmetric key, which has no public part', async () => {
    const { run, home } = await machine();
    await writeFile(join(home, 'oct.json'), '{"kty":"oct","k":"dGhlLXNlY3JldA"}');
    const result = await run('key', 'jwks', join(home, 'oct.json'), '--json');
    expect(readFailure(result)).toMatchObject({ code: 'key_symmetric', exit_code: 2 });
    expect(result.stderr).not.toContain('dGhlLXNlY3JldA');
  });
});
