import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import { expect, type TestContext, test } from 'vitest';
import type { Cli } from './cli.ts';
import { onEachKeycloak, type Stage } from './keycloaks.ts';
import { publishKeyFile } from './published-keys.ts';

const KEY = 'client-key.json';

/** A client that authenticates with a signed JWT, and a shell with its private key. */
interface KeyClient {
  readonly cli: Cli;
  readonly clientId: string;
  /** Makes an assertion in a file, with other claims than the program would. @returns the reference to it */
  assertion(claims: JWTPayload): Promise<string>;
}

async function keyClient(stage: Stage, context: TestContext, alg: string): Promise<KeyClient> {
  const { issuer } = stage.sample;
  const cli = await stage.cli(context);
  await cli.json('key', 'generate', '--alg', alg, '--out', KEY);
  const clientId = await register(stage, 'client-jwt', await publishing(stage, context, cli, KEY));
  await cli.json(
    ...['profile', 'set', 'sample', '--unset', 'client_secret'],
    ...['--client-id', clientId, '--client-key', KEY],
  );
  const jwk: JWK = JSON.parse(await readFile(join(cli.home, KEY), 'utf8'));
  cli.know(jwk.d ?? '');
  const assertion = async (claims: JWTPayload) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: clientId, sub: clientId, aud: issuer, iat: now, exp: now + 60, jti: unique() };
    const jwt = await new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg, ...(jwk.kid && { kid: jwk.kid }) })
      .sign(await importJWK(jwk, alg));
    await writeFile(join(cli.home, 'assertion.jwt'), `${jwt}\n`);
    cli.know(jwt);
    return 'file:assertion.jwt';
  };
  return { cli, clientId, assertion };
}

/** The attributes that make a file's public keys known: as they are, and to 14, which cannot, by an address. */
async function publishing(stage: Stage, context: TestContext, cli: Cli, file: string) {
  if (stage.version === 14) return { ...(await publishKeyFile(context, cli, file)).attributes };
  const jwks = JSON.stringify(await cli.json('key', 'jwks', file));
  return { 'use.jwks.string': 'true', 'jwks.string': jwks };
}

async function register(stage: Stage, type: string, attributes: Record<string, string>, secret?: string) {
  const clientId = `${type}-${unique()}`;
  await stage.sample.admin.createClient(stage.sample.realm, {
    clientId,
    clientAuthenticatorType: type,
    publicClient: false,
    standardFlowEnabled: false,
    serviceAccountsEnabled: true,
    ...(secret && { secret }),
    attributes,
  });
  return clientId;
}

const unique = () => randomBytes(6).toString('hex');
const REQUEST = ['token', 'client-credentials'] as const;

