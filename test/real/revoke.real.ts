import { expect, test } from 'vitest';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { signIn } from './tokens.ts';

onEachKeycloak({ also24: true }, (stage) => {
  test('the kept refresh token is revoked, and all that came with it is forgotten', async (context) => {
    const cli = await stage.cli(context);
    const { access_token } = await signIn(cli);
    expect(await cli.json('revoke')).toEqual({ accepted: true, forgotten: ['sample'] });
    expect(cli.exchanges('revocation')[0]?.request.body).toContain('token_type_hint=refresh_token');
    expect(await cli.json('token', 'list')).toEqual({ kept: {} });
    const error = await cli.fails(4, 'introspect', String(access_token));
    expect(error.code).toBe('token_inactive');
  });

  test('after the access token alone was revoked, --reuse refreshes', async (context) => {
    const cli = await stage.cli(context);
    const before = await signIn(cli);
    await cli.json('revoke', '@last.access_token');
    const after = await signIn(cli, '--reuse');
    expect(after.access_token).not.toBe(before.access_token);
    expect(cli.exchanges('token').at(-1)?.request.body).toContain('grant_type=refresh_token');
  });

  test('what the server does not revoke is said, and stays kept', async (context) => {
    const cli = await stage.cli(context);
    const { access_token } = await signIn(cli);
    const refused = async (at: Cli, code: string, hint: RegExp, ...args: string[]) => {
      const error = await at.fails(3, 'revoke', ...args);
      expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
    };
    await refused(cli, 'invalid_token', /Nothing was revoked/, 'not-a-token');
    await refused(cli, 'unsupported_token_type', /ID tokens/, '@last.id_token');
    const other = await stage.cli(context, undefined, { client: stage.sample.plainClient });
    await refused(other, 'invalid_request', /issued to another client/, String(access_token));
    const wrongSecret = await cli.fails(3, 'revoke', '--client-secret', 'env:USER_PASSWORD');
    expect(wrongSecret.oauth?.status).toBe(401);
    expect((await cli.run('token', 'list')).stdout).toMatch(/^sample .*access_token.*refresh_token/);
    await cli.json('userinfo');
  });
});
