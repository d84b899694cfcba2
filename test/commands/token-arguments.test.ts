import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../helpers/fake-clock.ts';
import {
  CLIENT_ID,
  type MisbehavingServerOptions,
  startMisbehavingServer,
  TOKENS,
} from '../helpers/misbehaving-server.ts';
import { startResourceServer } from '../helpers/resource-server.ts';
import { machine, readFailure } from '../helpers/run.ts';

const RESPONSE = JSON.stringify({
  access_token: 'the-access-token',
  token_type: 'Bearer',
  expires_in: 300,
  refresh_token: 'the-refresh-token',
  id_token: 'the-id-token',
});

async function setUp(script: Omit<MisbehavingServerOptions, 'clock'> = {}) {
  const clock = new FakeClock();
  const server = await startMisbehavingServer({ ...script, clock });
  const { home, addProfile, runWith } = await machine();
  await addProfile(server.issuer, '--client-id', CLIENT_ID);
  const file = join(home, 't.json');
  await writeFile(file, RESPONSE);
  const run = (...argv: string[]) => runWith({ clock, env: { TOKEN: 'the-token-of-a-variable' } }, ...argv);
  return { server, home, run, at: `@${file}` };
}

const ok = (json: unknown = {}) => ({ json });

describe('a file with a whole token response', () => {
  it('gives revoke the refresh token, and with a hint the access token', async () => {
    const { run, server, at } = await setUp({ revocation: [ok(), ok()] });
    const revoked = await run('revoke', at);
    expect(revoked).toMatchObject({ code: 0 });
    expect(revoked.stderr).toContain('the refresh_token in');
    expect(revoked.stdout).not.toContain('good no more');
    expect(await run('revoke', at, '--token-type-hint', 'access_token')).toMatchObject({ code: 0 });
    expect(
      server.to('revocation').map(({ form }) => [form.get('token'), form.get('token_type_hint')]),
    ).toEqual([
      ['the-refresh-token', 'refresh_token'],
      ['the-access-token', 'access_token'],
    ]);
  });

  it('gives call the access token, and never another one', async () => {
    const { run, home, at } = await setUp();
    const resource = await startResourceServer(() => [{ body: 'ok' }, { body: 'ok' }]);
    expect(await run('call', resource.url, '--token', at)).toMatchObject({ code: 0 });
    expect(resource.requests[0]?.headers.authorization).toBe('Bearer the-access-token');
    const rest = join(home, 'rest.json');
    await writeFile(rest, '{"refresh_token":"the-refresh-token","token_type":"Bearer"}');
    const refused = await run('call', resource.url, '--token', `@${rest}`, '--json');
    expect(readFailure(refused)).toMatchObject({ code: 'token_unfit', exit_code: 2 });
    expect(resource.requests).toHaveLength(1);
    expect(await run('call', resource.url, '--token', 'env:TOKEN')).toMatchObject({ code: 0 });
    expect(resource.requests[1]?.headers.authorization).toBe('Bearer the-token-of-a-variable');
  });

  it('gives introspect and userinfo the access token', async () => {
    const { run, server, at } = await setUp({
      introspection: [ok({ active: true }), ok({ active: true })],
      userinfo: [ok({ sub: 'a' })],
    });
    expect(await run('introspect', at)).toMatchObject({ code: 0 });
    expect(await run('introspect', at, '--token-type-hint', 'refresh_token')).toMatchObject({ code: 0 });
    expect(server.to('introspection').map(({ form }) => form.get('token'))).toEqual([
      'the-access-token',
      'the-refresh-token',
    ]);
    expect(await run('userinfo', at)).toMatchObject({ code: 0 });
    expect(server.to('userinfo')[0]?.headers.authorization).toBe('Bearer the-access-token');
  });

  it('gives logout and token refresh the refresh token', async () => {
    const { run, server, at } = await setUp({ end_session: [{ status: 204 }], token: [TOKENS] });
    expect(await run('logout', at)).toMatchObject({ code: 0 });
    expect(server.to('end_session')[0]?.form.get('refresh_token')).toBe('the-refresh-token');
    expect(await run('token', 'refresh', at)).toMatchObject({ code: 0 });
    expect(server.to('token')[0]?.form.get('refresh_token')).toBe('the-refresh-token');
  });

  it('gives token exchange the tokens of the types that are named', async () => {
    const { run, server, at } = await setUp({ token: [TOKENS, TOKENS] });
    expect(await run('token', 'exchange', '--subject-token', at)).toMatchObject({ code: 0 });
    const types = ['--subject-token-type', 'id_token', '--actor-token-type', 'access_token'];
    expect(
      await run('token', 'exchange', '--subject-token', at, '--actor-token', at, ...types),
    ).toMatchObject({ code: 0 });
    expect(
      server.to('token').map(({ form }) => [form.get('subject_token'), form.get('actor_token')]),
    ).toEqual([
      ['the-access-token', null],
      ['the-id-token', 'the-access-token'],
    ]);
  });
});

describe('what can be no token', () => {
  it.each([
    ['introspect'],
    ['revoke'],
    ['userinfo'],
    ['logout'],
    ['validate'],
    ['token', 'refresh'],
    ['token', 'exchange', '--subject-token'],
    ['kafka', 'connect', '--bootstrap', '127.0.0.1:1', '--token'],
    ['call', 'http://127.0.0.1:1/', '--token'],
  ])('is refused by %s before anything is sent', async (...command) => {
    const { run, server, home } = await setUp();
    const file = join(home, 'page.html');
    await writeFile(file, '<!doctype html><title>Sign in</title>');
    for (const argument of [`@${file}`, '{"error":"invalid_grant"}', 'null', 'two words'])
      expect(readFailure(await run(...command, argument, '--json'))).toMatchObject({
        code: 'token_invalid',
        exit_code: 2,
      });
    expect(server.requests.filter(({ endpoint }) => endpoint !== 'metadata')).toEqual([]);
  });
});
