import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { DEVICE_GRANT } from '../../../src/protocol/definitions/grants/device.ts';
import { EXCHANGE_GRANT, TOKEN_TYPES } from '../../../src/protocol/definitions/grants/exchange.ts';
import { JWT_BEARER_GRANT } from '../../../src/protocol/definitions/grants/jwt-bearer.ts';
import {
  buildDeviceAuthorizationRequest,
  parseDeviceAuthorization,
} from '../../../src/protocol/oauth/device-authorization.ts';
import { encodeForm, type FormParameters } from '../../../src/protocol/oauth/form.ts';
import { buildTokenRequest } from '../../../src/protocol/oauth/token.ts';
import { buildTokenExchange } from '../../../src/protocol/oauth/token-exchange.ts';
import { DEVICE_AUTHORIZATION } from '../../helpers/misbehaving-server.ts';
import { capture, sorted } from '../capture.ts';

const server: oauth.AuthorizationServer = {
  issuer: 'https://as.example',
  token_endpoint: 'https://as.example/token',
  device_authorization_endpoint: 'https://as.example/device',
};
const client: oauth.Client = { client_id: 'a' };
const ODD = 'with space+plus%25&=é';

/** As the parameters of a public client leave. */
const sent = (parameters: FormParameters) =>
  sorted(new URLSearchParams(encodeForm([...parameters, ['client_id', 'a']])));

describe('what is built equals what oauth4webapi builds', () => {
  it.each([undefined, 'openid', `openid ${ODD}`])(
    'for a device authorization request with the scope %j',
    async (scope) => {
      const { options, request } = capture();
      const parameters = new URLSearchParams(scope === undefined ? {} : { scope });
      await oauth.deviceAuthorizationRequest(server, client, oauth.None(), parameters, options);
      expect(request().url).toBe(server.device_authorization_endpoint);
      expect(sent(buildDeviceAuthorizationRequest({ scope }))).toEqual(request().parameters);
    },
  );

  it.each(['simple', ODD])('for a device access token request with the device code %j', async (code) => {
    const { options, request } = capture();
    await oauth.deviceCodeGrantRequest(server, client, oauth.None(), code, options);
    expect(sent(buildTokenRequest(DEVICE_GRANT.grantType, { device_code: code }))).toEqual(
      request().parameters,
    );
  });

  it('for a token exchange with every parameter', async () => {
    const { options, request } = capture();
    const parameters = [
      ['subject_token', ODD],
      ['subject_token_type', TOKEN_TYPES.jwt],
      ['actor_token', 'the-actor'],
      ['actor_token_type', TOKEN_TYPES.saml2],
      ['requested_token_type', TOKEN_TYPES.refresh_token],
      ['audience', 'b'],
      ['audience', 'c'],
      ['resource', 'https://r.example/?q=1'],
      ['scope', 'x y'],
    ];
    const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
    await oauth.genericTokenEndpointRequest(server, client, oauth.None(), grantType, parameters, options);
    const values = buildTokenExchange({
      subject_token: ODD,
      subject_token_type: TOKEN_TYPES.jwt,
      actor_token: 'the-actor',
      actor_token_type: TOKEN_TYPES.saml2,
      requested_token_type: TOKEN_TYPES.refresh_token,
      audience: ['b', 'c'],
      resource: ['https://r.example/?q=1'],
      scope: 'x y',
    });
    expect(sent(buildTokenRequest(EXCHANGE_GRANT.grantType, values))).toEqual(request().parameters);
  });

  it('for a JWT authorization grant', async () => {
    const { options, request } = capture();
    const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const parameters = { assertion: 'eyJ.a.b', scope: 'x' };
    await oauth.genericTokenEndpointRequest(server, client, oauth.None(), grantType, parameters, options);
    expect(sent(buildTokenRequest(JWT_BEARER_GRANT.grantType, parameters))).toEqual(request().parameters);
  });
});

describe('a device authorization response', () => {
  it.each([{}, { interval: 9 }])('is read as oauth4webapi reads it, with %j', async (more) => {
    const json = { ...DEVICE_AUTHORIZATION.json, ...more };
    const read = await oauth.processDeviceAuthorizationResponse(
      server,
      client,
      new Response(JSON.stringify(json), { headers: { 'content-type': 'application/json' } }),
    );
    expect(parseDeviceAuthorization(json)).toMatchObject({ ...read });
  });

  it.each(['device_code', 'user_code', 'verification_uri', 'expires_in'])(
    'without %s is taken by neither',
    async (name) => {
      const json = { ...DEVICE_AUTHORIZATION.json, [name]: undefined };
      const response = new Response(JSON.stringify(json), {
        headers: { 'content-type': 'application/json' },
      });
      await expect(oauth.processDeviceAuthorizationResponse(server, client, response)).rejects.toThrow();
      expect(() => parseDeviceAuthorization(json)).toThrow();
    },
  );
});
