import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { decodeJwt, decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { makeAuthority, makeCertificate } from '../helpers/certificates.ts';
import { ACKNOWLEDGEMENT, TOKENS } from '../helpers/misbehaving-server.ts';
import { readFailure } from '../helpers/run.ts';
import { type Script, startWorkplace, type Workplace } from '../helpers/workplace.ts';
import { tlsServer } from '../http/servers.ts';

/** A machine with a key for ES256, and a server that answers by a script. */
async function place(script: Script = { token: [TOKENS] }) {
  const here = await startWorkplace(script);
  const { file: key } = await here.makeKey('ES256', 'key-1');
  const publicKey = join(here.home, 'public.json');
  await writeFile(publicKey, (await here.run('key', 'jwks', key)).stdout);
  const request = ['token', 'client-credentials', '--issuer', here.server.issuer, '--client-id', 'a'];
  return { ...here, key, publicKey, token: (...flags: string[]) => here.run(...request, ...flags) };
}

const formOf = ({ tokenForm }: Workplace) => tokenForm();

describe('a client', () => {
  it('with a key signs who it is, and the signature is good', async () => {
    const here = await place();
    const { code, stderr } = await here.token('--client-key', here.key);
    expect(code).toBe(0);
    expect(stderr).toContain('private_key_jwt as a');
    const { client_assertion = '', client_assertion_type, client_id } = formOf(here);
    expect({ client_assertion_type, client_id }).toEqual({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_id: 'a',
    });
    expect(decodeProtectedHeader(client_assertion)).toEqual({ alg: 'ES256', kid: 'key-1' });
    const [jwk] = JSON.parse(await readFile(here.publicKey, 'utf8')).keys as JWK[];
    const { payload } = await jwtVerify(client_assertion, await importJWK(jwk ?? {}, 'ES256'), {
      currentDate: new Date(here.clock.now()),
    });
    expect(payload).toMatchObject({ iss: 'a', sub: 'a', aud: here.server.issuer });
    expect(here.server.to('token')[0]?.headers).not.toHaveProperty('authorization');
  });

  it('never sends the same assertion twice', async () => {
    const here = await place({ token: [TOKENS, TOKENS] });
    await here.token('--client-key', here.key);
    await here.token('--client-key', here.key);
    const ids = here.server.to('token').map(({ form }) => decodeJwt(form.get('client_assertion') ?? '').jti);
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    [
      '--kid other --assertion-audience endpoint',
      (issuer: string) => ({ aud: `${issuer}/token`, kid: 'other' }),
    ],
    ['--assertion-audience https://b.example', () => ({ aud: 'https://b.example', kid: 'key-1' })],
  ])('signs with %s', async (flags, expected) => {
    const here = await place();
    await here.token('--client-key', here.key, ...flags.split(' '));
    const assertion = formOf(here).client_assertion ?? '';
    const { kid } = decodeProtectedHeader(assertion);
    expect({ aud: decodeJwt(assertion).aud, kid }).toEqual(expected(here.server.issuer));
  });

  it('with a secret signs with it by client_secret_jwt', async () => {
    const here = await place();
    const env = { SECRET: 'a-secret-for-signing-by-hmac-256' };
    const flags = ['--client-secret', 'env:SECRET', '--auth-method', 'client_secret_jwt'];
    const request = ['token', 'client-credentials', '--issuer', here.server.issuer, '--client-id', 'a'];
    expect((await here.runWith({ env }, ...request, ...flags)).code).toBe(0);
    const { client_assertion = '' } = formOf(here);
    const { payload } = await jwtVerify(client_assertion, new TextEncoder().encode(env.SECRET), {
      currentDate: new Date(here.clock.now()),
    });
    expect(payload).toMatchObject({ iss: 'a', sub: 'a' });
    expect(here.server.to('token')[0]?.body).not.toContain(env.SECRET);
  });

  it.each([
    ['env:ASSERTION', {}],
    ['-', { stdin: 'the-ready-made-assertion\n' }],
    ['cmd:echo the-ready-made-assertion', {}],
  ])('sends a ready-made assertion of %s as it is', async (reference, options) => {
    const here = await place();
    const env = { ASSERTION: 'the-ready-made-assertion' };
    const request = ['token', 'client-credentials', '--issuer', here.server.issuer, '--client-id', 'a', '-v'];
    const run = await here.runWith({ env, ...options }, ...request, '--client-assertion', reference);
    expect(run.code).toBe(0);
    expect(formOf(here).client_assertion).toBe('the-ready-made-assertion');
    expect(run.stderr).toContain('client_assertion=(masked)');
    expect(run.stderr).not.toContain('ready-made');
  });

  it('keeps its key, kid and algorithm in a profile, by an absolute path', async () => {
    const here = await place();
    const members = ['--client-key', 'key.json', '--kid', 'k', '--signing-alg', 'ES256'];
    const added = await here.run(
      ...['profile', 'add', 'p', '--issuer', here.server.issuer, '--client-id', 'a', '--json'],
      ...[...members, '--client-assertion', 'env:A', '--assertion-audience', 'issuer'],
    );
    expect(JSON.parse(added.stdout)).toMatchObject({
      client_key: join(process.cwd(), 'key.json'),
      kid: 'k',
      signing_alg: 'ES256',
      client_assertion: 'env:A',
      assertion_audience: 'issuer',
    });
    const set = await here.run(
      'profile',
      'set',
      'p',
      '--client-key',
      here.key,
      '--unset',
      'client_assertion',
    );
    expect(set.code).toBe(0);
    expect((await here.run('token', 'client-credentials')).code).toBe(0);
    expect(decodeProtectedHeader(formOf(here).client_assertion ?? '')).toEqual({ alg: 'ES256', kid: 'k' });
  });

  it('uses what comes from the stronger source: a flag before the profile', async () => {
    const here = await place();
    const profile = ['--issuer', here.server.issuer, '--client-id', 'a', '--client-key', here.key];
    await here.run('profile', 'add', 'p', ...profile);
    const run = await here.runWith(
      { env: { S: 'flag-secret' } },
      ...['token', 'client-credentials', '--client-secret', 'env:S'],
    );
    expect(run.stderr).toContain('client_secret_basic as a');
    expect(here.server.to('token')[0]?.headers.authorization).toBe(`Basic ${btoa('a:flag-secret')}`);
  });

  it('prefers a key by flag to an assertion of the profile, and that to a key of the profile', async () => {
    const here = await place({ token: [TOKENS, TOKENS] });
    const file = join(here.home, 'a.jwt');
    await writeFile(file, 'ready-made');
    const client = ['--issuer', here.server.issuer, '--client-id', 'a', '--client-key', here.key];
    await here.run('profile', 'add', 'p', ...client, '--client-assertion', `file:${file}`);
    await here.run('token', 'client-credentials');
    await here.run('token', 'client-credentials', '--client-key', here.key);
    const sent = here.server.to('token').map(({ form }) => form.get('client_assertion') ?? '');
    expect(sent[0]).toBe('ready-made');
    expect(decodeProtectedHeader(sent[1] ?? '')).toMatchObject({ kid: 'key-1' });
  });

  it.each([
    [['--auth-method', 'private_key_jwt'], 'client_key_missing'],
    [['--auth-method', 'client_secret_jwt'], 'client_secret_missing'],
    [['--auth-method', 'tls_client_auth'], 'client_certificate_missing'],
    [['--auth-method', 'self_signed_tls_client_auth'], 'client_certificate_missing'],
    [['--client-key', 'PUBLIC'], 'key_public_only'],
    [['--client-key', 'PUBLIC', '--kid', 'x'], 'kid_unknown'],
    [['--client-key', 'NOTHING'], 'file_unreadable'],
    [['--client-key', 'KEY', '--signing-alg', 'RS256'], 'signing_alg_unfit'],
    [['--client-key', 'KEY', '--signing-alg', 'HS256'], 'signing_alg_unknown'],
  ])('with %j is told what is wrong: %s', async (flags, code) => {
    const here = await place({});
    const files: Record<string, string> = { KEY: here.key, PUBLIC: here.publicKey, NOTHING: '/no/such/file' };
    const run = await here.token(...flags.map((flag) => files[flag] ?? flag), '--json');
    expect(readFailure(run)).toMatchObject({ code, exit_code: 2 });
  });
});

/** A server with HTTPS that asks for a certificate: what it was sent, and by whom. */
async function startTlsServer(here: Workplace, aliases: (issuer: string) => unknown) {
  const authority = makeAuthority('the authority');
  const client = makeCertificate('client', { authority });
  const seen: { url: string; subject: unknown; form: Record<string, string> }[] = [];
  const port: Promise<number> = tlsServer(
    {
      ...makeCertificate('server', { authority }),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
    async (request, response) => {
      const issuer = `https://127.0.0.1:${await port}`;
      const body = Buffer.concat(await request.toArray()).toString();
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
      seen.push({ url: request.url ?? '', subject, form: Object.fromEntries(new URLSearchParams(body)) });
      response.setHeader('content-type', 'application/json');
      const isMetadata = request.method === 'GET';
      const metadata = { issuer, token_endpoint: `${issuer}/token`, mtls_endpoint_aliases: aliases(issuer) };
      response.end(JSON.stringify(isMetadata ? metadata : TOKENS.json));
    },
  );
  const file = async (name: string, text: string) => {
    await writeFile(join(here.home, name), text);
    return join(here.home, name);
  };
  const flags = ['--issuer', `https://127.0.0.1:${await port}`, '--client-id', 'a', '--no-keep', '--json'];
  return {
    tokens: () => seen.filter(({ form }) => form.grant_type !== undefined),
    flags: [...flags, '--ca-cert', await file('ca.pem', authority.cert)],
    certificate: ['--cert', await file('cert.pem', client.cert), '--key', await file('key.pem', client.key)],
  };
}

describe('a client certificate', () => {
  const request = ['token', 'client-credentials'];
  const aliased = (issuer: string) => ({ token_endpoint: `${issuer}/mtls/token` });

  it.each(['tls_client_auth', 'self_signed_tls_client_auth', 'none'])(
    'goes to the alias of the endpoint, with the client_id, by %s',
    async (method) => {
      const here = await place({});
      const { flags, certificate, tokens } = await startTlsServer(here, aliased);
      const run = await here.run(...request, ...flags, ...certificate, '--auth-method', method);
      expect(run.code).toBe(0);
      const form = { grant_type: 'client_credentials', client_id: 'a' };
      expect(tokens()).toEqual([{ url: '/mtls/token', subject: 'client', form }]);
    },
  );

  it('that is not configured leaves the aliases alone', async () => {
    const here = await place({});
    const { flags, tokens } = await startTlsServer(here, aliased);
    expect((await here.run(...request, ...flags)).code).toBe(0);
    expect(tokens()).toMatchObject([{ url: '/token', subject: undefined }]);
  });

  it('is sent nowhere where the alias is no URL', async () => {
    const here = await place({});
    const { flags, certificate, tokens } = await startTlsServer(here, () => ({ token_endpoint: 'nowhere' }));
    const run = await here.run(...request, ...flags, ...certificate);
    expect(readFailure(run)).toMatchObject({ code: 'metadata_invalid', exit_code: 4 });
    expect(tokens()).toEqual([]);
  });

  it('cannot travel by http: exit 2, and no token request', async () => {
    const here = await place({});
    const { certificate } = await startTlsServer(here, aliased);
    const run = await here.token(...certificate, '--json');
    expect(readFailure(run)).toMatchObject({ code: 'client_certificate_unsent', exit_code: 2 });
    expect(here.server.to('token')).toEqual([]);
  });

  it('cannot travel to an alias of http', async () => {
    const here = await place({});
    const { flags, certificate } = await startTlsServer(here, () => ({
      token_endpoint: `${here.server.issuer}/token`,
    }));
    const run = await here.run(...request, ...flags, ...certificate);
    expect(readFailure(run)).toMatchObject({ code: 'client_certificate_unsent', exit_code: 2 });
    expect(here.server.requests).toEqual([]);
  });
});

describe('--omit', () => {
  it('leaves parameters out, those of the client authentication and of --param as well', async () => {
    const here = await place();
    const omitted = ['client_assertion_type', 'scope', 'extra', 'not-there'].flatMap((name) => [
      '--omit',
      name,
    ]);
    await here.token('--client-key', here.key, '--scope', 'openid', '--param', 'extra=1', ...omitted);
    expect(Object.keys(formOf(here)).sort()).toEqual(['client_assertion', 'client_id', 'grant_type']);
  });

  it('leaves a parameter out of the CIBA authentication request, and not out of the polls', async () => {
    const here = await place({ backchannel: [ACKNOWLEDGEMENT], token: [TOKENS] });
    const run = await here.run(
      ...['ciba', 'start', '--issuer', here.server.issuer, '--client-id', 'a', '--login-hint', 'cl-taro'],
      ...['--interval', '1', '--omit', 'scope', '--omit', 'client_id', '--no-keep'],
    );
    expect(run.code).toBe(0);
    expect([...(here.server.to('backchannel')[0]?.form.keys() ?? [])]).toEqual(['login_hint']);
    expect(formOf(here)).toHaveProperty('client_id');
  });
});

describe('--curl', () => {
  it('prints the token request and sends only what it needs to know', async () => {
    const here = await place({});
    const { code, stdout, stderr } = await here.token('--client-key', here.key, '--scope', 'a b', '--curl');
    expect(code).toBe(0);
    expect(stdout).toContain(`curl --request POST ${here.server.issuer}/token`);
    expect(stdout).toContain(`--data-urlencode 'scope=a b'`);
    expect(stdout).toContain('client_assertion="$OAUTHCTL_CLIENT_ASSERTION"');
    expect(stdout).not.toContain('eyJ');
    expect(stderr).toBe('# it reads OAUTHCTL_CLIENT_ASSERTION; --show-secrets writes their values into it\n');
    expect(here.server.requests.map(({ endpoint }) => endpoint)).toEqual(['metadata']);
  });

  it('prints no secret', async () => {
    const here = await place({});
    const env = { S: 'top/secret', P: 'the-password' };
    const { code, stdout, stderr } = await here.runWith(
      { env },
      ...['token', 'password', '--issuer', here.server.issuer, '--client-id', 'a', '--curl', '--quiet'],
      ...['--client-secret', 'env:S', '--username', 'u', '--password', 'env:P'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('--user a:"$OAUTHCTL_CLIENT_SECRET_FORM_ENCODED"');
    expect(stdout).toContain('password="$OAUTHCTL_PASSWORD"');
    for (const secret of [...Object.values(env), btoa('a:top').slice(0, 6)])
      expect(stdout).not.toContain(secret);
  });

  it('leaves a pending request and a held delegation to be gone on with', async () => {
    const here = await place({ backchannel: [ACKNOWLEDGEMENT], token: [TOKENS] });
    const client = ['--issuer', here.server.issuer, '--client-id', 'a'];
    const { pending } = openStore({ OAUTHCTL_HOME: here.home });
    const callback_url = `${here.server.issuer}/ext/ciba/auth/callback`;
    await pending.hold({ bearer: 'the-held-bearer', callback_url, received_at: 0 });
    const callback = await here.run('ciba', 'callback', 'succeed', '--curl');
    expect(callback).toMatchObject({ code: 0, stdout: expect.stringContaining(callback_url) });
    expect(callback.stdout).not.toContain('the-held-bearer');
    expect(await pending.takeHeld()).toMatchObject({ bearer: 'the-held-bearer' });

    await here.run('ciba', 'request', ...client, '--login-hint', 'cl-taro', '--interval', '1');
    const poll = await here.run('ciba', 'poll', ...client, '--curl');
    expect(poll).toMatchObject({ code: 0, stdout: expect.stringContaining('OAUTHCTL_AUTH_REQ_ID') });
    expect((await here.run('ciba', 'poll', ...client)).code).toBe(0);
  });

  it('prints the CIBA authentication request, and keeps nothing of it', async () => {
    const here = await place({});
    const client = ['--issuer', here.server.issuer, '--client-id', 'a'];
    const shown = await here.run('ciba', 'request', ...client, '--login-hint', 'cl-taro', '--curl', '--json');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`curl --request POST ${here.server.issuer}/ext/ciba/auth`);
    expect(shown.stdout).toContain('--data-urlencode login_hint=cl-taro');
    const poll = await here.run('ciba', 'poll', ...client, '--json');
    expect(readFailure(poll)).toMatchObject({ code: 'nothing_pending' });
  });
});
