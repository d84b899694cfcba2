import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { expect, type TestContext, test } from 'vitest';
import type { ClientRepresentation } from '../lab/keycloak-admin.ts';
import { type Cli, type ErrorDocument, failure, type RunningProgram } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { type Page, Person } from './person.ts';
import { publishKeys } from './published-keys.ts';

// The browser is played over HTTP here; the same flow in a real browser is a test of its own.
onEachKeycloak({}, (stage) => {
  /** Settings of the client that a test changes, as they are otherwise. */
  const USUAL: Partial<ClientRepresentation> = {
    standardFlowEnabled: true,
    implicitFlowEnabled: false,
    consentRequired: false,
    redirectUris: ['http://127.0.0.1/callback'],
    attributes: {
      'pkce.code.challenge.method': '',
      'require.pushed.authorization.requests': 'false',
      'request.object.required': 'not required',
      'request.object.signature.alg': 'any',
      'request.object.encryption.alg': 'any',
      'request.object.encryption.enc': 'any',
      'authorization.signed.response.alg': 'RS256',
    },
  };

  const open = async (context: TestContext, changes: Partial<ClientRepresentation> = {}): Promise<Cli> => {
    const { admin, realm, client } = stage.sample;
    const attributes = { ...USUAL.attributes, ...changes.attributes };
    await admin.updateClient(realm, client.id, { ...USUAL, ...changes, attributes });
    return stage.cli(context);
  };

  const start = (cli: Cli, ...args: string[]) => cli.start('token', 'code', '--json', ...args);

  /** The address that the person is told to open. */
  const addressOf = async (running: RunningProgram) => (await running.says(/Open (\S+)\n/))[1] ?? '';

  const signIn = async (page: Page, person: Person): Promise<Page> => {
    const { username, password } = stage.sample.user;
    return person.submit(page, { username, password });
  };

  /** Opens the address and signs in. @returns where the browser ended up */
  const goThrough = async (running: RunningProgram, person = new Person()): Promise<Page> =>
    signIn(await person.open(await addressOf(running)), person);

  const result = async (running: RunningProgram): Promise<Record<string, unknown>> => {
    const run = await running.ended;
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    return JSON.parse(run.stdout);
  };

  const fails = async (running: RunningProgram, exitCode: number): Promise<ErrorDocument> =>
    failure(await running.ended, exitCode);

  /** What the script of our page does: it sends the fragment back as a form. */
  const relay = async (page: Page): Promise<Response> => {
    expect(page.html).toContain('location.hash');
    const { origin, pathname, hash } = new URL(page.url);
    return fetch(`${origin}${pathname}`, { method: 'POST', body: new URLSearchParams(hash.slice(1)) });
  };

  const expectTokens = (tokens: Record<string, unknown>) =>
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });

  test('a person who signs in brings verified tokens, which are kept', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--scope', 'openid', '-v');
    const page = await goThrough(running);
    expect(page.html).toContain('You may close this window');
    const code = new URL(page.url).searchParams.get('code') ?? '';
    expect(code.length).toBeGreaterThan(20);

    expectTokens(await result(running));
    const { stderr } = await running.ended;
    expect(stderr).toContain('id_token verified: RS256');
    expect(stderr).toContain('code=(masked)');
    expect(`${stderr}${(await running.ended).traceText}`).not.toContain(code);
    // 26 sends it, and 14 does not know it.
    expect(new URL(page.url).searchParams.get('iss')).toBe(stage.expected(stage.sample.issuer, null));
    // The listener is gone.
    await expect(fetch(page.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await cli.json('token', 'refresh');
    const reused = await cli.run('token', 'code', '--scope', 'openid', '--reuse', '--json');
    expect(reused.exitCode).toBe(0);
    expect(reused.stderr).toContain('is reused');
    expect(reused.trace).toEqual([]);
  });

  test('what comes with another state or path is turned away, and the wait goes on', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--scope', 'openid');
    const url = new URL(await addressOf(running));
    const redirect = url.searchParams.get('redirect_uri') ?? '';
    for (const query of ['', '?code=forged-code', '?code=forged-code&state=forged']) {
      const answer = await fetch(`${redirect}${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).not.toContain('forged');
    }
    for (const path of ['/', '/favicon.ico', '/callback/']) {
      expect((await fetch(new URL(path, redirect))).status).toBe(404);
    }
    await goThrough(running);
    expectTokens(await result(running));
  });

  test('the answer of another issuer is refused although its state is right: exit 4', async (context) => {
    const cli = await open(context);
    const running = start(cli);
    const { searchParams } = new URL(await addressOf(running));
    const forged = new URLSearchParams({
      code: 'code-of-another-server',
      state: searchParams.get('state') ?? '',
      iss: 'https://evil.example',
    });
    await fetch(`${searchParams.get('redirect_uri')}?${forged}`);
    expect(await fails(running, 4)).toMatchObject({ code: 'issuer_mix_up' });
    expect(cli.exchanges('token')).toEqual([]);
  });

  test('an ID token with another nonce is refused: exit 4', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--scope', 'openid');
    const url = new URL(await addressOf(running));
    url.searchParams.set('nonce', 'of-somebody-else');
    const person = new Person();
    await signIn(await person.open(url.href), person);
    const error = await fails(running, 4);
    expect(error).toMatchObject({ code: 'id_token_invalid', message: expect.stringContaining('nonce') });
    expect(await cli.json('token', 'list')).toEqual({ kept: {} });
  });

  test('a code that was used is not taken again: exit 3', async (context) => {
    const cli = await open(context);
    const first = start(cli);
    const page = await goThrough(first);
    await result(first);
    const used = new URL(page.url).searchParams.get('code') ?? '';
    const second = start(cli, '--token-param', `code=${used}`);
    await goThrough(second);
    const error = await fails(second, 3);
    expect(error).toMatchObject({ code: 'invalid_grant' });
    expect(error.hint).toContain('used');
  });

  test('a code verifier that does not belong to the challenge is refused: exit 3', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--token-param', `code_verifier=${'x'.repeat(43)}`);
    await goThrough(running);
    const error = await fails(running, 3);
    expect(error).toMatchObject({ code: 'invalid_grant' });
    expect(error.hint).toContain('PKCE');
  });

  test('a client that must use PKCE is refused without a challenge: exit 3', async (context) => {
    const cli = await open(context, { attributes: { 'pkce.code.challenge.method': 'S256' } });
    const running = start(
      cli,
      '--no-preflight',
      '--omit',
      'code_challenge',
      '--omit',
      'code_challenge_method',
    );
    await new Person().open(await addressOf(running));
    const error = await fails(running, 3);
    expect(error).toMatchObject({ code: 'invalid_request' });
    expect(error.hint).toContain('PKCE');
    const good = start(cli, '--scope', 'openid');
    await goThrough(good);
    expectTokens(await result(good));
  });

  test('a redirect URI that is not registered shows in the browser only without a preflight: exit 6', async (context) => {
    const cli = await open(context);
    const running = start(
      cli,
      ...['--no-preflight', '--redirect-uri', 'http://127.0.0.1/elsewhere', '--deadline', '3'],
    );
    const page = await new Person().open(await addressOf(running));
    expect(page.status).toBe(400);
    expect(page.html).toContain('redirect_uri');
    const error = await fails(running, 6);
    expect(error.code).toBe('nobody_came');
    expect(error.hint).toContain('register http://127.0.0.1/elsewhere as');
  });

  test('a person who refuses the consent ends it with exit code 7', async (context) => {
    const cli = await open(context, { consentRequired: true });
    const running = start(cli, '--scope', 'openid');
    const person = new Person();
    const consent = await signIn(await person.open(await addressOf(running)), person);
    const page = await person.submit(consent, { cancel: 'No' });
    expect(page.html).toContain('access_denied');
    const error = await fails(running, 7);
    expect(error).toMatchObject({ code: 'access_denied', oauth: { error: 'access_denied' } });
    expect(error.hint).toContain('denied the request');
  });

  test('nobody who comes within the deadline is exit code 6', async (context) => {
    const cli = await open(context);
    const error = await cli.fails(6, 'token', 'code', '--deadline', '1');
    expect(error.code).toBe('nobody_came');
  });

  test('an interruption ends the wait with exit code 130, and the listener with it', async (context) => {
    const cli = await open(context);
    const running = start(cli);
    const { searchParams } = new URL(await addressOf(running));
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130, stdout: '' });
    await expect(fetch(searchParams.get('redirect_uri') ?? '')).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('a port that is in use is exit code 2, before the server is asked for anything', async (context) => {
    const cli = await open(context);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    context.onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const error = await cli.fails(2, 'token', 'code', '--redirect-uri', `http://127.0.0.1:${port}/callback`);
    expect(error).toMatchObject({ code: 'address_in_use', hint: expect.stringContaining('--redirect-uri') });
  });

  test('a scope that is unknown is refused by the way of the browser: exit 3', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--no-preflight', '--scope', 'openid no-such-scope');
    const page = await new Person().open(await addressOf(running));
    expect(page.html).toContain('invalid_scope');
    const error = await fails(running, 3);
    expect(error).toMatchObject({ code: 'invalid_scope', hint: expect.stringContaining('--scope') });
  });

  test('prompt=none takes a session that is there, and is refused without one: exit 3', async (context) => {
    const cli = await open(context);
    const person = new Person();
    const refused = start(cli, '--prompt', 'none', '--scope', 'openid');
    await person.open(await addressOf(refused));
    const error = await fails(refused, 3);
    expect(error).toMatchObject({ code: 'login_required', hint: expect.stringContaining('--prompt') });
    const first = start(cli, '--scope', 'openid');
    await goThrough(first, person);
    await result(first);
    const silent = start(cli, '--prompt', 'none', '--scope', 'openid');
    await person.open(await addressOf(silent));
    expectTokens(await result(silent));
  });

  test('max_age, acr_values, claims and the languages reach the server, and the ID token answers them', async (context) => {
    const cli = await open(context);
    const claims = join(cli.home, 'claims.json');
    await writeFile(claims, '{\n "id_token": { "auth_time": { "essential": true } }\n}');
    const running = start(
      ...([cli, '--scope', 'openid', '--max-age', '3600', '--acr-values', '1 0'] as const),
      ...['--claims', `@${claims}`, '--ui-locales', 'en', '--login-hint', 'cl-taro'],
    );
    const person = new Person();
    const login = await person.open(await addressOf(running));
    // The login hint is filled in.
    expect(login.html).toContain('cl-taro');
    await signIn(login, person);
    const { id_token } = await result(running);
    expect(decodeJwt(String(id_token)).auth_time).toEqual(expect.any(Number));
  });

  test('kc_idp_hint goes to the identity provider at once', async (context) => {
    const { admin, realm, issuer } = stage.sample;
    const elsewhere = `${issuer}/.well-known/openid-configuration`;
    await admin.request('POST', `/${realm}/identity-provider/instances`, {
      alias: 'elsewhere',
      providerId: 'oidc',
      enabled: true,
      config: {
        authorizationUrl: elsewhere,
        tokenUrl: elsewhere,
        clientId: 'a',
        clientSecret: 'b',
        clientAuthMethod: 'client_secret_post',
      },
    });
    context.onTestFinished(() =>
      admin.request('DELETE', `/${realm}/identity-provider/instances/elsewhere`).then(() => {}),
    );
    const cli = await open(context);
    const running = start(cli, '--kc-idp-hint', 'elsewhere');
    const page = await new Person().open(await addressOf(running));
    expect(page.url.startsWith(elsewhere)).toBe(true);
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130 });
  });

  test('the answer comes by a form that the page of the server posts', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--scope', 'openid', '--response-mode', 'form_post');
    const person = new Person();
    const relayed = await goThrough(running, person);
    const page = await person.submit(relayed, {});
    expect(page.html).toContain('You may close this window');
    expectTokens(await result(running));
  });

  test('the answer comes in the fragment, which our page hands on', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--scope', 'openid', '--response-mode', 'fragment');
    const page = await goThrough(running);
    expect(await (await relay(page)).text()).toContain('You may close this window');
    expectTokens(await result(running));
  });

  test.for([
    ['id_token', ['id_token']],
    ['id_token token', ['access_token', 'id_token']],
    ['token', ['access_token']],
  ] as const)(
    'the implicit response type "%s" brings its tokens, with a warning',
    async ([type, names], context) => {
      const cli = await open(context, { implicitFlowEnabled: true });
      const running = start(cli, '--scope', 'openid', '--response-type', type);
      await relay(await goThrough(running));
      const tokens = await result(running);
      for (const name of names) expect(tokens).toHaveProperty(name, expect.any(String));
      expect(tokens).not.toHaveProperty('code');
      expect((await running.ended).stderr).toContain('for testing only');
      expect(cli.exchanges('token')).toEqual([]);
    },
  );

  test.for(['code id_token', 'code token', 'code id_token token'])(
    'the hybrid response type "%s" brings tokens by both ways, verified',
    async (type, context) => {
      const cli = await open(context, { implicitFlowEnabled: true });
      const running = start(cli, '--scope', 'openid', '--response-type', type);
      await relay(await goThrough(running));
      const tokens = await result(running);
      expectTokens(tokens);
      const front = tokens.authorization_response as Record<string, unknown>;
      expect('id_token' in front).toBe(type.includes('id_token'));
      expect('access_token' in front).toBe(type.includes(' token'));
      const { stderr } = await running.ended;
      expect(stderr.split('id_token verified')).toHaveLength(type.includes('id_token') ? 3 : 2);
    },
  );

  test('the implicit flow, where it is off, is refused with the switch to turn on: exit 3', async (context) => {
    const cli = await open(context);
    const running = start(cli, '--no-preflight', '--scope', 'openid', '--response-type', 'id_token token');
    const page = await new Person().open(await addressOf(running));
    await relay(page);
    const error = await fails(running, 3);
    expect(error.code).toMatch(/unauthorized_client|unsupported_response_type/);
    expect(error.hint).toContain('Implicit flow');
  });

  test('a redirect URI of an app asks for the address to be pasted: exit 2 where nobody can be asked', async (context) => {
    const cli = await open(context, { redirectUris: ['com.example.app:/callback'] });
    const run = await cli.run('token', 'code', '--json', '--redirect-uri', 'com.example.app:/callback');
    expect(failure(run, 2)).toMatchObject({
      code: 'redirect_not_ours',
      hint: expect.stringContaining('--paste'),
    });
  });

  test('--curl prints the address, and waits for nobody', async (context) => {
    const cli = await open(context);
    const run = await cli.run(
      'token',
      'code',
      '--curl',
      '--scope',
      'openid',
      '--redirect-uri',
      'http://127.0.0.1:4711/callback',
    );
    expect(run).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^# its code_verifier, state and nonce are not kept.*\n$/),
    });
    const url = new URL(run.stdout.trim());
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    const page = await new Person().open(url.href);
    expect(page.status).toBe(200);
  });

  test('a client that must push its requests does so, and is refused otherwise', async (context) => {
    if (stage.version === 14) {
      const cli = await open(context);
      const error = await cli.fails(4, 'token', 'code', '--par');
      expect(error).toMatchObject({ code: 'endpoint_missing' });
      return;
    }
    const cli = await open(context, { attributes: { 'require.pushed.authorization.requests': 'true' } });
    const running = start(cli, '--scope', 'openid', '--par');
    expect([...new URL(await addressOf(running)).searchParams.keys()]).toEqual(['client_id', 'request_uri']);
    await goThrough(running);
    expectTokens(await result(running));
    const error = await fails(start(cli, '--scope', 'openid'), 3);
    expect(error.hint).toContain('--par');
  });

  if (stage.version === 26) {
    test('what is wrong with a pushed request is said at once: exit 3', async (context) => {
      const cli = await open(context);
      const error = await cli.fails(
        ...([3, 'token', 'code', '--par', '--redirect-uri', 'http://127.0.0.1/elsewhere'] as const),
      );
      expect(error.hint).toContain('redirect URI');
      const { stdout } = await cli.run('token', 'code', '--par', '--curl');
      expect(stdout).toContain('/ext/par/request');
    });
  }

  /** Makes a key of the client, whose public part the server fetches. @returns the file of the private one */
  const registerKey = async (context: TestContext, cli: Cli, alg: string): Promise<string> => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const described = async (key: typeof pair.publicKey) => ({
      ...(await exportJWK(key)),
      kid: crypto.randomUUID(),
      alg,
      use: 'sig',
    });
    const { kid, ...jwk } = await described(pair.privateKey);
    const file = join(cli.home, 'key.json');
    await writeFile(file, JSON.stringify({ ...jwk, kid }), { mode: 0o600 });
    const keys = await publishKeys({ keys: [{ ...(await described(pair.publicKey)), kid }] });
    context.onTestFinished(() => keys.close());
    const { admin, realm, client } = stage.sample;
    await admin.updateClient(realm, client.id, { attributes: keys.attributes });
    return file;
  };

  test('a client that must sign its requests does so, by value and pushed', async (context) => {
    const cli = await open(context);
    const key = await registerKey(context, cli, 'ES256');
    const { admin, realm, client } = stage.sample;
    const attributes = {
      'request.object.required': 'request only',
      'request.object.signature.alg': 'ES256',
    };
    await admin.updateClient(realm, client.id, { attributes });
    const sign = ['--request-object-key', key, '--scope', 'openid', '--show-secrets'];
    const running = start(cli, ...sign);
    const { searchParams } = new URL(await addressOf(running));
    expect([...searchParams.keys()]).toEqual(['client_id', 'response_type', 'scope', 'request']);
    await goThrough(running);
    expectTokens(await result(running));
    if (stage.version === 14) return;
    // To Keycloak a pushed request is one by reference.
    attributes['request.object.required'] = 'request or request_uri';
    await admin.updateClient(realm, client.id, { attributes });
    const pushed = start(cli, '--par', ...sign);
    await goThrough(pushed);
    expectTokens(await result(pushed));
  });

  if (stage.version === 26) {
    test('a client that must encrypt its requests does so', async (context) => {
      const cli = await open(context);
      const key = await registerKey(context, cli, 'RS256');
      const { admin, realm, client } = stage.sample;
      const attributes = {
        'request.object.required': 'request only',
        'request.object.signature.alg': 'RS256',
        'request.object.encryption.alg': 'RSA-OAEP',
        'request.object.encryption.enc': 'A256GCM',
      };
      await admin.updateClient(realm, client.id, { attributes });
      const running = start(
        ...([cli, '--request-object-key', key, '--scope', 'openid', '--show-secrets'] as const),
        ...['--request-object-encryption-alg', 'RSA-OAEP', '--request-object-encryption-enc', 'A256GCM'],
      );
      expect(new URL(await addressOf(running)).searchParams.get('request')?.split('.')).toHaveLength(5);
      await goThrough(running);
      expectTokens(await result(running));
    });
  }

  if (stage.version === 26) {
    test.for(['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])(
      'a response of mode %s is signed, and verified',
      async (mode, context) => {
        const cli = await open(context, { attributes: { 'authorization.signed.response.alg': 'PS256' } });
        const running = start(cli, '--scope', 'openid', '--response-mode', mode);
        const person = new Person();
        const page = await goThrough(running, person);
        if (mode === 'fragment.jwt') await relay(page);
        if (mode === 'form_post.jwt') await person.submit(page, {});
        expectTokens(await result(running));
      },
    );
  }

  if (stage.version === 26) {
    test('tokens are bound to a DPoP key that the request announces', async (context) => {
      const cli = await open(context);
      const running = start(cli, '--scope', 'openid', '--dpop');
      const jkt = new URL(await addressOf(running)).searchParams.get('dpop_jkt');
      await goThrough(running);
      const tokens = await result(running);
      expect(tokens.token_type).toBe('DPoP');
      expect(decodeJwt(String(tokens.access_token)).cnf).toMatchObject({ jkt });
    });
  }
});
