import { exportJWK, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { describe, expect, it } from 'vitest';
import { PRIVATE_KEY_JWT_CLIENT, PUBLIC_CLIENT, SECRET_JWT_CLIENT } from '../../src/sandbox/index.ts';
import { keyPair } from '../helpers/keys.ts';
import { sharedSandbox, startSandboxForTest } from './harness.ts';
import { readError, relyingParty } from './relying-party.ts';

const REFUSED = {
  status: 401,
  error: 'invalid_client',
  error_description: 'Invalid client or Invalid client credentials',
};

async function keyOf(alg: string): Promise<{ privateKey: oauth.PrivateKey; jwk: JWK }> {
  const { privateKey, publicKey } = await keyPair(alg);
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: alg };
  return { privateKey: { key: privateKey, kid: alg }, jwk };
}

describe('a client that signs with its key', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519'])('gets tokens with %s', async (alg) => {
    const { privateKey, jwk } = await keyOf(alg);
    const sandbox = await startSandboxForTest({ clientKeys: [jwk] });
    expect(sandbox.clients).toContainEqual({
      client_id: PRIVATE_KEY_JWT_CLIENT,
      token_endpoint_auth_method: 'private_key_jwt',
      purpose: expect.any(String),
    });
    const client = await relyingParty(sandbox, PRIVATE_KEY_JWT_CLIENT, oauth.PrivateKeyJwt(privateKey));
    const { access_token: token } = await client.tokens();
    expect(await client.introspect(token)).toMatchObject({ active: true });
    expect((await client.grant('client_credentials', {})).status).toBe(200);
  });

  it('is refused with the key of another, with a secret and with an assertion that was used', async () => {
    const [{ privateKey, jwk }, other] = [await keyOf('ES256'), await keyOf('ES256')];
    const sandbox = await startSandboxForTest({ clientKeys: [jwk] });
    const grant = async (authenticate: oauth.ClientAuth) => {
      const client = await relyingParty(sandbox, PRIVATE_KEY_JWT_CLIENT, authenticate);
      return readError(await client.grant('client_credentials', {}));
    };
    expect(await grant(oauth.PrivateKeyJwt(other.privateKey))).toEqual(REFUSED);
    expect(await grant(oauth.ClientSecretPost(sandbox.clientSecret))).toEqual(REFUSED);
    const jti = {
      [oauth.modifyAssertion]: (_: unknown, payload: Record<string, unknown>) => {
        payload.jti = 'once';
      },
    };
    expect(await grant(oauth.PrivateKeyJwt(privateKey, jti))).toMatchObject({ status: 200 });
    expect(await grant(oauth.PrivateKeyJwt(privateKey, jti))).toEqual(REFUSED);
  });

  it('is not there where the sandbox knows no key', async () => {
    const { clients } = await sharedSandbox();
    expect(clients.map(({ client_id: id }) => id)).not.toContain(PRIVATE_KEY_JWT_CLIENT);
  });
});

describe('a client that signs with its secret', () => {
  it('gets tokens with the right one', async () => {
    const sandbox = await sharedSandbox();
    const grant = async (secret: string) => {
      const client = await relyingParty(sandbox, SECRET_JWT_CLIENT, oauth.ClientSecretJwt(secret));
      return readError(await client.grant('client_credentials', {}));
    };
    expect(await grant(sandbox.clientSecret)).toMatchObject({ status: 200 });
    expect(await grant('x'.repeat(43))).toEqual(REFUSED);
  });
});

describe('a client without a secret', () => {
  it('is refused where a secret belongs, and may not introspect what is not its own', async () => {
    const sandbox = await sharedSandbox();
    const nobody = await relyingParty(sandbox, sandbox.clientId, oauth.None());
    expect(await readError(await nobody.grant('client_credentials', {}))).toEqual(REFUSED);
    const standard = await relyingParty(sandbox);
    const { access_token: token } = await standard.tokens();
    expect(await (await relyingParty(sandbox, PUBLIC_CLIENT, oauth.None())).introspect(token)).toEqual({
      active: false,
    });
  });
});

describe('openid-client', () => {
  it('goes through the code flow and a refresh', async () => {
    const sandbox = await sharedSandbox();
    const config = await openid.discovery(
      new URL(sandbox.issuer),
      sandbox.clientId,
      undefined,
      openid.ClientSecretPost(sandbox.clientSecret),
      { execute: [openid.allowInsecureRequests] },
    );
    const client = await relyingParty(sandbox);
    const tokens = await openid.authorizationCodeGrant(config, await client.authorize(), {
      pkceCodeVerifier: client.verifier,
      expectedState: client.state,
      expectedNonce: client.nonce,
      idTokenExpected: true,
    });
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe(tokens.claims()?.sub);
    const userinfo = await openid.fetchUserInfo(config, refreshed.access_token, tokens.claims()?.sub ?? '');
    expect(userinfo.preferred_username).toBe('cl-taro');
  });
});

describe('every client that is listed', () => {
  it('is registered', async () => {
    const keys = [
      (await keyOf('ES256')).jwk,
      { ...(await exportJWK((await keyPair('ECDH-ES')).publicKey)), use: 'enc', kid: 'enc' },
    ];
    const sandbox = await startSandboxForTest({ clientKeys: keys });
    expect(sandbox.clients).toHaveLength(8);
    for (const { client_id: id, token_endpoint_auth_method: method } of sandbox.clients) {
      const response = await fetch(`${sandbox.issuer}/protocol/openid-connect/auth?client_id=${id}`);
      // What is missing is the response type, not the client, which is only read with its first request.
      expect([id, method, await response.text()]).toEqual([
        id,
        expect.stringMatching(/^(client_secret_(basic|jwt)|private_key_jwt|none)$/),
        expect.stringMatching(/response_type|Pushed Authorization Request must be used/),
      ]);
    }
  });
});

it('the metadata lists what introspection and revocation take', async () => {
  const { server } = await relyingParty(await sharedSandbox());
  const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'];
  expect(server.introspection_endpoint_auth_methods_supported).toEqual(methods);
  expect(server.revocation_endpoint_auth_methods_supported).toEqual([...methods, 'none']);
});
