import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PUBLIC_CLIENT } from '../../src/sandbox/index.ts';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import { sharedSandbox, startSandboxForTest } from './harness.ts';
import { Person, readFormValues } from './person.ts';
import { insecure, REDIRECT_URI, readError, relyingParty } from './relying-party.ts';

afterEach(() => {
  vi.useRealTimers();
});

async function standard() {
  return relyingParty(await sharedSandbox());
}

describe('the login page', () => {
  it('says which client asks for what, and that it is the sandbox', async () => {
    const { html, status } = await (await standard()).open({ claims: '{"userinfo":{"name":null}}' });
    expect(status).toBe(200);
    for (const text of ['sandbox-client', 'openid profile', '<dd>name</dd>', 'the sandbox of oauthctl']) {
      expect(html).toContain(text);
    }
  });

  it('runs no script, loads nothing and cannot be framed', async () => {
    const { html, headers } = await (await standard()).open();
    const policy = headers.get('content-security-policy');
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self' http:\/\/127\.0\.0\.1:49152; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(html).not.toMatch(/<script|<link|<img|\bsrc=|@import|\bon\w+=/i);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('follows the colours of the system', async () => {
    const { html } = await (await standard()).open();
    expect(html).toContain('color-scheme: light dark');
    expect(html).toMatch(/@media \(prefers-color-scheme: dark\) \{ :root \{ [^}]*--page: #181818/);
    // Every colour is one of those that change.
    expect(html.match(/[^-]color: (?!var\()[^;}]+/g)).toBeNull();
  });

  it('has the focus on the first field that is empty, and on the button where only consent is asked for', async () => {
    const focused = (text: string) =>
      [...text.matchAll(/<\w+ [^>]*\bautofocus\b[^>]*>/g)].map(([tag]) => tag);
    const client = await standard();
    expect(focused((await client.open()).html)).toEqual([expect.stringContaining('id="username"')]);
    const hinted = await client.open({ login_hint: 'cl-taro' });
    expect(focused(hinted.html)).toEqual([expect.stringContaining('id="password"')]);
    await client.person.signIn(hinted);
    const consent = await client.open({ prompt: 'consent' });
    expect(focused(consent.html)).toEqual([expect.stringContaining('id="kc-login"')]);
  });

  it('lets a browser go on to a redirect URI with an IPv6 address, which its policy cannot name', async () => {
    const page = await (await standard()).open({ redirect_uri: 'http://[::1]:8080/' });
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http:;");
  });

  it('fills login_hint in, as text and nothing else', async () => {
    const hint = `"><script>alert('1')</script>&amp;`;
    const { html } = await (await standard()).open({ login_hint: hint });
    expect(readFormValues(html).username).toBe(hint);
    expect(html).not.toContain('<script>');
  });

  it('refuses a wrong password and an unknown user in the same words, and can be tried again', async () => {
    const client = await standard();
    let page = await client.open();
    for (const fields of [
      { username: 'cl-taro', password: 'wrong' },
      { username: 'nobody', password: 'wrong' },
      { username: '', password: '' },
    ]) {
      page = await client.person.submit(page, fields);
      expect(page.html).toContain('Invalid username or password.');
      expect(readFormValues(page.html)).toMatchObject({ username: fields.username, password: '' });
    }
    expect((await client.person.signIn(page)).url).toContain(`${REDIRECT_URI}?code=`);
  });

  it('is not there for another browser, nor a second time', async () => {
    const client = await standard();
    const page = await client.open();
    const stranger = await new Person(client.sandbox).open(page.url);
    expect(stranger.status).toBe(400);
    expect(stranger.html).toContain('another browser has begun it');
    await client.person.signIn(page);
    expect((await client.person.open(page.url)).status).toBe(400);
    expect((await client.person.signIn(page)).status).toBe(400);
  });

  it('tells the client with access_denied that the person cancelled', async () => {
    const client = await standard();
    const { url, status } = await client.person.submit(await client.open(), { cancel: 'yes' });
    expect(status).toBe(303);
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'the user cancelled',
      state: client.state,
      iss: client.server.issuer,
    });
  });
});

