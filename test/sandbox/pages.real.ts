import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { openPage, signIn } from '../real/browser.ts';
import { startSandboxForTest } from './harness.ts';
import { insecure, type RelyingParty, relyingParty } from './relying-party.ts';

/** A client's redirect URI, and what arrives there first. */
async function startClient(host: string) {
  let arrive: (request: { method: string | undefined; url: string; body: string }) => void = () => {};
  const arrived = new Promise<Parameters<typeof arrive>[0]>((resolve) => {
    arrive = resolve;
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.end('thanks');
    const body = Buffer.concat(chunks).toString();
    if (request.url?.startsWith('/cb')) arrive({ method: request.method, url: request.url, body });
  });
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { uri: `http://${host.includes(':') ? `[${host}]` : host}:${port}/cb`, arrived };
}

/** A Chromium page and all that its console complained of. */
async function openStrictPage(context: TestContext) {
  const page = await openPage(context);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // The sandbox has no icon, and says so with a 404.
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      complaints.push(message.text());
  });
  return { page, complaints };
}

async function standard(): Promise<{ client: RelyingParty; user: { username: string; password: string } }> {
  const sandbox = await startSandboxForTest();
  const [username = ''] = sandbox.users;
  return {
    client: await relyingParty(sandbox),
    user: { username, password: sandbox.passwords[username] ?? '' },
  };
}

for (const [mode, host] of [
  ['query', '127.0.0.1'],
  ['query', '::1'],
  ['form_post', '127.0.0.1'],
] as const) {
  test(`Chromium brings a code by ${mode} to ${host}`, async (context) => {
    const { page, complaints } = await openStrictPage(context);
    const { client, user } = await standard();
    const { uri, arrived } = await startClient(host);
    await page.goto(await client.authorizationUrl({ redirect_uri: uri, response_mode: mode }));
    await signIn(page, { ...user, password: 'wrong' });
    expect(await page.textContent('[role=alert]')).toBe('Invalid username or password.');
    await signIn(page, user);
    const { method, url, body } = await arrived;
    expect(method).toBe(mode === 'form_post' ? 'POST' : 'GET');
    expect(`${url}${body}`).toContain('code=');
    expect(complaints).toEqual([]);
  });
}

test('Chromium takes a device through its pages', async (context) => {
  const { page, complaints } = await openStrictPage(context);
  const { client, user } = await standard();
  const { server, client: registered, authenticate } = client;
  const flow = await oauth.processDeviceAuthorizationResponse(
    server,
    registered,
    await oauth.deviceAuthorizationRequest(server, registered, authenticate, { scope: 'openid' }, insecure),
  );
  await page.goto(flow.verification_uri_complete ?? '');
  expect(await page.inputValue('#user_code')).toBe(flow.user_code);
  await page.click('button');
  expect(await page.textContent('dd')).toBe(flow.user_code);
  await page.click('button');
  await signIn(page, user);
  await page.waitForSelector('text=The device may go on');
  expect(complaints).toEqual([]);
  const { device_code: code } = flow;
  const tokens = await oauth.deviceCodeGrantRequest(server, registered, authenticate, code, insecure);
  expect(tokens.status).toBe(200);
});
