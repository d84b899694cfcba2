import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIENT_ID, TOKENS } from '../helpers/misbehaving-server.ts';
import { readFailure } from '../helpers/run.ts';
import { startWorkplace, type Workplace } from '../helpers/workplace.ts';
import { encrypt, keyFor } from '../protocol/server-jwts.ts';

const PASSWORD = ['--username', 'cl-taro', '--password', 'env:PASSWORD', '--scope', 'openid'];

/** A machine whose server encrypts ID tokens, and the file of the key that opens them. */
async function setUp({
  claims = {},
  answers = 1,
}: {
  claims?: Record<string, unknown>;
  answers?: number;
} = {}) {
  const key = await keyFor('RSA-OAEP');
  const answer = async () => ({
    json: { ...TOKENS.json, id_token: await encrypt(await place.server.idToken({ claims }), key) },
  });
  const place: Workplace = await startWorkplace(
    { token: Array(answers).fill(answer) },
    { env: { PASSWORD: 'a password' } },
  );
  const { server, home } = place;
  const file = join(home, 'decryption.jwk');
  await writeFile(file, JSON.stringify(key));
  const here = { OAUTHCTL_ISSUER: server.issuer, OAUTHCTL_CLIENT_ID: CLIENT_ID };
  const run = (env: Record<string, string>, ...args: string[]) => place.runWith({ env }, ...args);
  const token = (...args: string[]) => run(here, 'token', 'password', ...PASSWORD, ...args);
  return { server, home, file, here, run, token };
}

describe('an encrypted ID token', () => {
  it('is decrypted and verified, and people see its claims', async () => {
    const { token, file } = await setUp({ claims: { acr: 'gold' } });
    const { code, stdout, stderr } = await token('--decryption-key', file);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/id_token verified: ES256, decrypted from RSA-OAEP and A128GCM, sub user-1/);
    expect(stdout).toMatch(/id_token +eyJh…\(masked\) · ES256 · .*verified\n/);
    expect(stdout).toMatch(/^ {2}acr +gold$/m);
  });

  it('is printed as it came under --json, and kept so', async () => {
    const { token, file, run, here } = await setUp();
    const { stdout } = await token('--decryption-key', file, '--json');
    const { id_token } = JSON.parse(stdout);
    expect(id_token.split('.')).toHaveLength(5);
    const shown = await run(here, 'token', 'show');
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toMatch(/id_token .*encrypted with RSA-OAEP, A128GCM/);
  });

  it('needs the key, which the environment or a profile may name', async () => {
    const { server, file, run, token } = await setUp({ answers: 3 });
    expect(readFailure(await token('--json'))).toMatchObject({
      code: 'id_token_invalid',
      exit_code: 4,
      message: expect.stringContaining('there is no key to decrypt it with'),
      hint: expect.stringContaining('--decryption-key FILE'),
    });
    const named = ['--issuer', server.issuer, '--client-id', CLIENT_ID, '--auth-method', 'none'];
    const env = { OAUTHCTL_DECRYPTION_KEY: file };
    expect(await run(env, 'token', 'password', ...named, ...PASSWORD)).toMatchObject({ code: 0 });
    await run({}, 'profile', 'add', 'p', ...named, '--decryption-key', file);
    expect(await run({}, 'token', 'password', '-p', 'p', ...PASSWORD)).toMatchObject({ code: 0 });
  });

  it('that cannot be opened is refused, and no tokens are kept', async () => {
    const { token, home, run, here } = await setUp();
    const other = join(home, 'other.jwk');
    await writeFile(other, JSON.stringify(await keyFor('RSA-OAEP', '-other')));
    const error = readFailure(await token('--decryption-key', other, '--json'));
    expect(error).toMatchObject({ code: 'id_token_invalid', exit_code: 4 });
    expect(error.message).toMatch(/no decryption key of the client opens it/);
    expect(readFailure(await run(here, 'token', 'show', '--json'))).toMatchObject({ code: 'nothing_kept' });
  });
});

describe('--decryption-key', () => {
  it.each<[string, () => Promise<string>, string]>([
    ['a public key', async () => JSON.stringify({ ...(await publicOnly()), use: 'enc' }), 'key_public_only'],
    ['a key for signatures', async () => JSON.stringify(await keyFor('ES256')), 'key_unfit'],
    ['a symmetric key', async () => '{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}', 'key_unfit'],
    ['no key', async () => 'hello', 'key_invalid'],
  ])('that holds %s is refused before anything is sent', async (_what, text, code) => {
    const { token, server, home } = await setUp({ answers: 0 });
    const file = join(home, 'given');
    await writeFile(file, await text());
    expect(readFailure(await token('--decryption-key', file, '--json'))).toMatchObject({
      code,
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });

  it('is stored in a profile by its whole path, which is no secret', async () => {
    const { run, home, file } = await setUp({ answers: 0 });
    await run({}, 'profile', 'add', 'p', '--issuer', 'https://as.example', '--decryption-key', file);
    const { profiles } = JSON.parse(await readFile(join(home, 'profiles.json'), 'utf8'));
    expect(profiles.p).toEqual({ issuer: 'https://as.example', decryption_key: file });
  });
});

async function publicOnly() {
  const { kty, n, e } = await keyFor('RSA-OAEP');
  return { kty, n, e };
}
