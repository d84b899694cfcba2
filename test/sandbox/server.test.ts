import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type SandboxOptions, startSandbox } from '../../src/sandbox/index.ts';
import { send, sharedSandbox, startHarness, startSandboxForTest } from './harness.ts';

describe('the sandbox', () => {
  it('has a free port, a random secret and one user unless told otherwise', async () => {
    const [one, other] = [await startSandboxForTest(), await startSandboxForTest()];
    expect(one.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/realms\/sandbox$/);
    expect(one.issuer).not.toBe(other.issuer);
    expect(one.clientSecret).toMatch(/^[\w-]{43}$/);
    expect(one.clientSecret).not.toBe(other.clientSecret);
    expect(one.users).toEqual(['cl-taro']);
  });

  it('describes its realm as Keycloak does', async () => {
    const { issuer } = await sharedSandbox();
    const { json } = await send(issuer);
    expect(json).toMatchObject({ realm: 'sandbox', 'token-service': `${issuer}/protocol/openid-connect` });
    expect(json.public_key).toMatch(/^MIIB[\w+/=]+$/);
  });

  it.each([
    ['/realms/other', 'Realm does not exist'],
    ['/realms/other/.well-known/openid-configuration', 'Realm does not exist'],
    ['/realms/sandboxed', 'Realm does not exist'],
    ['/realms/sandboxconstructor', 'Realm does not exist'],
    ['/', 'Unable to find matching target resource method'],
    ['/auth/realms/sandbox', 'Unable to find matching target resource method'],
    ['/realms/sandbox/protocol/openid-connect/logout', 'Unable to find matching target resource method'],
    ['/realms/sandbox/login-actions/authenticate', 'Unable to find matching target resource method'],
    [
      '/realms/sandbox/.well-known/oauth-authorization-server',
      'Unable to find matching target resource method',
    ],
  ])('answers 404 to %s', async (path, error) => {
    const { issuer } = await sharedSandbox();
    expect(await send(new URL(path, issuer).href)).toMatchObject({ status: 404, json: { error } });
  });

  it('answers 405 to a method that a path does not take', async () => {
    const { issuer } = await sharedSandbox();
    const answer = await send(`${issuer}/protocol/openid-connect/token`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
  });

  it('answers 413 to a body beyond its limit', async () => {
    const harness = await startHarness();
    const answer = await harness.post('/token', { grant_type: 'x'.repeat(100_000) });
    expect(answer).toMatchObject({ status: 413, json: { error: 'invalid_request' } });
  });

  it('keeps to its issuer in the metadata, whatever the Host header says', async () => {
    const { issuer } = await sharedSandbox();
    const byName = `${issuer.replace('127.0.0.1', 'localhost')}/.well-known/openid-configuration`;
    const { json } = await send(byName);
    expect(json.issuer).toBe(issuer);
    expect(json.token_endpoint).toBe(`${issuer}/protocol/openid-connect/token`);
  });

  it('publishes its key without the private part', async () => {
    const { issuer } = await sharedSandbox();
    const { json } = await send(`${issuer}/protocol/openid-connect/certs`);
    const [key] = json.keys as Record<string, unknown>[];
    expect(Object.keys(key ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('closes at once, also with a connection that is idle or half a request', async () => {
    const sandbox = await startSandbox();
    const socket = connect(Number(new URL(sandbox.issuer).port), '127.0.0.1');
    socket.on('error', () => {});
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.write('POST /realms/sandbox HTTP/1.1\r\n', resolve));
    await send(sandbox.issuer);
    await sandbox.close();
    await ended;
    await expect(send(sandbox.issuer)).rejects.toThrow();
    await sandbox.close();
  });

  const senseless: [string, SandboxOptions][] = [
    ['a host that others can reach', { host: '0.0.0.0' }],
    ['a negative interval', { interval: -1 }],
    ['half a second', { interval: 0.5 }],
    ['a lifetime of 0', { expiresIn: 0 }],
    ['a device that is no URL', { device: 'localhost' }],
    ['a device that is no http URL', { device: 'file:///etc/passwd' }],
    ['the name of another client', { clientId: 'sandbox-service' }],
    ['a private key of a client', { clientKeys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] }],
    [
      'an encryption key of no use',
      { clientKeys: [{ kty: 'RSA', e: 'e', n: 'n', use: 'enc', alg: 'RSA1_5' }] },
    ],
    ['a shared key of a client', { clientKeys: [{ kty: 'oct', k: 'c2VjcmV0' }] }],
  ];
  it.each(senseless)('does not start with %s', async (_what, options) => {
    await expect(startSandbox(options)).rejects.toThrow(TypeError);
  });

  it('says so when its port is taken', async () => {
    const { issuer } = await sharedSandbox();
    const port = Number(new URL(issuer).port);
    await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('runs from a bundle and prints nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const outfile = join(folder, 'program.mjs');
    await build({
      stdin: { contents: PROGRAM, resolveDir: join(import.meta.dirname, '../../src/sandbox'), loader: 'ts' },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      banner: {
        js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
    });
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile]);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });
});

/** A whole flow and a few refusals, each path of which has a default in oidc-provider that would print something. */
const PROGRAM = `
import { createServer } from 'node:http';
import { once } from 'node:events';
import { startSandbox } from './index.ts';

let bearer;
const device = createServer((request, response) => {
  bearer = request.headers.authorization;
  response.writeHead(201).end();
}).listen(0, '127.0.0.1');
await once(device, 'listening');
const sandbox = await startSandbox({ device: 'http://127.0.0.1:' + device.address().port });
const endpoint = sandbox.issuer + '/protocol/openid-connect';
const post = (path, form, headers = {}) => fetch(endpoint + path, {
  method: 'POST',
  headers,
  body: new URLSearchParams({ client_id: sandbox.clientId, client_secret: sandbox.clientSecret, ...form }),
});
const { auth_req_id } = await (await post('/ext/ciba/auth', { scope: 'openid', login_hint: 'cl-taro' })).json();
await fetch(endpoint + '/ext/ciba/auth/callback', {
  method: 'POST',
  headers: { authorization: bearer, 'content-type': 'application/json' },
  body: '{"status":"SUCCEED"}',
});
const grant = await post('/token', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id });
const { access_token: token, refresh_token } = await grant.json();
if (grant.status !== 200) throw new Error('no token');
await post('/token', { grant_type: 'refresh_token', refresh_token });
await post('/token', { grant_type: 'client_credentials' });
await post('/token', { grant_type: 'none' }, { accept: 'text/html' });
await post('/token', { grant_type: 'client_credentials' }, { origin: 'https://elsewhere.example' });
await post('/token/introspect', { token });
await post('/ext/ciba/auth', { scope: 'openid', login_hint_token: 'x' });
await fetch(endpoint + '/userinfo', { headers: { authorization: 'Bearer ' + token } });
await fetch(endpoint + '/certs');
await fetch(sandbox.issuer + '/.well-known/openid-configuration');
await post('/revoke', { token });

const open = async (url, cookie = '', form) => {
  const init = form && { method: 'POST', body: new URLSearchParams(form) };
  const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie, accept: 'text/html' } });
  const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0]);
  return { url: response.headers.get('location'), cookie: [cookie, ...cookies].join('; '), text: await response.text() };
};
const request = (form) => endpoint + '/auth?' + new URLSearchParams({
  client_id: sandbox.clientId,
  redirect_uri: 'http://127.0.0.1:1/',
  response_type: 'code id_token token',
  scope: 'openid',
  nonce: 'n',
  ...form,
});
const first = await open(request({ response_mode: 'jwt' }));
const user = { username: 'cl-taro', password: sandbox.passwords['cl-taro'] };
await open(first.url, first.cookie);
await open(first.url, first.cookie, { username: 'cl-taro' });
const second = await open(first.url, first.cookie, user);
const third = await open(second.url, second.cookie);
if (!third.url.includes('#response=')) throw new Error('no authorization response');
await open(request({ redirect_uri: 'https://elsewhere.example' }));
await open(request({ prompt: 'none' }));
await open(request({ request: 'e30.e30.' }));
await post('/ext/par/request', { response_type: 'code', redirect_uri: 'http://127.0.0.1:1/' });
await post('/token', { grant_type: 'password', ...user, resource: 'urn:resource' });
await post('/token', { grant_type: 'client_credentials' }, { dpop: 'e30.e30.' });
const flow = await (await post('/auth/device', { scope: 'openid' })).json();
await post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: flow.device_code });
const page = await open(flow.verification_uri_complete);
const xsrf = ({ text }) => /name="xsrf" value="([^"]*)"/.exec(text)[1];
const wrong = await open(flow.verification_uri, page.cookie, { xsrf: xsrf(page), user_code: 'x' });
const right = { xsrf: xsrf(wrong), user_code: flow.user_code, confirm: 'yes' };
const code = await open(flow.verification_uri, wrong.cookie, right);
const login = await open(code.url, code.cookie, user);
const done = await open(login.url, login.cookie);
if (!done.text.includes('The device may go on')) throw new Error('no device');
await sandbox.close();
device.close();
device.closeAllConnections();
`;
