import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TestPartsOptions, testParts } from '../../helpers/parts.ts';
import { run, startCommand } from '../../helpers/run.ts';
import { until } from '../../helpers/wait.ts';

/** Runs the sandbox until it has told how to reach it; `end` interrupts it. */
async function start(options: TestPartsOptions, ...argv: string[]) {
  const started = await startCommand(options, 'sandbox', ...argv);
  await until(() => started.parts.stdout() !== '');
  return { ...started, told: started.parts.stdout() };
}

describe('oauthctl sandbox', () => {
  it('prints its clients, its users and their passwords, and keeps the secret in the profile', async () => {
    const { told, end } = await start({}, '--user', 'one', 'two');
    await end();
    expect(told).toMatch(
      /^client {5}sandbox-client \(client_secret_basic or client_secret_post; the secret/m,
    );
    expect(told).toMatch(/^users {6}one \(password [\w-]{16}\), two \(password [\w-]{16}\)$/m);
    expect(told).toMatch(/^ {2}sandbox-public +none +no secret; authorization code with PKCE/m);
    expect(told).not.toContain('sandbox-private-key-jwt');
  });

  it('has all of it as JSON, which signs a user in', async () => {
    const { told, end } = await start({}, '--json');
    const { issuer, client_id, users, profile, device, clients, passwords } = JSON.parse(told);
    expect({ client_id, users, profile, device }).toEqual({
      client_id: 'sandbox-client',
      users: ['cl-taro'],
      profile: 'sandbox',
      device: '127.0.0.1:3000/api/v1/auth',
    });
    expect(clients[0]).toEqual({
      client_id: 'sandbox-client',
      token_endpoint_auth_method: 'client_secret_basic',
      purpose: 'every grant and every response type',
    });
    const page = await fetch(`${issuer}/protocol/openid-connect/auth?client_id=sandbox-public`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(passwords).toEqual({ 'cl-taro': expect.stringMatching(/^[\w-]{16}$/) });
    await end();
  });

  it('takes a password by reference, which it does not print', async () => {
    const { parts, told, end } = await start(
      { env: { PASSWORD: 'a-password-of-mine' } },
      '--json',
      '--password',
      'env:PASSWORD',
    );
    const { profiles } = await import('node:fs/promises').then(async ({ readFile }) =>
      JSON.parse(await readFile(join(parts.home, 'profiles.json'), 'utf8')),
    );
    const answer = await fetch(`${JSON.parse(told).issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        username: 'cl-taro',
        password: 'a-password-of-mine',
        client_id: 'sandbox-client',
        client_secret: profiles.sandbox.client_secret,
      }),
    });
    await end();
    expect(answer.status).toBe(200);
    expect(told).not.toContain('passwords');
    expect(parts.stdout() + parts.stderr()).not.toContain('a-password-of-mine');
  });

  it('takes the keys of its clients, of which it needs the public part only', async () => {
    const { home } = await testParts();
    const [signing, encryption] = [join(home, 'sig.json'), join(home, 'enc.json')];
    await run('key', 'generate', '--alg', 'ES256', '--out', signing);
    await run('key', 'generate', '--alg', 'ECDH-ES', '--out', encryption);
    const { told, end } = await start({}, '--json', '--client-jwks', signing, encryption);
    await end();
    const ids = JSON.parse(told).clients.map((client: { client_id: string }) => client.client_id);
    expect(ids).toEqual(expect.arrayContaining(['sandbox-private-key-jwt', 'sandbox-jarm']));
  });

  it('exits with 2 for what makes no sense', async () => {
    const { home } = await testParts();
    const shared = join(home, 'shared.json');
    await writeFile(shared, '{"kty":"oct","k":"c2VjcmV0c2VjcmV0"}');
    for (const argv of [
      ['--client-jwks', shared],
      ['--client-jwks', join(home, 'missing.json')],
      ['--client-id', 'sandbox-dpop'],
      ['--port', '65536'],
    ]) {
      const { code, stdout, stderr } = await run('sandbox', ...argv);
      expect([argv[0], code, stdout]).toEqual([argv[0], 2, '']);
      expect(stderr).toMatch(/^error: /m);
    }
  });
});