onEachKeycloak({}, (stage) => {
  const algs = stage.expected(
    ['RS256', 'PS256', 'ES256', 'ES512', 'EdDSA'],
    ['RS256', 'PS256', 'ES256', 'ES512'],
  );

  for (const alg of algs) {
    test(`private_key_jwt with ${alg} brings a token`, async (context) => {
      const { cli } = await keyClient(stage, context, alg);
      const tokens = await cli.json(...REQUEST);
      expect(tokens).toMatchObject({ token_type: 'Bearer' });
      const [exchange] = cli.exchanges('token');
      expect(exchange?.request.headers).not.toHaveProperty('authorization');
      expect(exchange?.request.body).toContain('client_assertion=eyJh…(masked)');
    });
  }

  test('private_key_jwt with a key in PEM, and the token endpoint as audience', async (context) => {
    const { cli } = await keyClient(stage, context, 'RS256');
    await cli.json('key', 'generate', '--alg', 'ES256', '--format', 'pem', '--out', 'key.pem');
    const clientId = await register(stage, 'client-jwt', await publishing(stage, context, cli, 'key.pem'));
    const flags = ['--client-id', clientId, '--client-key', 'key.pem', '--assertion-audience', 'endpoint'];
    expect(await cli.json(...REQUEST, ...flags)).toHaveProperty('access_token');
  });

  test('the CIBA flow goes by private_key_jwt, at both endpoints', async (context) => {
    const { cli, clientId } = await keyClient(stage, context, 'ES256');
    const { admin, realm } = stage.sample;
    const clients = await admin.request('GET', `/${realm}/clients?clientId=${clientId}`);
    const [client] = (await clients.json()) as { id: string }[];
    await admin.updateClient(realm, client?.id ?? '', { attributes: { 'oidc.ciba.grant.enabled': 'true' } });
    const tokens = await cli.json(
      ...['ciba', 'start', '--device', '--approve', '--login-hint', 'cl-taro', '--scope', 'openid'],
    );
    expect(tokens).toHaveProperty('id_token');
    for (const endpoint of ['backchannel_authentication', 'token'])
      expect(cli.exchanges(endpoint)[0]?.request.body).toContain('client_assertion=eyJh…(masked)');
  });

  test('--curl prints a token request that names no secret', async (context) => {
    const cli = await stage.cli(context);
    const run = await cli.run(...REQUEST, '--curl', '--auth-method', 'client_secret_post');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('client_secret="$OAUTHCTL_CLIENT_SECRET"');
    expect(run.stdout).not.toContain(stage.sample.client.secret);
    expect(cli.exchanges('token')).toEqual([]);
  });

  test.for(['HS256', 'HS384', 'HS512'])('client_secret_jwt with %s brings a token', async (alg, context) => {
    const secret = randomBytes(48).toString('base64url');
    const clientId = await register(
      stage,
      'client-secret-jwt',
      { 'token.endpoint.auth.signing.alg': alg },
      secret,
    );
    const client = { id: '', clientId, secret };
    const cli = await stage.cli(context, undefined, { client });
    const flags = ['--auth-method', 'client_secret_jwt', '--signing-alg', alg];
    expect(await cli.json(...REQUEST, ...flags)).toHaveProperty('access_token');
    const refused = await cli.fails(3, ...REQUEST, ...flags, '--client-secret', 'env:HOME');
    expect(refused.hint).toContain('another secret');
  });

  test('a ready-made assertion brings a token once', async (context) => {
    const { cli, assertion } = await keyClient(stage, context, 'ES256');
    const reference = await assertion({});
    await cli.json(...REQUEST, '--client-assertion', reference);
    const error = await cli.fails(3, ...REQUEST, '--client-assertion', reference);
    expect(error.hint).toContain('once');
  });

  test('an assertion by a wrong key is refused', async (context) => {
    const { cli } = await keyClient(stage, context, 'ES256');
    const { kid } = JSON.parse(await readFile(join(cli.home, KEY), 'utf8'));
    await cli.json('key', 'generate', '--alg', 'ES256', '--kid', kid, '--out', 'other.json');
    const error = await cli.fails(3, ...REQUEST, '--client-key', 'other.json');
    expect(error.hint).toContain('signature');
  });

  test('an assertion with a kid that is not registered is refused', async (context) => {
    const { cli } = await keyClient(stage, context, 'ES256');
    const error = await cli.fails(3, ...REQUEST, '--kid', 'no-such-key');
    expect(error.hint).toContain('oauthctl key jwks');
  });

  test('an expired assertion is refused', async (context) => {
    const { cli, assertion } = await keyClient(stage, context, 'ES256');
    const now = Math.floor(Date.now() / 1000);
    const reference = await assertion({ iat: now - 600, exp: now - 300 });
    const error = await cli.fails(3, ...REQUEST, '--client-assertion', reference);
    expect(error.hint).toContain('expired');
  });

  test('an assertion for another audience is refused', async (context) => {
    const { cli, assertion } = await keyClient(stage, context, 'ES256');
    const reference = await assertion({ aud: 'https://other.example' });
    const error = await cli.fails(3, ...REQUEST, '--client-assertion', reference);
    expect(error.hint).toContain('aud');
    expect(await cli.fails(3, ...REQUEST, '--assertion-audience', 'https://other.example')).toEqual(error);
  });

  test('a secret where a signed JWT is registered is refused', async (context) => {
    const { cli } = await keyClient(stage, context, 'ES256');
    const flags = ['--auth-method', 'client_secret_post', '--client-secret', 'env:HOME'];
    const error = await cli.fails(3, ...REQUEST, ...flags);
    expect(error.hint).toContain('signed JWT');
  });

  test('an assertion without its type is refused, and --omit provokes it', async (context) => {
    const { cli } = await keyClient(stage, context, 'ES256');
    const error = await cli.fails(3, ...REQUEST, '--omit', 'client_assertion_type');
    expect(error.oauth?.error_description).toContain('client_assertion_type');
  });
});
