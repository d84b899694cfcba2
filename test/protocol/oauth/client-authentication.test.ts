import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  importJWK,
  type JWK,
  jwtVerify,
} from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { generateKey, pickPublicPart } from '../../../src/protocol/jose/key.ts';
import {
  type AuthenticationCircumstances,
  buildClientAuthentication,
  type RegisteredClient,
} from '../../../src/protocol/oauth/client-authentication.ts';
import { keyPair } from '../../helpers/keys.ts';
import { capture } from '../capture.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const ISSUER = 'https://as.example/realms/R';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SECRET = 'a client secret that is long enough for any of the algorithms, 512 bits';

const circumstances = (metadata: Record<string, unknown> = {}): AuthenticationCircumstances => ({
  metadata: { issuer: ISSUER, token_endpoint: 'https://as.example/token', ...metadata },
  now: NOW,
  random: (bytes) => new Uint8Array(bytes).fill(255),
});

const build = (client: Partial<RegisteredClient>, metadata?: Record<string, unknown>) =>
  buildClientAuthentication(
    { client_id: 'a', token_endpoint_auth_method: 'private_key_jwt', ...client },
    circumstances(metadata),
  );

const assertionOf = async (...args: Parameters<typeof build>): Promise<string> =>
  Object.fromEntries((await build(...args)).parameters).client_assertion ?? expect.fail('no assertion');

const headerOf = async (...args: Parameters<typeof build>) =>
  decodeProtectedHeader(await assertionOf(...args));

const keyFor = async (alg: string): Promise<JWK> => (await generateKey(alg, 'key-1')).jwk;

/** What oauth4webapi sends for the same client. */
async function oracle(authentication: oauth.ClientAuth) {
  const { options, request } = capture();
  const server = { issuer: ISSUER, token_endpoint: 'https://as.example/token' };
  await oauth.clientCredentialsGrantRequest(
    server,
    { client_id: 'a' },
    authentication,
    new URLSearchParams(),
    options,
  );
  return Object.fromEntries(request().parameters.filter(([name]) => name.startsWith('client_')));
}

describe('client authentication', () => {
  it.each(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const)(
    'by %s needs a secret',
    async (token_endpoint_auth_method) => {
      await expect(build({ token_endpoint_auth_method })).rejects.toMatchObject({
        code: 'client_secret_missing',
        exitCode: 2,
        message: `${token_endpoint_auth_method} requires a client secret, and none is configured`,
      });
    },
  );

  it('by private_key_jwt needs a key, and says how to make one', async () => {
    await expect(build({})).rejects.toMatchObject({
      code: 'client_key_missing',
      exitCode: 2,
      hint: expect.stringContaining('oauthctl key generate'),
    });
  });

  it('by client_secret_basic says nothing in the form', async () => {
    const client = { client_secret: 'b', token_endpoint_auth_method: 'client_secret_basic' } as const;
    expect(await build(client)).toEqual({ headers: { authorization: 'Basic YTpi' }, parameters: [] });
  });

  it.each(['none', 'tls_client_auth', 'self_signed_tls_client_auth'] as const)(
    'by %s sends the client_id and no secret, even where there is one',
    async (token_endpoint_auth_method) => {
      const client = { client_secret: 's3cret', client_assertion: 'x', token_endpoint_auth_method };
      expect(await build(client)).toEqual({ headers: {}, parameters: [['client_id', 'a']] });
    },
  );

  it('by a ready-made assertion sends it as it is, and needs no key', async () => {
    expect(await build({ client_assertion: 'not.even.a-jwt' })).toEqual({
      headers: {},
      parameters: [
        ['client_id', 'a'],
        ['client_assertion_type', ASSERTION_TYPE],
        ['client_assertion', 'not.even.a-jwt'],
      ],
    });
  });
});