describe('an authorization request', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://localhost:8080/a/b?c=d',
    'http://[::1]/x',
    'https://localhost:8443/cb',
  ])('may have the redirect URI %s', async (redirectUri) => {
    const redirect = await (await standard()).authorize({ redirect_uri: redirectUri });
    expect(redirect.href.startsWith(redirectUri)).toBe(true);
    expect(redirect.searchParams.get('code')).toBeTypeOf('string');
  });

  it.each([
    'http://127.0.0.1.evil.example/',
    'http://127.0.0.1:80@evil.example/',
    'https://evil.example/callback',
    'http://user:password@127.0.0.1/',
    'http://127.0.0.1/#fragment',
    'http://127.0.0.1/#',
    'http://10.0.0.1/',
    'javascript:alert(1)',
    'com.example.app:/callback',
    'nonsense',
  ])('with the redirect URI %s ends on a page, and is never redirected', async (redirectUri) => {
    const client = await standard();
    for (const changes of [{}, { response_type: 'nonsense' }, { scope: 'nonsense' }, { prompt: 'none' }]) {
      const page = await client.open({ redirect_uri: redirectUri, ...changes });
      expect(page.status).toBe(400);
      expect(page.html).toContain('invalid_redirect_uri');
      expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; style-src/);
    }
  });

  it('of an unknown client, or of none, ends on a page', async () => {
    const client = await standard();
    for (const id of ['<b>nobody</b>', undefined]) {
      const page = await client.open({ client_id: id });
      expect(page.status).toBe(400);
      expect(page.html).toContain(id === undefined ? 'invalid_request' : 'invalid_client');
      expect(page.html).not.toContain('<b>');
    }
  });

  it.each([
    ['for an unknown scope', { scope: 'openid nonsense' }, 'invalid_scope'],
    ['for an unknown response type', { response_type: 'magic' }, 'unsupported_response_type'],
    ['without a nonce for an ID token', { response_type: 'id_token', nonce: undefined }, 'invalid_request'],
    ['with PKCE by plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with an unknown prompt', { prompt: 'magic' }, 'invalid_request'],
    ['that may ask nobody', { prompt: 'none' }, 'login_required'],
  ])('%s is refused at the redirect URI', async (_what, changes, error) => {
    const client = await standard();
    const { url } = await client.open(changes);
    const parameters = new URLSearchParams(new URL(url).search || new URL(url).hash.slice(1));
    expect(url.startsWith(REDIRECT_URI)).toBe(true);
    expect(Object.fromEntries(parameters)).toMatchObject({
      error,
      state: client.state,
      iss: client.server.issuer,
    });
  });

  it('is taken by GET alone', async () => {
    const { server } = await standard();
    const response = await fetch(server.authorization_endpoint as string, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('a session', () => {
  it('spares the person the login, and another user ends it', async () => {
    const client = await relyingParty(await startSandboxForTest({ users: ['one', 'two'] }));
    const subject = async (redirect: URL) =>
      oauth.getValidatedIdTokenClaims(await client.processCode(await client.redeem(redirect)))?.sub;
    const one = await subject(await client.authorize());
    expect(await subject(new URL((await client.open()).url))).toBe(one);
    expect(await subject(new URL((await client.open({ prompt: 'none' })).url))).toBe(one);

    const page = await client.open({ prompt: 'login' });
    expect(readFormValues(page.html).username).toBe('one');
    const two = await subject(new URL((await client.person.signIn(page, 'two')).url));
    expect(two).toBeTypeOf('string');
    expect(two).not.toBe(one);
    expect(await subject(new URL((await client.open()).url))).toBe(two);
  });

  it('is asked for consent alone where the client wants more, or wants to be sure', async () => {
    const client = await standard();
    await client.authorize({ scope: 'openid' });
    for (const changes of [{ scope: 'openid profile' }, { scope: 'openid', prompt: 'consent' }]) {
      const page = await client.open(changes);
      expect(page.html).toContain('<dd>cl-taro</dd>');
      expect(Object.keys(readFormValues(page.html))).toEqual([]);
      const { url } = await client.person.submit(page, { accept: 'yes' });
      expect(new URL(url).searchParams.get('code')).toBeTypeOf('string');
    }
    expect(new URL((await client.open({ scope: 'openid profile', prompt: 'none' })).url).search).toContain(
      'code=',
    );
  });

  it('that is older than max_age needs a new login, whose time the ID token tells', async () => {
    const client = await standard();
    vi.useFakeTimers({ toFake: ['Date'] });
    await client.authorize();
    vi.setSystemTime(Date.now() + 60_000);
    expect((await client.open({ max_age: '120' })).html).toBe('');
    const page = await client.open({ max_age: '30' });
    expect(Object.keys(readFormValues(page.html))).toEqual(['username', 'password']);
    const redirect = new URL((await client.person.signIn(page)).url);
    const { id_token: idToken = '' } = await client.processCode(await client.redeem(redirect));
    expect(decodeJwt(idToken).auth_time).toBe(Math.floor(Date.now() / 1000));
  });
});

describe('the authorization code flow', () => {
  it('ends with tokens that oauth4webapi accepts', async () => {
    const client = await standard();
    const tokens = await client.tokens();
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'openid profile' });
    expect(tokens.refresh_expires_in).toEqual(computeSecondsLeft(1800));
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(claims).toMatchObject({ acr: '1', preferred_username: 'cl-taro', nonce: client.nonce });
    const answer = await client.userinfo(tokens.access_token);
    expect(
      await oauth.processUserInfoResponse(client.server, client.client, claims?.sub ?? '', answer),
    ).toMatchObject({ preferred_username: 'cl-taro' });
    expect(await client.introspect(tokens.access_token)).toMatchObject({ active: true, username: 'cl-taro' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: 'sandbox-client', sub: claims?.sub });
  });

  it('works for the public client, which has to use PKCE', async () => {
    const client = await relyingParty(await sharedSandbox(), PUBLIC_CLIENT, oauth.None());
    const refused = await client.open({ code_challenge: undefined, code_challenge_method: undefined });
    expect(new URL(refused.url).searchParams.get('error')).toBe('invalid_request');
    const { refresh_token: refreshToken = '' } = await client.tokens();
    const refresh = await client.grant('refresh_token', { refresh_token: refreshToken });
    expect(refresh.status).toBe(200);
    expect(await readError(await client.grant('client_credentials', {}))).toMatchObject({
      status: 400,
      error: 'unauthorized_client',
    });
  });

  it('refuses a wrong PKCE verifier, a missing one and another redirect URI', async () => {
    const client = await standard();
    const redirect = await client.authorize();
    const parameters = oauth.validateAuthResponse(client.server, client.client, redirect, client.state);
    const wrong = oauth.generateRandomCodeVerifier();
    expect(await readError(await client.redeemCode(parameters, wrong))).toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    const code = parameters.get('code') ?? '';
    for (const changes of [
      { redirect_uri: REDIRECT_URI },
      { redirect_uri: `${REDIRECT_URI}/`, code_verifier: client.verifier },
      { code_verifier: client.verifier },
    ]) {
      const answer = await client.grant('authorization_code', { code, ...changes });
      expect(answer.status).toBe(400);
    }
    expect((await client.redeem(redirect)).status).toBe(200);
  });

  it('revokes the tokens of a code that is used twice', async () => {
    const client = await standard();
    const redirect = await client.authorize();
    const tokens = await client.processCode(await client.redeem(redirect));
    expect(await readError(await client.redeem(redirect))).toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    expect(await client.introspect(tokens.access_token)).toEqual({ active: false });
    const refresh = await client.grant('refresh_token', { refresh_token: tokens.refresh_token as string });
    expect(await readError(refresh)).toMatchObject({ error: 'invalid_grant' });
  });

  it('refuses a code that is too old, and that of another client', async () => {
    const client = await standard();
    const other = await relyingParty(client.sandbox, PUBLIC_CLIENT, oauth.None());
    const redirect = await client.authorize();
    const parameters = oauth.validateAuthResponse(client.server, client.client, redirect, client.state);
    expect(await readError(await other.redeemCode(parameters, client.verifier))).toMatchObject({
      error: 'invalid_grant',
    });
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 61_000);
    expect(await readError(await client.redeem(redirect))).toMatchObject({ error: 'invalid_grant' });
  });

  it('reaches the acr that is asked for, and no other', async () => {
    const client = await standard();
    const acr = async (changes: Record<string, string>) => {
      const redirect = await client.authorize({ prompt: 'login', ...changes });
      if (redirect.searchParams.has('error')) return redirect.searchParams.get('error');
      const { id_token: idToken = '' } = await client.processCode(await client.redeem(redirect));
      return decodeJwt(idToken).acr;
    };
    const essential = (values: string[]) =>
      JSON.stringify({ id_token: { acr: { essential: true, values } } });
    expect(await acr({ acr_values: '2 1' })).toBe('2');
    expect(await acr({ acr_values: 'gold' })).toBe('1');
    expect(await acr({ claims: essential(['gold', '2']) })).toBe('2');
    expect(await acr({ claims: essential(['gold']) })).toBe('unmet_authentication_requirements');
  });

  it('gives the claims that are asked for one by one', async () => {
    const client = await standard();
    const claims = JSON.stringify({ id_token: { name: null }, userinfo: { preferred_username: null } });
    const tokens = await client.tokens({ scope: 'openid', claims });
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ name: 'cl-taro' });
    expect(oauth.getValidatedIdTokenClaims(tokens)).not.toHaveProperty('preferred_username');
    const userinfo = await (await client.userinfo(tokens.access_token)).json();
    expect(userinfo).toMatchObject({ preferred_username: 'cl-taro' });
    expect(userinfo).not.toHaveProperty('name');
  });
});

