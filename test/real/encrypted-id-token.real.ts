import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { publishKeyFile } from './published-keys.ts';
import { PASSWORD_GRANT } from './tokens.ts';

const KEY = 'decryption.jwk';

onEachKeycloak({}, (stage) => {
  const password = [...PASSWORD_GRANT, '--scope', 'openid'] as const;

  /** A client whose ID tokens are encrypted for a key in its home. */
  async function encrypting(context: TestContext, alg: string, enc: string): Promise<Cli> {
    const cli = await stage.cli(context);
    await cli.json('key', 'generate', '--alg', alg, '--out', KEY);
    cli.know(JSON.parse(await readFile(join(cli.home, KEY), 'utf8')).d);
    const { admin, realm, client } = stage.sample;
    const attributes = {
      ...(await publishKeyFile(context, cli, KEY)).attributes,
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
      const run = await cli.run(...password, '--decryption-key', KEY);
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
    const withoutKey = await cli.fails(4, ...password);
    expect(withoutKey).toMatchObject({
      code: 'id_token_invalid',
      message: expect.stringContaining('there is no key to decrypt it with'),
      hint: expect.stringContaining('--decryption-key FILE'),
    });
    await cli.json('key', 'generate', '--alg', 'RSA-OAEP', '--out', 'other.jwk');
    const withAnother = await cli.fails(4, ...password, '--decryption-key', 'other.jwk');
    expect(withAnother.message).toContain('no decryption key of the client opens it');
    await cli.run('profile', 'set', 'sample', '--decryption-key', KEY);
    const tokens = await cli.json(...password);
    expect(String(tokens.id_token).split('.')).toHaveLength(5);
    const refreshed = await cli.json('token', 'refresh');
    expect(String(refreshed.id_token).split('.')).toHaveLength(5);
  });
});
