import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type TestContext, test } from 'vitest';
import { makeAuthority } from '../helpers/certificates.ts';
import type { SampleClient } from '../lab/sample-realm.ts';
import type { Cli } from './cli.ts';
import { install, onKeycloakTls } from './keycloak-tls.ts';
import { claimsOf, PASSWORD_GRANT } from './tokens.ts';

const CLIENT_CREDENTIALS = ['token', 'client-credentials'];
const TLS_CLIENT_AUTH = ['--auth-method', 'tls_client_auth'];
const BOUND = { 'tls.client.certificate.bound.access.tokens': 'true' };

onKeycloakTls({ interval: 1 }, (stage) => {
  /** Authenticates with a certificate of `CN=certified`; its tokens are bound to the certificate. */
  let certified: SampleClient;
  /** Authenticates with a secret; its tokens are bound to the certificate that it shows. */
  let bound: SampleClient;

  stage.prepare(async () => {
    const { admin, realm } = stage.sample;
    const create = async (clientId: string, secret: string, settings: object) => {
      const client = { clientId, secret, publicClient: false, serviceAccountsEnabled: true };
      const id = await admin.createClient(realm, { ...client, directAccessGrantsEnabled: true, ...settings });
      return { id, clientId, secret };
    };
    certified = await create('certified', 'not-used-by-it', {
      clientAuthenticatorType: 'client-x509',
      attributes: { ...BOUND, 'x509.subjectdn': 'CN=certified', 'oidc.ciba.grant.enabled': 'true' },
    });
    bound = await create('bound', 'secret-of-the-bound-client', { attributes: BOUND });
  });

  const open = (context: TestContext, client: SampleClient): Promise<Cli> => stage.cli(context, { client });

  test('tls_client_auth brings tokens by every grant, all bound to the certificate', async (context) => {
    const cli = await open(context, certified);
    const { flags, thumbprint } = await stage.certificate(cli, 'certified');
    for (const grant of [CLIENT_CREDENTIALS, PASSWORD_GRANT, ['token', 'refresh']]) {
      const tokens = await cli.json(...grant, ...TLS_CLIENT_AUTH, ...flags);
      expect(claimsOf(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': thumbprint } });
    }
    expect(cli.exchanges('token')).toHaveLength(3);
    for (const { request } of cli.exchanges('token')) {
      expect(request.headers).not.toHaveProperty('authorization');
      expect(request.body).toMatch(/client_id=certified$/);
    }
  });

  test('certificate and authority may stand in the profile', async (context) => {
    const cli = await open(context, certified);
    const { flags } = await stage.certificate(cli, 'certified');
    await cli.json('profile', 'set', 'sample', '--auth-method', 'tls_client_auth', ...flags);
    expect(await cli.json(...CLIENT_CREDENTIALS)).toHaveProperty('access_token');
  });

  test('the CIBA flow goes over mutual TLS', async (context) => {
    const cli = await open(context, certified);
    const { flags, thumbprint } = await stage.certificate(cli, 'certified');
    const tokens = await cli.json(
      ...['ciba', 'start', '--device', '--approve', '--login-hint', 'cl-taro', '--scope', 'openid'],
      ...[...TLS_CLIENT_AUTH, ...flags],
    );
    expect(claimsOf(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': thumbprint } });
  });

  test('a self-signed certificate is good where the server trusts it', async (context) => {
    const cli = await open(context, certified);
    const { admin, realm } = stage.sample;
    await admin.createClient(realm, {
      clientId: 'self-signed',
      clientAuthenticatorType: 'client-x509',
      publicClient: false,
      serviceAccountsEnabled: true,
      attributes: { 'x509.subjectdn': 'CN=self-signed' },
    });
    // Keycloak calls it tls_client_auth; what is sent is the same.
    const metadata = await cli.json('discover');
    expect(metadata.token_endpoint_auth_methods_supported).not.toContain('self_signed_tls_client_auth');
    const { flags } = await install(cli, 'self-signed', stage.server.selfSigned);
    const client = ['--client-id', 'self-signed', '--auth-method', 'self_signed_tls_client_auth'];
    expect(await cli.json(...CLIENT_CREDENTIALS, ...client, ...flags)).toHaveProperty('access_token');
  });

  test('with a client certificate every request goes to the aliases, whatever the authentication', async (context) => {
    const cli = await open(context, bound);
    const { flags, thumbprint } = await stage.certificate(cli, 'anybody');
    const { issuer } = stage.sample;
    const front = await listenAsFront(context, await cli.json('discover'));
    const server = ['--issuer', front, '--accept-issuer', issuer, '--ca-cert', 'ca.pem'];
    const client = ['--client-id', bound.clientId, '--client-secret', 'env:SAMPLE_CLIENT_SECRET'];
    const tokens = await cli.json(...PASSWORD_GRANT, ...server, ...client, ...flags);
    expect(claimsOf(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': thumbprint } });
    await cli.json('token', 'refresh', String(tokens.refresh_token), ...server, ...client, ...flags);
    expect(cli.exchanges('token')).toHaveLength(2);
    for (const { request } of cli.exchanges('token')) expect(request.url).toMatch(`${issuer}/`);
    // Without a certificate there is no reason to go there, and nothing else is at the other address.
    const error = await cli.fails(5, ...PASSWORD_GRANT, ...server, ...client);
    expect(error.code).toBe('not_the_protocol');
  });

  test('a resource takes a bound token over its own connection only', async (context) => {
    const cli = await open(context, bound);
    const [own, other] = [await stage.certificate(cli, 'own'), await stage.certificate(cli, 'other')];
    await cli.json(...PASSWORD_GRANT, '--scope', 'openid', ...own.flags);
    const url = `${stage.sample.issuer}/protocol/openid-connect/userinfo`;
    expect(await cli.json('call', url, ...own.flags)).toMatchObject({ preferred_username: 'cl-taro' });
    for (const flags of [other.flags, []]) {
      const error = await cli.fails(3, 'call', url, ...flags);
      expect(error).toMatchObject({ code: 'invalid_token', hint: expect.stringContaining('certificate') });
    }
  });

  test('a bound token is reused with its certificate, and with no other', async (context) => {
    const cli = await open(context, bound);
    const [own, other] = [await stage.certificate(cli, 'own'), await stage.certificate(cli, 'other')];
    const { access_token } = await cli.json(...PASSWORD_GRANT, ...own.flags);
    const reuse = (flags: readonly string[]) => cli.json(...PASSWORD_GRANT, '--reuse', ...flags);
    expect(await reuse(own.flags)).toMatchObject({ access_token });
    expect(cli.exchanges('token')).toHaveLength(1);
    expect((await reuse(other.flags)).access_token).not.toBe(access_token);
    expect(cli.exchanges('token')).toHaveLength(2);
  });

  test('a bound refresh token is refused with another certificate, and with none', async (context) => {
    const cli = await open(context, bound);
    const [own, other] = [await stage.certificate(cli, 'own'), await stage.certificate(cli, 'other')];
    const tokens = await cli.json(...PASSWORD_GRANT, ...own.flags);
    expect(claimsOf(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': own.thumbprint } });
    for (const flags of [other.flags, []]) {
      const error = await cli.fails(3, 'token', 'refresh', ...flags);
      expect(error).toMatchObject({
        code: 'unauthorized_client',
        hint: expect.stringContaining('bound to another client certificate'),
      });
    }
    const refreshed = await cli.json('token', 'refresh', ...own.flags);
    expect(claimsOf(refreshed.access_token)).toMatchObject({ cnf: { 'x5t#S256': own.thumbprint } });
  });

  test('a bound token is exchanged by the client that it was issued to, and by no other', async (context) => {
    const cli = await open(context, bound);
    const { flags, thumbprint } = await stage.certificate(cli, 'certified');
    const { admin, realm } = stage.sample;
    await admin.addAudienceMapper(realm, bound.id, certified.clientId);
    for (const { id } of [bound, certified])
      await admin.updateClient(realm, id, { attributes: { 'standard.token.exchange.enabled': 'true' } });
    await cli.json(...PASSWORD_GRANT, ...flags);
    const exchange = ['token', 'exchange', '--no-keep', ...flags];
    const exchanged = await cli.json(...exchange);
    expect(claimsOf(exchanged.access_token)).toMatchObject({ cnf: { 'x5t#S256': thumbprint } });
    const other = ['--client-id', certified.clientId, ...TLS_CLIENT_AUTH];
    const error = await cli.fails(3, ...exchange, ...other);
    expect(error).toMatchObject({
      code: 'invalid_request',
      hint: expect.stringContaining('only that client'),
    });
  });

  test('a client of bound tokens without a certificate is refused', async (context) => {
    const cli = await open(context, bound);
    for (const grant of [CLIENT_CREDENTIALS, PASSWORD_GRANT]) {
      const error = await cli.fails(3, ...grant);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('--cert FILE') });
    }
  });

  test('a certificate for another subject, or none at all, does not authenticate', async (context) => {
    const cli = await open(context, certified);
    const { flags } = await stage.certificate(cli, 'somebody-else');
    for (const args of [
      [...TLS_CLIENT_AUTH, ...flags],
      ['--auth-method', 'none'],
    ]) {
      const error = await cli.fails(3, ...CLIENT_CREDENTIALS, ...args);
      expect(error).toMatchObject({ code: 'invalid_client', hint: expect.stringContaining('subject') });
    }
    const missing = await cli.fails(2, ...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH);
    expect(missing.code).toBe('client_certificate_missing');
  });

  test.for([
    ['expired', { from: -7_200, until: -3_600 }, 'expired on'],
    ['not-yet-valid', { from: 3_600 }, 'is not valid before'],
    ['of-an-unknown-authority', { authority: makeAuthority('Nobody') }, 'trust CN=Nobody'],
  ] as const)('a certificate that is %s is refused by TLS', async ([name, options, hint], context) => {
    const cli = await open(context, certified);
    const { flags } = await stage.certificate(cli, name, options);
    const error = await cli.fails(5, ...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH, ...flags);
    expect(error).toMatchObject({
      code: 'client_certificate_refused',
      hint: expect.stringContaining(hint),
    });
    expect(error.hint).toContain(`CN=${name}`);
  });

  test('the certificate of the server is checked, unless told otherwise', async (context) => {
    const cli = await open(context, certified);
    const { flags } = await stage.certificate(cli, 'certified');
    await cli.json('profile', 'set', 'sample', '--unset', 'ca_cert');
    const error = await cli.fails(5, ...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH, ...flags);
    expect(error).toMatchObject({ code: 'tls', hint: expect.stringContaining('--ca-cert FILE') });
    expect(await cli.json(...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH, ...flags, '--insecure')).toHaveProperty(
      'access_token',
    );
  });

  test('a certificate and a key that do not belong together are a mistake of usage', async (context) => {
    const cli = await open(context, certified);
    await stage.certificate(cli, 'certified');
    await stage.certificate(cli, 'other');
    const pair = ['--cert', 'certified.crt', '--key', 'other.key'];
    const error = await cli.fails(2, ...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH, ...pair);
    expect(error).toMatchObject({ code: 'certificate_unusable', hint: expect.stringContaining('--key') });
    const half = await cli.fails(2, ...CLIENT_CREDENTIALS, ...TLS_CLIENT_AUTH, '--cert', 'certified.crt');
    expect(half).toMatchObject({ code: 'certificate_unusable', hint: expect.stringContaining('both') });
    expect(cli.exchanges('token')).toEqual([]);
  });
});

/** Serves metadata in which the server's own endpoints are only the aliases. @returns the address of its realm */
async function listenAsFront(
  { onTestFinished }: TestContext,
  metadata: Record<string, unknown>,
): Promise<string> {
  const listener = createServer((request, response) => {
    if (!request.url?.includes('/.well-known/')) return response.writeHead(404).end();
    const { port } = listener.address() as AddressInfo;
    const endpoints = Object.keys(metadata).filter((name) => name.endsWith('_endpoint'));
    const moved = Object.fromEntries(endpoints.map((name) => [name, `http://127.0.0.1:${port}/${name}`]));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...metadata, ...moved }));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    listener.close();
    listener.closeAllConnections();
  });
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}/realm`;
}
