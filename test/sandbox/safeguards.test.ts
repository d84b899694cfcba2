import {
  CompactEncrypt,
  calculateJwkThumbprint,
  compactDecrypt,
  createRemoteJWKSet,
  decodeJwt,
  exportJWK,
  type GenerateKeyPairResult,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { DPOP_CLIENT, JARM_CLIENT, PAR_CLIENT, PUBLIC_CLIENT } from '../../src/sandbox/index.ts';
import { keyPair } from '../helpers/keys.ts';
import { sharedSandbox, startSandboxForTest } from './harness.ts';
import { readFormValues } from './person.ts';
import {
  insecure,
  type Parameters,
  REDIRECT_URI,
  type RelyingParty,
  readError,
  relyingParty,
} from './relying-party.ts';

async function standard() {
  return relyingParty(await sharedSandbox());
}

type Key = GenerateKeyPairResult['privateKey'] | Uint8Array;

/** A request object of this client, signed with its secret unless told otherwise. */
async function requestObject(
  client: RelyingParty,
  changes: Parameters = {},
  signer: { alg: string; key?: Key } = { alg: 'HS256' },
): Promise<string> {
  const { alg, key = new TextEncoder().encode(client.sandbox.clientSecret) } = signer;
  return new SignJWT(Object.fromEntries(await client.parameters(changes)))
    .setProtectedHeader({ alg })
    .setIssuer(client.client.client_id)
    .setAudience(client.server.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(key);
}

function openRequest(client: RelyingParty, request: string) {
  const query = new URLSearchParams({ client_id: client.client.client_id, request });
  return client.person.open(`${client.server.authorization_endpoint}?${query}`);
}

async function push(client: RelyingParty, parameters: URLSearchParams, options = {}) {
  return oauth.pushedAuthorizationRequest(client.server, client.client, client.authenticate, parameters, {
    ...insecure,
    ...options,
  });
}

async function openPushed(client: RelyingParty, response: Response) {
  const { request_uri: requestUri } = await oauth.processPushedAuthorizationResponse(
    client.server,
    client.client,
    response,
  );
  const query = new URLSearchParams({ client_id: client.client.client_id, request_uri: requestUri });
  return client.person.open(`${client.server.authorization_endpoint}?${query}`);
}

async function isTokens(client: RelyingParty, redirect: string): Promise<boolean> {
  const { access_token: token } = await client.processCode(await client.redeem(new URL(redirect)));
  return (await client.introspect(token)).active;
}

describe('a pushed authorization request', () => {
  it('is good for one authorization', async () => {
    const client = await standard();
    const response = await push(client, await client.parameters());
    expect(response.status).toBe(201);
    const page = await openPushed(client, response.clone());
    expect(await isTokens(client, (await client.person.signIn(page)).url)).toBe(true);
    const again = await openPushed(client, response);
    expect(again.url).not.toContain('code=');
  });

  it('is refused without client authentication, and with a redirect URI of someone else', async () => {
    const client = await standard();
    const parameters = await client.parameters();
    const { pushed_authorization_request_endpoint: url = '' } = client.server;
    expect((await fetch(url, { method: 'POST', body: parameters })).status).toBe(401);
    parameters.set('redirect_uri', 'https://evil.example/');
    expect(await readError(await push(client, parameters))).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
  });

  it('has to be used, and signed, by the client that is made for it', async () => {
    const client = await relyingParty(await sharedSandbox(), PAR_CLIENT);
    const { url } = await client.open();
    expect(new URL(url).searchParams.get('error_description')).toContain('Pushed Authorization Request');
    const { html } = await openRequest(client, await requestObject(client));
    expect(html).toContain('Pushed Authorization Request must be used');
    expect(await readError(await push(client, await client.parameters()))).toEqual({
      status: 400,
      error: 'invalid_request',
      error_description: 'Request Object must be used by this client',
    });
    const request = new URLSearchParams({ request: await requestObject(client) });
    const page = await openPushed(client, await push(client, request));
    expect(await isTokens(client, (await client.person.signIn(page)).url)).toBe(true);
  });
});

describe('a request object', () => {
  it('stands for the parameters of a request', async () => {
    const client = await standard();
    const page = await openRequest(client, await requestObject(client, { login_hint: 'cl-taro' }));
    expect(readFormValues(page.html).username).toBe('cl-taro');
    expect(await isTokens(client, (await client.person.signIn(page)).url)).toBe(true);
  });

  it.each(['RS256', 'PS256', 'ES256', 'Ed25519'])('may be signed by %s', async (alg) => {
    const { privateKey: key, publicKey } = await keyPair(alg);
    const clientKeys = [{ ...(await exportJWK(publicKey)), alg, use: 'sig' }];
    const client = await relyingParty(await startSandboxForTest({ clientKeys }));
    const page = await openRequest(client, await requestObject(client, {}, { alg, key }));
    expect((await client.person.signIn(page)).url).toContain('code=');
  });

  it.each(['ECDH-ES', 'ECDH-ES+A256KW'])('may be encrypted for the sandbox by %s', async (alg) => {
    const client = await standard();
    expect(client.server.request_object_encryption_alg_values_supported).toContain(alg);
    const page = await openRequest(client, await encrypted(client, await requestObject(client), alg));
    expect(await isTokens(client, (await client.person.signIn(page)).url)).toBe(true);
  });

  it('is refused with a wrong signature, unsigned, for someone else, too old or garbled', async () => {
    const client = await standard();
    const good = await requestObject(client);
    const [header = '', payload = ''] = good.split('.');
    const key = new TextEncoder().encode('x'.repeat(43));
    const sealed = await encrypted(client, good, 'ECDH-ES');
    const other = new SignJWT({ ...decodeJwt(good), aud: 'https://elsewhere.example' });
    const old = new SignJWT({ ...decodeJwt(good), exp: 1 });
    const secret = new TextEncoder().encode(client.sandbox.clientSecret);
    const wrong = [
      await requestObject(client, {}, { alg: 'HS256', key }),
      `${header}.${payload}.`,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      await other.setProtectedHeader({ alg: 'HS256' }).sign(secret),
      await old.setProtectedHeader({ alg: 'HS256' }).sign(secret),
      `${sealed.slice(0, -4)}AAAA`,
    ];
    for (const request of wrong) {
      const page = await openRequest(client, request);
      // Nothing in it can be trusted, so nobody is redirected to.
      expect([page.status, page.url.startsWith(client.sandbox.issuer)]).toEqual([400, true]);
      expect(page.html).toContain('invalid_request_object');
    }
  });
});

async function encrypted(client: RelyingParty, jwt: string, alg: string): Promise<string> {
  const { keys } = (await (await fetch(client.server.jwks_uri as string)).json()) as { keys: JWK[] };
  const jwk = keys.find(({ use }) => use === 'enc') as JWK;
  expect(jwk).not.toHaveProperty('d');
  return new CompactEncrypt(new TextEncoder().encode(jwt))
    .setProtectedHeader({ alg, enc: 'A256GCM', cty: 'JWT', ...(jwk.kid !== undefined && { kid: jwk.kid }) })
    .encrypt(await importJWK(jwk, alg));
}

describe('a JWT authorization response', () => {
  it.each(['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])('is signed, by %s', async (mode) => {
    const client = await standard();
    const page = await client.person.signIn(await client.open({ response_mode: mode }));
    const { search, hash } = new URL(page.url);
    const response =
      mode === 'form_post.jwt'
        ? readFormValues(page.html).response
        : new URLSearchParams(mode === 'fragment.jwt' ? hash.slice(1) : search).get('response');
    const url = new URL(`${REDIRECT_URI}?response=${response}`);
    const { server, client: registered, state } = client;
    const parameters = await oauth.validateJwtAuthResponse(server, registered, url, state, insecure);
    expect(await client.redeemCode(parameters, client.verifier)).toMatchObject({ status: 200 });
  });

  it('brings refusals as well', async () => {
    const client = await standard();
    const page = await client.open({ response_mode: 'jwt' });
    const { url } = await client.person.submit(page, { cancel: 'yes' });
    const jwt = new URL(url).searchParams.get('response') ?? '';
    expect(decodeJwt(jwt)).toMatchObject({
      error: 'access_denied',
      state: client.state,
      aud: 'sandbox-client',
      iss: client.server.issuer,
    });
  });

  it.each(['ECDH-ES', 'RSA-OAEP-256'])('is encrypted for the client that has a key for %s', async (alg) => {
    const { privateKey, publicKey } = await keyPair(alg);
    const clientKeys = [{ ...(await exportJWK(publicKey)), alg, use: 'enc', kid: 'enc' }];
    const client = await relyingParty(await startSandboxForTest({ clientKeys }), JARM_CLIENT);
    const redirect = await client.authorize({ response_mode: 'query.jwt' });
    const { plaintext, protectedHeader } = await compactDecrypt(
      redirect.searchParams.get('response') ?? '',
      privateKey,
    );
    expect(protectedHeader).toMatchObject({ alg, enc: 'A256GCM' });
    const { payload } = await jwtVerify(
      new TextDecoder().decode(plaintext),
      createRemoteJWKSet(new URL(client.server.jwks_uri as string)),
      { issuer: client.server.issuer, audience: JARM_CLIENT },
    );
    expect(payload).toMatchObject({ code: expect.any(String), state: client.state });
  });
});

describe('authorization details', () => {
  const details = [{ type: 'payment_initiation', amount: '12.30', actions: ['initiate'] }];
  const authorization_details = JSON.stringify(details);

  it('are shown to the person, and come with the token and its introspection', async () => {
    const client = await standard();
    const page = await client.open({ authorization_details });
    expect(page.html).toContain('&quot;amount&quot;: &quot;12.30&quot;');
    const redirect = new URL((await client.person.signIn(page)).url);
    const tokens = await client.processCode(await client.redeem(redirect));
    expect(tokens.authorization_details).toEqual(details);
    expect(decodeJwt(tokens.access_token).authorization_details).toEqual(details);
    expect(await client.introspect(tokens.access_token)).toMatchObject({ authorization_details: details });
    const refresh = await client.grant('refresh_token', { refresh_token: tokens.refresh_token as string });
    expect(await refresh.json()).toMatchObject({ authorization_details: details });
  });

  it('may be narrowed in the token request, and not widened', async () => {
    const client = await standard();
    const two = [...details, { type: 'account_information' }];
    const redirect = await client.authorize({ authorization_details: JSON.stringify(two) });
    const redeem = (wished: unknown) =>
      client.redeem(redirect, { additionalParameters: { authorization_details: JSON.stringify(wished) } });
    const narrow = await redeem(details);
    expect(await narrow.json()).toMatchObject({ authorization_details: details });
    const other = await client.authorize({ authorization_details, prompt: 'login' });
    const wide = await client.redeem(other, {
      additionalParameters: { authorization_details: JSON.stringify(two) },
    });
    expect(await readError(wide)).toMatchObject({ status: 400, error: 'invalid_authorization_details' });
  });

  it('work for a client itself, and are refused where their type is unknown or they are none', async () => {
    const client = await standard();
    const grant = await client.grant('client_credentials', { authorization_details });
    expect(await grant.json()).toMatchObject({ authorization_details: details });
    for (const wrong of ['[{"type":"magic"}]', '[{}]', '{}', 'nonsense']) {
      const { url } = await client.open({ authorization_details: wrong });
      expect(new URL(url).searchParams.get('error')).toBe('invalid_authorization_details');
      expect(
        await readError(await client.grant('client_credentials', { authorization_details: wrong })),
      ).toMatchObject({ error: 'invalid_authorization_details' });
    }
  });
});

describe('a resource', () => {
  const resource = 'https://api.example/orders';

  it('becomes the audience of the token, which userinfo does not take', async () => {
    const client = await standard();
    const tokens = await client.tokens({ resource });
    expect(decodeJwt(tokens.access_token).aud).toBe(resource);
    expect(tokens.scope).toBe('openid profile');
    expect(await client.introspect(tokens.access_token)).toMatchObject({ active: true, aud: resource });
    expect((await client.userinfo(tokens.access_token)).status).toBe(401);
    const refresh = await client.grant('refresh_token', { refresh_token: tokens.refresh_token as string });
    const { access_token: refreshed } = (await refresh.json()) as { access_token: string };
    expect(decodeJwt(refreshed).aud).toBe(resource);
  });

  it('may be chosen in the token request out of those that were granted', async () => {
    const client = await standard();
    const query = await client.parameters();
    const other = 'https://api.example/bills';
    for (const one of [resource, other]) query.append('resource', one);
    const page = await client.person.open(`${client.server.authorization_endpoint}?${query}`);
    expect(page.html).toContain(`${resource} ${other}`);
    const redirect = new URL((await client.person.signIn(page)).url);
    const response = await client.redeem(redirect, { additionalParameters: { resource: other } });
    const { access_token: token, refresh_token: refreshToken = '' } = await client.processCode(response);
    expect(decodeJwt(token).aud).toBe(other);
    const stranger = { refresh_token: refreshToken, resource: 'https://elsewhere.example/' };
    expect(await readError(await client.grant('refresh_token', stranger))).toMatchObject({
      status: 400,
      error: 'invalid_target',
    });
  });

  it('works for a client itself, and is refused when it is no absolute URI', async () => {
    const client = await standard();
    const grant = await client.grant('client_credentials', { resource, scope: 'profile' });
    const { access_token: token } = (await grant.json()) as { access_token: string };
    expect(decodeJwt(token)).toMatchObject({ aud: resource, scope: 'profile' });
    for (const wrong of ['orders', `${resource}#fragment`]) {
      const { url } = await client.open({ resource: wrong });
      expect(new URL(url).searchParams.get('error')).toBe('invalid_target');
    }
  });
});

describe('DPoP', () => {
  async function withKey(clientId = DPOP_CLIENT, authenticate?: oauth.ClientAuth) {
    const client = await relyingParty(await sharedSandbox(), clientId, authenticate);
    const keyPair = await oauth.generateKeyPair('ES256', { extractable: true });
    const jkt = await calculateJwkThumbprint(await exportJWK(keyPair.publicKey));
    return { client, jkt, proofs: () => oauth.DPoP(client.client, keyPair) };
  }

  /** Sends a request again when the sandbox has given a nonce for it. */
  async function withNonce(send: () => Promise<Response>, process: (response: Response) => Promise<unknown>) {
    const first = await send();
    expect(first.headers.get('dpop-nonce')).toBeTypeOf('string');
    await expect(process(first)).rejects.toSatisfy(oauth.isDPoPNonceError);
    return send();
  }

  it.each([
    [DPOP_CLIENT, undefined],
    [PUBLIC_CLIENT, oauth.None()],
  ])('binds the tokens of %s, once a nonce was asked for', async (clientId, authenticate) => {
    const { client, jkt, proofs } = await withKey(clientId, authenticate);
    const DPoP = proofs();
    const redirect = await client.authorize();
    const response = await withNonce(
      () => client.redeem(redirect, { DPoP }),
      (answer) => client.processCode(answer),
    );
    const tokens = await client.processCode(response);
    expect(tokens.token_type).toBe('dpop');
    expect(decodeJwt(tokens.access_token)).toMatchObject({ cnf: { jkt }, typ: 'DPoP' });
    expect(await client.introspect(tokens.access_token)).toMatchObject({
      active: true,
      cnf: { jkt },
      token_type: 'DPoP',
    });
    const userinfo = await client.userinfo(tokens.access_token, { DPoP });
    expect(await userinfo.json()).toMatchObject({ preferred_username: 'cl-taro' });
    const refresh = { refresh_token: tokens.refresh_token as string };
    expect(await (await client.grant('refresh_token', refresh, { DPoP })).json()).toMatchObject({
      token_type: 'DPoP',
    });
  });

  /** Tokens by client credentials or password, with the nonce fetched on the way. */
  async function bound(client: RelyingParty, DPoP: oauth.DPoPHandle) {
    const password = client.sandbox.passwords['cl-taro'] ?? '';
    const form = { username: 'cl-taro', password, scope: 'openid' };
    await client.grant('password', form, { DPoP });
    const response = await client.grant('password', form, { DPoP });
    return (await response.json()) as { access_token: string };
  }

  it('is asked for with a nonce at the userinfo endpoint, by a 401', async () => {
    const { client, proofs } = await withKey();
    const { access_token: token } = await bound(client, proofs());
    // These proofs are by another key, which does not matter before there is a nonce.
    const other = oauth.DPoP(client.client, await oauth.generateKeyPair('ES256'));
    const response = await client.userinfo(token, { DPoP: other });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP .*error="use_dpop_nonce"/);
    expect(response.headers.get('dpop-nonce')).toBeTypeOf('string');
  });

  it('is required of its client, whatever the grant', async () => {
    const { client } = await withKey();
    const { passwords, issuer } = client.sandbox;
    const grants: [string, Record<string, string>][] = [
      ['client_credentials', {}],
      ['password', { username: 'cl-taro', password: passwords['cl-taro'] ?? '' }],
    ];
    for (const [grantType, form] of grants) {
      expect([issuer, await readError(await client.grant(grantType, form))]).toMatchObject([
        issuer,
        { status: 400, error: 'invalid_grant' },
      ]);
    }
    const redirect = await client.authorize();
    expect(await readError(await client.redeem(redirect))).toMatchObject({ error: 'invalid_grant' });
  });

  it('binds the tokens of the sandbox’s own grants', async () => {
    const { client, jkt, proofs } = await withKey();
    const DPoP = proofs();
    const { access_token: subject } = await bound(client, DPoP);
    expect(await client.introspect(subject)).toMatchObject({ active: true, cnf: { jkt } });
    const exchange = {
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
    expect(await readError(await client.grant(grantType, exchange))).toMatchObject({
      error: 'invalid_grant',
    });
    const exchanged = await client.grant(grantType, exchange, { DPoP });
    const { access_token: token } = (await exchanged.json()) as { access_token: string };
    expect(decodeJwt(token)).toMatchObject({ cnf: { jkt } });
  });

  it('refuses a proof that was used, one by another key, and a bound token as a bearer', async () => {
    const { client, proofs } = await withKey();
    const DPoP = proofs();
    const { access_token: token } = await bound(client, DPoP);
    const { userinfo_endpoint: url = '' } = client.server;

    let headers: Record<string, string> = {};
    const recorded = await client.userinfo(token, {
      DPoP,
      [oauth.customFetch]: (address, init) => {
        headers = init.headers;
        return fetch(address, { headers });
      },
    });
    expect(recorded.status).toBe(200);
    const replayed = await fetch(url, { headers });
    expect(replayed.status).toBe(401);
    expect(replayed.headers.get('www-authenticate')).toContain('error="invalid_token"');

    const bearer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(bearer.status).toBe(401);

    const other = oauth.DPoP(client.client, await oauth.generateKeyPair('ES256'));
    expect((await client.userinfo(token, { DPoP: other })).status).toBe(401);
  });

  it('binds the refresh token of the client without a secret', async () => {
    const { client, proofs } = await withKey(PUBLIC_CLIENT, oauth.None());
    const redirect = await client.authorize();
    const DPoP = proofs();
    await client.redeem(redirect, { DPoP });
    const tokens = await client.processCode(await client.redeem(redirect, { DPoP }));
    const form = { refresh_token: tokens.refresh_token as string };
    const other = oauth.DPoP(client.client, await oauth.generateKeyPair('ES256'));
    const refresh = (handle?: oauth.DPoPHandle) =>
      client.grant('refresh_token', form, handle === undefined ? {} : { DPoP: handle });
    expect(await readError(await refresh(other))).toMatchObject({ error: 'use_dpop_nonce' });
    expect(await readError(await refresh(other))).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await readError(await refresh())).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await refresh(DPoP)).status).toBe(200);
  });

  it('binds a pushed request to its key, and the code with it', async () => {
    const { client, proofs } = await withKey();
    const DPoP = proofs();
    const parameters = await client.parameters();
    const response = await withNonce(
      () => push(client, parameters, { DPoP }),
      (answer) => oauth.processPushedAuthorizationResponse(client.server, client.client, answer),
    );
    const { url } = await client.person.signIn(await openPushed(client, response));
    const other = oauth.DPoP(client.client, await oauth.generateKeyPair('ES256'));
    await client.redeem(new URL(url), { DPoP: other });
    expect(await readError(await client.redeem(new URL(url), { DPoP: other }))).toMatchObject({
      error: 'invalid_grant',
    });
  });
});