describe('a client assertion', () => {
  it('says who, to whom, when and once, for 60 seconds', async () => {
    const assertion = await assertionOf({ client_key: await keyFor('ES256') });
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: 'key-1' });
    const iat = Math.floor(NOW / 1000);
    expect(decodeJwt(assertion)).toEqual({
      iss: 'a',
      sub: 'a',
      aud: ISSUER,
      iat,
      exp: iat + 60,
      jti: '_____________________w',
    });
  });

  it.each([
    [undefined, ISSUER],
    ['issuer', ISSUER],
    ['endpoint', 'https://as.example/token'],
    ['https://other.example/', 'https://other.example/'],
  ])('for the audience %s names %s', async (assertion_audience, aud) => {
    const assertion = await assertionOf({ client_key: await keyFor('ES256'), assertion_audience });
    expect(decodeJwt(assertion).aud).toBe(aud);
  });

  it.each([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ])('by a key for %s is one that the public key verifies', async (alg) => {
    const client_key = await keyFor(alg);
    const assertion = await assertionOf({ client_key });
    expect(decodeProtectedHeader(assertion).alg).toBe(alg);
    const { payload } = await jwtVerify(assertion, await importJWK(pickPublicPart(client_key), alg), {
      currentDate: new Date(NOW),
    });
    expect(payload.sub).toBe('a');
  });

  it.each(['HS256', 'HS384', 'HS512'])('by the client secret with %s is verified by it', async (alg) => {
    const assertion = await assertionOf({
      token_endpoint_auth_method: 'client_secret_jwt',
      client_secret: SECRET,
      token_endpoint_auth_signing_alg: alg,
    });
    expect(decodeProtectedHeader(assertion)).toEqual({ alg });
    const secret = new TextEncoder().encode(SECRET);
    await expect(jwtVerify(assertion, secret, { currentDate: new Date(NOW) })).resolves.toBeDefined();
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'with %s equals what oauth4webapi sends, but for what differs each time',
    async (alg) => {
      const { privateKey } = await keyPair(alg);
      const client_key = { ...(await exportJWK(privateKey)), kid: 'key-1', alg };
      const theirs = await oracle(oauth.PrivateKeyJwt({ key: privateKey as CryptoKey, kid: 'key-1' }));
      const ours = Object.fromEntries((await build({ client_key })).parameters);
      expectAlike(ours, theirs, alg === 'EdDSA' ? { alg: 'Ed25519', kid: 'key-1' } : undefined);
    },
  );

  it('by a secret equals what oauth4webapi sends, but for what differs each time', async () => {
    const theirs = await oracle(oauth.ClientSecretJwt(SECRET));
    const client = { token_endpoint_auth_method: 'client_secret_jwt', client_secret: SECRET } as const;
    expectAlike(Object.fromEntries((await build(client)).parameters), theirs);
  });

  /** EdDSA is Ed25519's older name, which more servers know. */
  function expectAlike(
    { client_assertion: ours = '', ...form }: Record<string, string>,
    { client_assertion: theirs = '', ...theirForm }: Record<string, string>,
    theirHeader: object = decodeProtectedHeader(ours),
  ) {
    expect(form).toEqual(theirForm);
    expect(decodeProtectedHeader(theirs)).toEqual(theirHeader);
    const { iss, sub, aud, exp = 0, iat = 0 } = decodeJwt(ours);
    const their = decodeJwt(theirs);
    expect({ iss, sub, aud }).toEqual({ iss: their.iss, sub: their.sub, aud: their.aud });
    expect(exp - iat).toBe((their.exp ?? 0) - (their.iat ?? 0));
  }
});

describe('the algorithm of a client assertion', () => {
  const lists = (...algs: string[]) => ({ token_endpoint_auth_signing_alg_values_supported: algs });
  const rsa = async () => ({ ...(await keyFor('RS256')), alg: undefined }) as unknown as JWK;

  it('is the first that the key can do and the server lists', async () => {
    expect(await headerOf({ client_key: await rsa() })).toMatchObject({ alg: 'RS256' });
    expect(await headerOf({ client_key: await rsa() }, lists('ES256', 'PS384', 'PS256'))).toMatchObject({
      alg: 'PS256',
    });
  });

  it("is the key's own where it names one", async () => {
    const client_key = await keyFor('PS512');
    expect(await headerOf({ client_key }, lists('RS256', 'PS512'))).toMatchObject({ alg: 'PS512' });
    await expect(build({ client_key }, lists('RS256'))).rejects.toMatchObject({
      code: 'signing_alg_unfit',
      exitCode: 2,
      hint: expect.stringContaining('RS256'),
    });
  });

  it('is the one that the person names, whatever the server lists', async () => {
    const client = { client_key: await keyFor('RS256'), token_endpoint_auth_signing_alg: 'PS384' };
    expect(await headerOf(client, lists('RS256'))).toMatchObject({ alg: 'PS384' });
  });

  it.each([
    ['RS256', 'ES256', 'signing_alg_unfit'],
    ['ES256', 'ES384', 'signing_alg_unfit'],
    ['EdDSA', 'RS256', 'signing_alg_unfit'],
    ['ES256', 'HS256', 'signing_alg_unknown'],
    ['ES256', 'none', 'signing_alg_unknown'],
  ])('of a key for %s cannot be %s: %s', async (alg, token_endpoint_auth_signing_alg, code) => {
    const client = { client_key: await keyFor(alg), token_endpoint_auth_signing_alg };
    await expect(build(client)).rejects.toMatchObject({ code, exitCode: 2, hint: expect.any(String) });
  });

  it('of a secret is the first HS that the server lists, or HS256', async () => {
    const client = { token_endpoint_auth_method: 'client_secret_jwt', client_secret: SECRET } as const;
    expect(await headerOf(client, lists('RS256', 'HS512'))).toEqual({ alg: 'HS512' });
    expect(await headerOf(client, lists('RS256'))).toEqual({ alg: 'HS256' });
    await expect(build({ ...client, token_endpoint_auth_signing_alg: 'RS256' })).rejects.toMatchObject({
      code: 'signing_alg_unfit',
    });
  });

  it('asks too much of an RSA key that is too short', async () => {
    const { subtle } = crypto;
    const short = await subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 1024,
        publicExponent: Uint8Array.of(1, 0, 1),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify'],
    );
    const client_key = (await subtle.exportKey('jwk', short.privateKey)) as JWK;
    await expect(
      build({ client_key: { ...client_key, key_ops: undefined } as unknown as JWK }),
    ).rejects.toMatchObject({ code: 'key_unfit', exitCode: 2 });
  });
});
