import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import type { KeycloakServer } from './keycloak.ts';
import { server } from './provided.ts';
import { createSampleRealm, type SampleRealm } from './sample-realm.ts';

describe.each(['keycloak26', 'keycloak14'] as const)('%s', (name) => {
  const provided = inject(name);
  let sample: SampleRealm;
  let metadata: Record<string, string>;

  beforeAll(async () => {
    if ('skipped' in provided) return;
    sample = await createSampleRealm(provided);
    const response = await fetch(`${sample.issuer}/.well-known/openid-configuration`);
    metadata = (await response.json()) as Record<string, string>;
  });

  beforeEach((context) => {
    if ('skipped' in provided) context.skip(provided.skipped);
  });

  afterAll(() => sample?.remove());

  /** Sends a form with client_secret_basic. */
  async function post(
    endpoint: string | undefined,
    form: Record<string, string>,
    { clientId, secret } = sample.client,
  ) {
    const response = await fetch(endpoint ?? '', {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  const requestAuthentication = (client = sample.client) =>
    post(
      metadata.backchannel_authentication_endpoint,
      {
        scope: client === sample.client ? 'openid example-scope' : 'openid',
        login_hint: sample.user.username,
        binding_message: 'test-0001',
      },
      client,
    );

  const signIn = () => {
    const { username, password } = sample.user;
    return post(metadata.token_endpoint, { grant_type: 'password', username, password });
  };

  test('the laboratory gives the same server when it is asked by name', async (context) => {
    expect(await server(context, name)).toEqual(provided);
  });

  test('the metadata of the realm names its issuer and the CIBA endpoint', () => {
    expect(metadata.issuer).toBe(sample.issuer);
    expect(metadata.backchannel_authentication_endpoint).toMatch(/\/ext\/ciba\/auth$/);
  });

  test('the user may sign in with the password grant, so the account is fully set up', async () => {
    expect(await signIn()).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
  });

  test('changed attributes of the realm leave its other attributes alone', async () => {
    await sample.admin.updateRealm(sample.realm, { attributes: { cibaExpiresIn: '300' } });
    const realm = await (await sample.admin.request('GET', `/${sample.realm}`)).json();
    expect(realm).toMatchObject({ attributes: { cibaExpiresIn: '300', cibaInterval: '5' } });
    await sample.admin.updateRealm(sample.realm, { attributes: { cibaExpiresIn: '600' } });
  });

  test('an audience mapper puts the other client into the access token', async () => {
    const { admin, realm, client, plainClient } = sample;
    await admin.addAudienceMapper(realm, client.id, plainClient.clientId);
    const { body } = await signIn();
    const claims = JSON.parse(
      Buffer.from(String(body.access_token).split('.')[1] ?? '', 'base64url').toString(),
    );
    expect([claims.aud].flat()).toContain(plainClient.clientId);
  });

  test('changed settings of a client leave its other settings alone', async () => {
    const { admin, realm, client } = sample;
    await admin.updateClient(realm, client.id, { attributes: { 'access.token.lifespan': '77' } });
    const { expires_in } = (await signIn()).body;
    expect(expires_in).toEqual(computeSecondsLeft(77));
    const representation = await (await admin.request('GET', `/${realm}/clients/${client.id}`)).json();
    expect(representation).toMatchObject({ attributes: { 'oidc.ciba.grant.enabled': 'true' } });
  });

  test('logging the user out ends the session of a refresh token', async () => {
    const { body } = await signIn();
    await sample.admin.logoutUser(sample.realm, sample.user.id);
    const refreshed = await post(metadata.token_endpoint, {
      grant_type: 'refresh_token',
      refresh_token: String(body.refresh_token),
    });
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('a required action keeps the user from signing in until it is taken back', async () => {
    const { admin, realm, user } = sample;
    await admin.updateUser(realm, user.id, { requiredActions: ['UPDATE_PASSWORD'] });
    expect(await signIn()).toMatchObject({ body: { error_description: 'Account is not fully set up' } });
    await admin.updateUser(realm, user.id, { requiredActions: [] });
    expect(await signIn()).toMatchObject({ status: 200 });
  });

  test('a refused request of the admin API keeps its status and body', async () => {
    await expect(sample.admin.createRealm(sample.realm)).rejects.toMatchObject({
      status: 409,
      body: expect.stringContaining('errorMessage'),
    });
  });

  test('an approved authentication request ends in tokens', async () => {
    const device = await listenAsDevice(provided as KeycloakServer);
    try {
      const acknowledgement = await requestAuthentication();
      expect(acknowledgement).toMatchObject({
        status: 200,
        body: { auth_req_id: expect.any(String), expires_in: computeSecondsLeft(600), interval: 5 },
      });
      const delegation = await device.delegation;
      expect(delegation.body).toMatchObject({ login_hint: 'cl-taro', binding_message: 'test-0001' });

      const callback = await fetch(`${metadata.backchannel_authentication_endpoint}/callback`, {
        method: 'POST',
        headers: { Authorization: delegation.authorization, 'Content-Type': 'application/json' },
        body: JSON.stringify({ status: 'SUCCEED' }),
      });
      expect(callback.status).toBe(200);

      const tokens = await post(metadata.token_endpoint, {
        grant_type: 'urn:openid:params:grant-type:ciba',
        auth_req_id: String(acknowledgement.body.auth_req_id),
      });
      expect(tokens).toMatchObject({
        status: 200,
        body: { access_token: expect.any(String), id_token: expect.any(String) },
      });
      expect(tokens.body.scope).toContain('example-scope');
    } finally {
      await device.close();
    }
  });

  test('an authentication request is answered 503 while no device listens', async () => {
    expect(await requestAuthentication()).toMatchObject({ status: 503, body: { error: 'server_error' } });
  });

  test('a client without the grant may not send an authentication request', async () => {
    const answer = await requestAuthentication(sample.plainClient);
    expect(answer.status).toBe(name === 'keycloak14' ? 400 : 401);
    expect(answer.body).toMatchObject({ error: 'invalid_grant' });
  });
});

/** Listens where the server expects its authentication device, and answers 201. */
async function listenAsDevice({ deviceListen }: KeycloakServer) {
  const { hostname, port, pathname } = new URL(`http://${deviceListen}`);
  let received: (delegation: { authorization: string; body: unknown }) => void;
  const delegation = new Promise<{ authorization: string; body: unknown }>((resolve) => {
    received = resolve;
  });
  const listener = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(request.url === pathname ? 201 : 404).end();
    received({
      authorization: request.headers.authorization ?? '',
      body: JSON.parse(Buffer.concat(chunks).toString()),
    });
  });
  await new Promise<void>((resolve) => listener.listen(Number(port), hostname, resolve));
  return {
    delegation,
    close: () =>
      new Promise<void>((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}
