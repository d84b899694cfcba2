import { randomBytes } from 'node:crypto';
import { expect, type TestContext, test } from 'vitest';
import type { SampleClient } from '../lab/sample-realm.ts';
import type { Cli } from './cli.ts';
import { onKeycloakTls } from './keycloak-tls.ts';
import { claimsOf, PASSWORD_GRANT } from './tokens.ts';

const TYPE = 'urn:ietf:params:oauth:token-type';
const EXCHANGE = ['token', 'exchange', '--no-keep'];

onKeycloakTls({}, (stage) => {
  /** May exchange and impersonate. */
  let permitted: SampleClient;
  /** May not. */
  let unpermitted: SampleClient;

  stage.prepare(async () => {
    const { admin, realm } = stage.sample;
    const create = async (clientId: string) => {
      const secret = randomBytes(24).toString('base64url');
      const id = await admin.createClient(realm, {
        ...{ clientId, secret, publicClient: false, directAccessGrantsEnabled: true },
        serviceAccountsEnabled: true,
      });
      return { id, clientId, secret };
    };
    [permitted, unpermitted] = [await create('permitted'), await create('unpermitted')];
    const target = await create('target');
    await admin.createUser(realm, {
      ...{ username: 'cl-hanako', email: 'cl-hanako@example.org', firstName: 'Hanako', lastName: 'Sample' },
    });
    await permit(`/clients/${target.id}/management/permissions`, 'token-exchange');
    await permit('/users-management-permissions', 'impersonate');
  });

  /** Makes the admin API's fine-grained permission, and lets the permitted client have it. */
  async function permit(below: string, permission: string): Promise<void> {
    const { admin, realm } = stage.sample;
    const get = async (path: string) => (await admin.request('GET', `/${realm}${path}`)).json();
    const enabled = await admin.request('PUT', `/${realm}${below}`, { enabled: true });
    const { scopePermissions } = (await enabled.json()) as { scopePermissions: Record<string, string> };
    const [management] = (await get('/clients?clientId=realm-management')) as [{ id: string }];
    const authorization = `/clients/${management.id}/authz/resource-server`;
    const name = `permitted for ${scopePermissions[permission]}`;
    await admin.request('POST', `/${realm}${authorization}/policy/client`, { name, clients: [permitted.id] });
    const [policy] = (await get(`${authorization}/policy?name=${encodeURIComponent(name)}`)) as [
      { id: string },
    ];
    const path = `${authorization}/permission/scope/${scopePermissions[permission]}`;
    const present = (await get(path)) as object;
    await admin.request('PUT', `/${realm}${path}`, { ...present, policies: [policy.id] });
  }

  /** Opens a shell in which the user has signed in. */
  async function open(context: TestContext, client: SampleClient): Promise<Cli> {
    const cli = await stage.cli(context, { client });
    await cli.json(...PASSWORD_GRANT, ...['--scope', 'openid']);
    return cli;
  }

  test('a token is exchanged for one of another client, as a permission allows', async (context) => {
    const cli = await open(context, permitted);
    const tokens = await cli.json(...EXCHANGE, '--audience', 'target');
    // The type is that of the refresh token which came as well; the ID token is the target's.
    expect(tokens).toMatchObject({ token_type: 'Bearer', issued_token_type: `${TYPE}:refresh_token` });
    expect([claimsOf(tokens.access_token).aud].flat()).toContain('target');
    expect(claimsOf(tokens.id_token)).toMatchObject({ aud: 'target' });

    const other = await open(context, unpermitted);
    const error = await other.fails(3, ...EXCHANGE, '--audience', 'target');
    expect(error).toMatchObject({
      code: 'access_denied',
      hint: expect.stringContaining('"token-exchange" of the target client'),
    });
  });

  test('a user is impersonated by requested_subject, as a permission allows', async (context) => {
    const cli = await open(context, permitted);
    const impersonate = (user: string) => [...EXCHANGE, '--param', `requested_subject=${user}`];
    const tokens = await cli.json(...impersonate('cl-hanako'));
    expect(claimsOf(tokens.access_token)).toMatchObject({
      azp: 'permitted',
      preferred_username: 'cl-hanako',
    });
    const withoutSubject = ['--omit', 'subject_token', '--omit', 'subject_token_type'];
    const naked = await cli.json(...impersonate('cl-hanako'), ...withoutSubject);
    expect(claimsOf(naked.access_token)).toMatchObject({ preferred_username: 'cl-hanako' });

    const other = await open(context, unpermitted);
    for (const [shell, user] of [
      [cli, 'nobody'],
      [other, 'cl-hanako'],
    ] as const) {
      const error = await shell.fails(3, ...impersonate(user));
      expect(error).toMatchObject({ code: 'access_denied', hint: expect.stringContaining('"impersonate"') });
    }
  });

  test('only access tokens are exchanged, for access and refresh tokens', async (context) => {
    const cli = await open(context, permitted);
    for (const type of ['access_token', 'refresh_token']) {
      const tokens = await cli.json(...EXCHANGE, '--requested-token-type', type);
      expect(tokens.issued_token_type).toBe(`${TYPE}:${type}`);
    }
    for (const type of ['id_token', 'jwt', 'saml1']) {
      const error = await cli.fails(3, ...EXCHANGE, '--requested-token-type', type);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('this type') });
    }
    const saml = await cli.fails(3, ...EXCHANGE, '--requested-token-type', 'saml2');
    expect(saml).toMatchObject({ code: 'invalid_client', hint: expect.stringContaining('SAML client') });
    for (const type of ['refresh_token', 'id_token', 'jwt', 'saml1', 'saml2']) {
      const error = await cli.fails(3, ...EXCHANGE, '--subject-token-type', type);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('this type') });
    }
  });

  test('an actor token is ignored, and that is told', async (context) => {
    const cli = await open(context, permitted);
    const run = await cli.run(...EXCHANGE, '--actor-token', '@last.access_token');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('the server ignored the actor token');
  });

  test('issuers that the realm does not know are refused', async (context) => {
    const cli = await open(context, permitted);
    const requested = await cli.fails(3, ...EXCHANGE, '--param', 'requested_issuer=nowhere');
    expect(requested.hint).toContain('requested_issuer');
    const subject = await cli.fails(3, ...EXCHANGE, '--param', 'subject_issuer=nowhere');
    expect(subject).toMatchObject({
      code: 'invalid_issuer',
      hint: expect.stringContaining('subject_issuer'),
    });
  });

  test("another realm's token is exchanged by subject_issuer, and back by requested_issuer", async (context) => {
    const { admin, realm } = stage.sample;
    const foreign = await foreignRealm(context);
    const cli = await open(context, permitted);
    const subject = ['--subject-token', await foreign.token(), '--param', 'subject_issuer=foreign'];
    const denied = await cli.fails(3, ...EXCHANGE, ...subject);
    expect(denied.hint).toContain('or identity provider');
    await permit('/identity-provider/instances/foreign/management/permissions', 'token-exchange');

    const tokens = await cli.json(...EXCHANGE, ...subject);
    expect(claimsOf(tokens.access_token)).toMatchObject({
      iss: stage.sample.issuer,
      preferred_username: 'stranger',
    });
    const own = ['--subject-token', String(tokens.access_token)];
    const back = await cli.run(...EXCHANGE, ...own, '--param', 'requested_issuer=foreign', '--json');
    expect(back.exitCode).toBe(0);
    const returned = JSON.parse(back.stdout);
    expect(claimsOf(returned.access_token)).toMatchObject({ iss: foreign.issuer });
    expect(returned).not.toHaveProperty('token_type');
    expect(back.stderr).toContain('the response lacks token_type');

    const notLinked = await cli.fails(3, ...EXCHANGE, '--param', 'requested_issuer=foreign');
    expect(notLinked).toMatchObject({
      code: 'refused',
      oauth: { error: 'not_linked' },
      hint: expect.stringContaining('account-link-url'),
    });
    const forged = ['--subject-token', `${await foreign.token()}x`, '--param', 'subject_issuer=foreign'];
    const error = await cli.fails(3, ...EXCHANGE, ...forged);
    expect(error).toMatchObject({
      code: 'invalid_token',
      hint: expect.stringContaining('does not confirm'),
    });
    await admin.request('DELETE', `/${realm}/identity-provider/instances/foreign`);
  });

  /** Makes another realm on the same server, which is the identity provider `foreign` of the first. */
  async function foreignRealm({ onTestFinished }: TestContext) {
    const { admin, realm } = stage.sample;
    const name = `Foreign-${randomBytes(4).toString('hex')}`;
    await admin.createRealm(name);
    onTestFinished(() => admin.deleteRealm(name));
    const [secret, password] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
    const client = { clientId: 'go-between', secret, publicClient: false, directAccessGrantsEnabled: true };
    await admin.createClient(name, client);
    const user = {
      username: 'stranger',
      email: 'stranger@example.org',
      firstName: 'A',
      lastName: 'Stranger',
    };
    await admin.createUser(name, { ...user, password });
    const issuer = `${stage.server.baseUrl}/realms/${name}`;
    const endpoint = (path: string) => `${issuer}/protocol/openid-connect/${path}`;
    await admin.request('POST', `/${realm}/identity-provider/instances`, {
      alias: 'foreign',
      providerId: 'oidc',
      enabled: true,
      storeToken: true,
      config: {
        ...{ issuer, clientId: 'go-between', clientSecret: secret, validateSignature: 'true' },
        ...{ tokenUrl: endpoint('token'), authorizationUrl: endpoint('auth') },
        ...{ userInfoUrl: endpoint('userinfo'), jwksUrl: endpoint('certs'), useJwksUrl: 'true' },
      },
    });
    const token = async () => {
      const response = await fetch(endpoint('token'), {
        method: 'POST',
        body: new URLSearchParams({
          ...{ grant_type: 'password', client_id: 'go-between', client_secret: secret },
          ...{ username: 'stranger', password, scope: 'openid' },
        }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    };
    return { issuer, token };
  }
});
