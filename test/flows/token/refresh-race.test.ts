import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../src/store/index.ts';
import { bundleProgram } from '../../helpers/bundle.ts';
import { latch } from '../../helpers/wait.ts';
import { emptyFolder } from '../../store/folder.ts';

/** A server that takes each refresh token once, and answers the first request when the test lets it. */
async function startRotatingServer(mayAnswer: Promise<void>) {
  const used: string[] = [];
  let current = 'refresh-0';
  let issuer = '';
  const server = createServer(async (request, response) => {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET') return json(200, { issuer, token_endpoint: `${issuer}/token` });
    const token = new URLSearchParams(await text(request)).get('refresh_token') ?? '';
    used.push(token);
    if (used.length === 1) await mayAnswer;
    if (token !== current) return json(400, { error: 'invalid_grant', error_description: 'token reused' });
    current = `refresh-${used.length}`;
    return json(200, {
      access_token: `access-${used.length}`,
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: current,
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { issuer, used };
}

describe('two processes that refresh the same profile at the same time', () => {
  it('send one refresh between them, both have its tokens, and what is kept refreshes again', async () => {
    const folder = await emptyFolder();
    const home = join(folder, 'home');
    const script = await bundleProgram(folder);
    const waits = latch();
    const { issuer, used } = await startRotatingServer(waits.opened);
    const store = openStore({ OAUTHCTL_HOME: home });
    await store.profiles.add('sample', { issuer, client_id: 'a' });
    await store.tokens.keep('sample', {
      response: { access_token: 'access-0', token_type: 'Bearer', refresh_token: 'refresh-0' },
      grant_type: 'password',
      issuer,
      client_id: 'a',
      received_at: Date.now(),
    });
    const refresh = async () => {
      const child = spawn(process.execPath, [script, 'token', 'refresh', '--field', 'access_token'], {
        env: { PATH: process.env.PATH, OAUTHCTL_HOME: home, NO_PROXY: '*' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        stderr += chunk;
        // Both have the same kept refresh token in hand now.
        if (stderr.includes('waiting for it')) waits.open();
      });
      // A run that fails must not leave the other one waiting for its answer.
      child.on('close', waits.open);
      const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return { code, stdout, stderr };
    };

    const results = await Promise.all([refresh(), refresh()]);
    for (const { code, stdout } of results)
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'access-1\n' });
    expect(used).toEqual(['refresh-0']);
    expect(results.filter(({ stderr }) => stderr.includes('using its result'))).toHaveLength(1);

    expect(await refresh()).toMatchObject({ code: 0, stdout: 'access-2\n' });
    expect(used).toEqual(['refresh-0', 'refresh-1']);
    expect((await store.tokens.last('sample'))?.response.refresh_token).toBe('refresh-2');
  });
});
