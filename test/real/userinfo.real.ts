import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateKey, pickPublicPart } from '../../src/protocol/jose/key.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { PASSWORD_GRANT, signIn } from './tokens.ts';

onEachKeycloak({}, (stage) => {
  const configure = (attributes: Record<string, string>) =>
    stage.sample.admin.updateClient(stage.sample.realm, stage.sample.client.id, { attributes });

  test('the user of the kept token is shown, by GET and by POST', async (context) => {
    const cli = await stage.cli(context);
    await signIn(cli);
    const { id: sub } = stage.sample.user;
    const person = { sub, preferred_username: 'cl-taro', email: 'cl-taro@example.org' };
    expect(await cli.json('userinfo')).toMatchObject(person);
    expect(await cli.json('userinfo', '--post')).toMatchObject(person);
    expect(cli.exchanges('userinfo').map(({ request }) => request.method)).toEqual(['GET', 'POST']);
    const run = await cli.run('userinfo');
    expect(run.stdout).toMatch(/^ +preferred_username cl-taro$/m);
  });

  test('a signed answer is verified', async (context) => {
    await configure({ 'user.info.response.signature.alg': 'RS256' });
    const cli = await stage.cli(context);
    await signIn(cli);
    const run = await cli.run('userinfo', '--json');
    await configure({ 'user.info.response.signature.alg': '' });
    expect(JSON.parse(run.stdout)).toMatchObject({
      sub: stage.sample.user.id,
      iss: stage.sample.issuer,
      aud: 'test-client',
    });
    expect(run.stderr).toContain('signature verified: RS256');
  });

  if (stage.version === 26) {
    test('an encrypted answer is decrypted, signed or not', async (context) => {
      const { jwk } = await generateKey('RSA-OAEP-256');
      const cli = await stage.cli(context);
      const file = join(cli.home, 'decryption.json');
      await writeFile(file, JSON.stringify(jwk));
      await signIn(cli);
      const encrypted = {
        'use.jwks.string': 'true',
        'jwks.string': JSON.stringify({ keys: [pickPublicPart(jwk)] }),
        'user.info.encrypted.response.alg': 'RSA-OAEP-256',
        'user.info.encrypted.response.enc': 'A256GCM',
      };
      for (const alg of ['RS256', '']) {
        await configure({ ...encrypted, 'user.info.response.signature.alg': alg });
        const run = await cli.run('userinfo', '--decryption-key', file, '--json');
        expect(run.exitCode, run.stderr).toBe(0);
        expect(JSON.parse(run.stdout)).toMatchObject({ sub: stage.sample.user.id });
        expect(run.stderr).toContain(
          `${alg && `signature verified: ${alg} · `}decrypted: RSA-OAEP-256, A256GCM`,
        );
      }
      const withoutKey = await cli.fails(4, 'userinfo');
      expect(withoutKey).toMatchObject({
        code: 'userinfo_invalid',
        hint: expect.stringContaining('--decryption-key'),
      });
      const none = Object.fromEntries(Object.keys(encrypted).map((name) => [name, '']));
      await configure({ ...none, 'user.info.response.signature.alg': '' });
    });

    test('a token that is bound by DPoP is sent with its proof', async (context) => {
      const cli = await stage.cli(context);
      await signIn(cli, '--dpop');
      expect(await cli.json('userinfo')).toMatchObject({ sub: stage.sample.user.id });
      const error = await cli.fails(3, 'userinfo', '--no-dpop');
      expect(error.hint).toContain('sent as a bearer token');
    });
  }

  test('what is refused says why', async (context) => {
    const cli = await stage.cli(context);
    const { admin, realm, user } = stage.sample;
    const refused = async (status: number, hint: RegExp, ...args: string[]) => {
      const error = await cli.fails(3, 'userinfo', ...args);
      expect(error).toMatchObject({ oauth: { status }, hint: expect.stringMatching(hint) });
    };
    await refused(401, /does not accept the access token/, 'not-a-token');
    await signIn(cli);
    await refused(401, /does not accept the access token/, '@last.id_token');
    await admin.logoutUser(realm, user.id);
    await refused(401, /session of the token has ended/);
    await cli.json(...PASSWORD_GRANT);
    if (stage.version === 26) await refused(403, /--scope openid/);
    else expect(await cli.json('userinfo')).toMatchObject({ sub: user.id });
  });
});