describe('the response type', () => {
  const expected: [string, string[]][] = [
    ['code id_token', ['code', 'id_token']],
    ['code token', ['access_token', 'code', 'expires_in', 'iss', 'scope', 'token_type']],
    ['code id_token token', ['access_token', 'code', 'expires_in', 'id_token', 'scope', 'token_type']],
    ['id_token', ['id_token']],
    ['id_token token', ['access_token', 'expires_in', 'id_token', 'scope', 'token_type']],
  ];
  it.each(expected)('%s answers in the fragment', async (responseType, members) => {
    const client = await standard();
    const redirect = await client.authorize({ response_type: responseType });
    const parameters = new URLSearchParams(redirect.hash.slice(1));
    expect(redirect.search).toBe('');
    expect([...parameters.keys()].toSorted()).toEqual([...members, 'state'].toSorted());
    const accessToken = parameters.get('access_token');
    if (accessToken !== null) {
      expect(decodeJwt(accessToken)).toMatchObject({ iss: client.server.issuer, azp: 'sandbox-client' });
      expect((await client.userinfo(accessToken)).status).toBe(200);
    }
    const idToken = parameters.get('id_token');
    if (idToken !== null) {
      expect(decodeJwt(idToken)).toMatchObject({
        nonce: client.nonce,
        ...(members.includes('code') && { c_hash: expect.any(String) }),
        ...(members.includes('access_token') && { at_hash: expect.any(String) }),
      });
    }
  });

  it('code id_token is accepted by oauth4webapi, with the hash of its code', async () => {
    const client = await standard();
    const redirect = await client.authorize({ response_type: 'code id_token' });
    const parameters = await oauth.validateCodeIdTokenResponse(
      client.server,
      client.client,
      redirect,
      client.nonce,
      client.state,
      undefined,
      insecure,
    );
    expect((await client.redeemCode(parameters, client.verifier)).status).toBe(200);
  });

  it('none answers with nothing but the state', async () => {
    const client = await standard();
    const { searchParams } = await client.authorize({ response_type: 'none' });
    expect(Object.fromEntries(searchParams)).toEqual({ state: client.state, iss: client.server.issuer });
  });
});

describe('the response mode', () => {
  it('fragment brings a code in the fragment', async () => {
    const { search, hash } = await (await standard()).authorize({ response_mode: 'fragment' });
    expect(search).toBe('');
    expect(hash).toMatch(/^#code=/);
  });

  it('form_post brings a form that only its own script may send', async () => {
    const client = await standard();
    const page = await client.person.signIn(await client.open({ response_mode: 'form_post' }));
    expect(page.html).toContain(`action="${REDIRECT_URI}"`);
    expect(readFormValues(page.html)).toMatchObject({ code: expect.any(String), state: client.state });
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none';script-src 'sha256-[\w+/=]+';frame-ancestors 'none';base-uri 'none'$/,
    );
  });

  it('query is not for tokens', async () => {
    const client = await standard();
    const { url } = await client.open({ response_type: 'id_token', response_mode: 'query' });
    expect(url).toContain('error=invalid_request');
  });
});
