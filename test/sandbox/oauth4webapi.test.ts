import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { GRANTS } from '../../src/protocol/definitions/grants/index.ts';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import { type Harness, startHarness } from './harness.ts';

const options = { [oauth.allowInsecureRequests]: true };

async function discover(harness: Harness, algorithm: 'oidc' | 'oauth2' = 'oidc') {
  const issuer = new URL(harness.sandbox.issuer);
  const response = await oauth.discoveryRequest(issuer, { ...options, algorithm });
  return oauth.processDiscoveryResponse(issuer, response);
}

async function approvedGrant(harness: Harness, authenticate: typeof oauth.ClientSecretBasic) {
  const server = await discover(harness);
  const client: oauth.Client = { client_id: harness.sandbox.clientId };
  const authentication = authenticate(harness.sandbox.clientSecret);
  const acknowledgement = await oauth.processBackchannelAuthenticationResponse(
    server,
    client,
    await oauth.backchannelAuthenticationRequest(
      server,
      client,
      authentication,
      { scope: 'openid profile', login_hint: 'cl-taro', binding_message: 'test-0001' },
      options,
    ),
  );
  await harness.callback('SUCCEED');
  const response = await oauth.backchannelAuthenticationGrantRequest(
    server,
    client,
    authentication,
    acknowledgement.auth_req_id,
    options,
  );
  const tokens = await oauth.processBackchannelAuthenticationGrantResponse(server, client, response);
  await oauth.validateApplicationLevelSignature(server, response, options);
  return { server, client, authentication, acknowledgement, tokens };
}

describe('oauth4webapi accepts', () => {
  it('the OpenID metadata, which lists what is served', async () => {
    const harness = await startHarness();
    const server = await discover(harness);
    expect(server).toMatchObject({
      issuer: harness.sandbox.issuer,
      token_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/token`,
      introspection_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/token/introspect`,
      revocation_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/revoke`,
      jwks_uri: `${harness.sandbox.issuer}/protocol/openid-connect/certs`,
      userinfo_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/userinfo`,
      backchannel_authentication_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/ext/ciba/auth`,
      backchannel_token_delivery_modes_supported: ['poll'],
      backchannel_user_code_parameter_supported: false,
      authorization_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/auth`,
      device_authorization_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/auth/device`,
      pushed_authorization_request_endpoint: `${harness.sandbox.issuer}/protocol/openid-connect/ext/par/request`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'client_secret_jwt',
        'private_key_jwt',
        'none',
      ],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    const supported = server.grant_types_supported ?? [];
    expect([...GRANTS.map(({ grantType }) => grantType), 'implicit']).toEqual(
      expect.arrayContaining(supported),
    );
    expect(supported).toEqual(
      expect.arrayContaining([
        'authorization_code',
        'client_credentials',
        'implicit',
        'password',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:openid:params:grant-type:ciba',
      ]),
    );
    expect(server).not.toHaveProperty('backchannel_authentication_request_signing_alg_values_supported');
    expect(server).not.toHaveProperty('id_token_encryption_alg_values_supported');
  });

  it('the RFC 8414 metadata, which is the same', async () => {
    const harness = await startHarness();
    expect(await discover(harness, 'oauth2')).toEqual(await discover(harness));
  });

  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ])('a whole CIBA flow with %s', async (_method, authenticate) => {
    const harness = await startHarness({ interval: 7, expiresIn: 60 });
    const { acknowledgement, tokens } = await approvedGrant(harness, authenticate);
    expect(acknowledgement).toMatchObject({ expires_in: 60, interval: 7 });
    expect(tokens).toMatchObject({
      token_type: 'bearer',
      expires_in: 300,
      refresh_expires_in: 1800,
      scope: 'openid profile',
    });
    expect(tokens.refresh_token).toBeTypeOf('string');
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(claims).toMatchObject({
      iss: harness.sandbox.issuer,
      aud: 'sandbox-client',
      azp: 'sandbox-client',
      preferred_username: 'cl-taro',
    });
    expect(claims?.auth_time).toBeTypeOf('number');
    expect(claims?.at_hash).toBeTypeOf('string');
  });

  it('a pending answer as an OAuth error', async () => {
    const harness = await startHarness();
    const server = await discover(harness);
    const client: oauth.Client = { client_id: harness.sandbox.clientId };
    const response = await oauth.backchannelAuthenticationGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(harness.sandbox.clientSecret),
      await harness.acknowledged(),
      options,
    );
    await expect(
      oauth.processBackchannelAuthenticationGrantResponse(server, client, response),
    ).rejects.toMatchObject({
      error: 'authorization_pending',
      status: 400,
    });
  });

  it('a refresh, with an ID token for the same user', async () => {
    const { server, client, authentication, tokens } = await approvedGrant(
      await startHarness(),
      oauth.ClientSecretBasic,
    );
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication,
      tokens.refresh_token as string,
      options,
    );
    const refreshed = await oauth.processRefreshTokenResponse(server, client, response);
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(refreshed.refresh_expires_in).toEqual(computeSecondsLeft(1800));
    expect(oauth.getValidatedIdTokenClaims(refreshed)?.sub).toBe(
      oauth.getValidatedIdTokenClaims(tokens)?.sub,
    );
  });

  it('introspection, revocation and userinfo of the tokens', async () => {
    const { server, client, authentication, tokens } = await approvedGrant(
      await startHarness(),
      oauth.ClientSecretBasic,
    );
    const introspect = async (token: string) =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(server, client, authentication, token, options),
      );
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(await introspect(tokens.access_token)).toMatchObject({
      active: true,
      aud: 'sandbox-client',
      client_id: 'sandbox-client',
      username: 'cl-taro',
      sub: claims?.sub,
      scope: 'openid profile',
      token_type: 'Bearer',
    });
    expect(await introspect(tokens.refresh_token as string)).toMatchObject({ active: true });

    const userInfo = await oauth.userInfoRequest(server, client, tokens.access_token, options);
    expect(await oauth.processUserInfoResponse(server, client, claims?.sub ?? '', userInfo)).toMatchObject({
      preferred_username: 'cl-taro',
    });

    const revocation = await oauth.revocationRequest(
      server,
      client,
      authentication,
      tokens.refresh_token as string,
      options,
    );
    await oauth.processRevocationResponse(revocation);
    expect(await introspect(tokens.refresh_token as string)).toEqual({ active: false });
    expect(await introspect(tokens.access_token)).toEqual({ active: false });
  });

  it('client credentials, with an access token in the profile of RFC 9068', async () => {
    const harness = await startHarness();
    const server = await discover(harness);
    const client: oauth.Client = { client_id: harness.sandbox.clientId };
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretPost(harness.sandbox.clientSecret),
      { scope: 'profile' },
      options,
    );
    const tokens = await oauth.processClientCredentialsResponse(server, client, response);
    expect(tokens.refresh_token).toBeUndefined();
    const request = new Request('http://127.0.0.1/resource', {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    const claims = await oauth.validateJwtAccessToken(server, request, 'sandbox-client', options);
    expect(claims).toMatchObject({ sub: 'sandbox-client', client_id: 'sandbox-client', scope: 'profile' });
  });
});
