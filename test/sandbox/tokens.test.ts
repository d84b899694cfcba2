import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { SERVICE_CLIENT } from '../../src/sandbox/index.ts';
import { basic, send, startHarness } from './harness.ts';

describe('an access token', () => {
  it('is a JWT of the user for the client', async () => {
    const harness = await startHarness();
    const { access_token: token = '' } = await harness.tokens();
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({
      iss: harness.sandbox.issuer,
      aud: 'sandbox-client',
      azp: 'sandbox-client',
      client_id: 'sandbox-client',
      typ: 'Bearer',
      scope: 'openid',
      preferred_username: 'cl-taro',
    });
  });

  it('cannot be replaced by its jti', async () => {
    const harness = await startHarness();
    const { access_token: token = '' } = await harness.tokens();
    const { jti = '' } = decodeJwt(token);
    expect((await harness.post('/token/introspect', { token: jti })).json).toEqual({ active: false });
    const userinfo = `${harness.sandbox.issuer}/protocol/openid-connect/userinfo`;
    expect((await send(userinfo, { headers: { authorization: `Bearer ${jti}` } })).status).toBe(401);
  });

  it('is inactive to a client that is not in its audience', async () => {
    const harness = await startHarness();
    const { access_token: token = '' } = await harness.tokens();
    const other = basic(SERVICE_CLIENT, harness.sandbox.clientSecret);
    expect((await harness.post('/token/introspect', { token }, other)).json).toEqual({ active: false });
  });

  it('is inactive when it was altered', async () => {
    const harness = await startHarness();
    const { access_token: token = '' } = await harness.tokens();
    const altered = `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    expect((await harness.post('/token/introspect', { token: altered })).json).toEqual({ active: false });
  });

  it('is inactive once revoked', async () => {
    const harness = await startHarness();
    const { access_token: token = '' } = await harness.tokens();
    expect(await harness.post('/revoke', { token })).toMatchObject({ status: 200, text: '' });
    expect((await harness.post('/token/introspect', { token })).json).toEqual({ active: false });
  });

  it('of the client itself is active, and revocable', async () => {
    const harness = await startHarness();
    const grant = await harness.post('/token', { grant_type: 'client_credentials' });
    const token = grant.json.access_token as string;
    expect((await harness.post('/token/introspect', { token })).json).toMatchObject({
      active: true,
      sub: 'sandbox-client',
      aud: 'sandbox-client',
    });
    await harness.post('/revoke', { token });
    expect((await harness.post('/token/introspect', { token })).json).toEqual({ active: false });
  });
});

describe('a refresh token', () => {
  it('works more than once', async () => {
    const harness = await startHarness();
    const { refresh_token: token = '' } = await harness.tokens();
    for (let time = 0; time < 2; time += 1) {
      const answer = await harness.post('/token', { grant_type: 'refresh_token', refresh_token: token });
      expect(answer.status).toBe(200);
      const introspection = await harness.post('/token/introspect', {
        token: answer.json.access_token as string,
      });
      expect(introspection.json.active).toBe(true);
    }
  });

  it('is invalid_grant once revoked', async () => {
    const harness = await startHarness();
    const { refresh_token: token = '' } = await harness.tokens();
    await harness.post('/revoke', { token });
    const answer = await harness.post('/token', { grant_type: 'refresh_token', refresh_token: token });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });
});

describe('the second client', () => {
  it('gets client credentials and nothing else', async () => {
    const harness = await startHarness();
    const service = basic(SERVICE_CLIENT, harness.sandbox.clientSecret);
    expect((await harness.post('/token', { grant_type: 'client_credentials' }, service)).status).toBe(200);
    expect(await harness.poll(await harness.acknowledged(), service)).toMatchObject({
      status: 400,
      json: { error: 'unauthorized_client' },
    });
  });
});

describe('the token endpoint', () => {
  it('refuses an unknown grant', async () => {
    const harness = await startHarness();
    expect(await harness.post('/token', { grant_type: 'magic' })).toMatchObject({
      status: 400,
      json: { error: 'unsupported_grant_type' },
    });
  });

  it('takes a secret with characters that Basic has to encode', async () => {
    const clientSecret = 'p%40ss+word:/?';
    const harness = await startHarness({ clientSecret });
    const encoded = basic('sandbox-client', encodeURIComponent(clientSecret));
    expect((await harness.post('/token', { grant_type: 'client_credentials' }, encoded)).status).toBe(200);
    const form = {
      grant_type: 'client_credentials',
      client_id: 'sandbox-client',
      client_secret: clientSecret,
    };
    expect((await harness.post('/token', form, '')).status).toBe(200);
  });

  it('says JSON also to a browser', async () => {
    const harness = await startHarness();
    const url = `${harness.sandbox.issuer}/protocol/openid-connect/token`;
    const answer = await send(url, { method: 'POST', headers: { accept: 'text/html' } });
    expect(answer.status).toBe(401);
    expect(answer.json.error).toBe('invalid_client');
  });
});
