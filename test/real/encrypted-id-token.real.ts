import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import type { Attributes } from '../lab/keycloak-admin.ts';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';

const KEY = 'decryption.jwk';

onEachKeycloak({}, (stage) => {
  const password = ['token', 'password', '--scope', 'openid', '--username', 'cl-taro', '--password'] as const;

  /** A client whose ID tokens are encrypted for a key in its home. */
  async function encrypting(context: TestContext, alg: string, enc: string): Promise<Cli> {
    const { user } = stage.sample;
    const cli = await stage.cli(context, undefined, { env: { PASSWORD: user.password } });
    await cli.json('key', 'generate', '--alg', alg, '--out', KEY);
    cli.know(JSON.parse(await readFile(join(cli.home, KEY), 'utf8')).d);
    const { admin, realm, client } = stage.sample;
    const attributes = {
      ...(await publishing(context, cli)),
      'id.token.encrypted.response.alg': alg,
      'id.token.encrypted.response.enc': enc,
    };
    await admin.updateClient(realm, client.id, { attributes });
    return cli;
  }

  const combinations = stage.expected(
    [
      ['RSA-OAEP', 'A256GCM'],
      ['RSA-OAEP-256', 'A128CBC-HS256'],
      ['ECDH-ES', 'A128GCM'],
      ['ECDH-ES+A256KW', 'A256CBC-HS512'],
    ] as const,
    [
      ['RSA-OAEP', 'A256GCM'],
      ['RSA-OAEP-256', 'A128CBC-HS256'],
    ] as const,
  );

  for (const [alg, enc] of combinations) {
    test(`an ID token that is encrypted with ${alg} and ${enc} is decrypted and verified`, async (context) => {
      const cli = await encrypting(context, alg, enc);
      const run = await cli.run(...password, 'env:PASSWORD', '--decryption-key', KEY);
      expect(run, run.stderr).toMatchObject({ exitCode: 0 });
      expect(run.stderr).toContain(`id_token verified: RS256, decrypted from ${alg} and ${enc}, sub `);
      const [, shown = ''] = run.stdout.split(/^id_token\b/m);
      expect(shown).toMatch(/^ +eyJ.…\(masked\) · RS256 · .*verified\n/);
      expect(shown).toMatch(/^ {2}preferred_username +cl-taro$/m);
      // The hash of the access token that came with it was right, too.
      expect(shown).toMatch(/^ {2}at_hash +[\w-]{22}$/m);
    });
  }

  test('an encrypted ID token needs the key that is registered', async (context) => {
    const cli = await encrypting(context, 'RSA-OAEP', 'A256GCM');
    const withoutKey = await cli.fails(4, ...password, 'env:PASSWORD');
    expect(withoutKey).toMatchObject({
      code: 'id_token_invalid',
      message: expect.stringContaining('there is no key to decrypt it with'),
      hint: expect.stringContaining('--decryption-key FILE'),
    });
    await cli.json('key', 'generate', '--alg', 'RSA-OAEP', '--out', 'other.jwk');
    const withAnother = await cli.fails(4, ...password, 'env:PASSWORD', '--decryption-key', 'other.jwk');
    expect(withAnother.message).toContain('no decryption key of the client opens it');
    await cli.run('profile', 'set', 'sample', '--decryption-key', KEY);
    const tokens = await cli.json(...password, 'env:PASSWORD');
    expect(String(tokens.id_token).split('.')).toHaveLength(5);
    const refreshed = await cli.json('token', 'refresh');
    expect(String(refreshed.id_token).split('.')).toHaveLength(5);
  });
});

/** The attributes that make the public key known by an address, the one way that 14 knows. */
async function publishing({ onTestFinished }: TestContext, cli: Cli): Promise<Attributes> {
  const jwks = JSON.stringify(await cli.json('key', 'jwks', KEY));
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(jwks);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    'use.jwks.url': 'true',
    'jwks.url': `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
  };
}
