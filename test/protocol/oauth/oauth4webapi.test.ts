import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { describe, expect, it } from 'vitest';
import { type AuthenticationRequest, buildAuthenticationRequest } from '../../../src/protocol/ciba/ciba.ts';
import { CIBA_GRANT } from '../../../src/protocol/definitions/grants/ciba.ts';
import {
  buildClientAuthentication,
  type ClientAuthMethod,
  type RegisteredClient,
} from '../../../src/protocol/oauth/client-authentication.ts';
import { encodeForm, type FormParameters } from '../../../src/protocol/oauth/form.ts';
import { listMetadataUrls } from '../../../src/protocol/oauth/metadata.ts';
import { buildTokenRequest } from '../../../src/protocol/oauth/token.ts';
import { capture, readCredentials, sorted } from '../capture.ts';

const server: oauth.AuthorizationServer = {
  issuer: 'https://as.example',
  token_endpoint: 'https://as.example/token',
  backchannel_authentication_endpoint: 'https://as.example/ciba',
};

/** What is sent is the same each time; assertions, which never are, have tests of their own. */
type FixedMethod = Exclude<ClientAuthMethod, 'client_secret_jwt' | 'private_key_jwt'>;

const AUTHENTICATIONS: Record<FixedMethod, (secret: string) => oauth.ClientAuth> = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  tls_client_auth: oauth.TlsClientAuth,
  self_signed_tls_client_auth: oauth.TlsClientAuth,
  none: oauth.None,
};

const METHODS = Object.keys(AUTHENTICATIONS) as FixedMethod[];

const CIRCUMSTANCES = {
  metadata: { issuer: 'https://as.example' },
  now: 0,
  random: (bytes: number) => new Uint8Array(bytes),
};

const CREDENTIALS = [
  ['test-client', 'plain-secret_0.9'],
  ['with:colon', 'se:cr:et'],
  ['with space', 'a secret with spaces'],
  ['100%', '%41 is not A'],
  ['é-client', 'pässwörd 漢字 𝄞'],
  ['a+b', 'c+d=e&f'],
  ['https://client.example/id?a=b#c', '!\'()*~"\\'],
  ['tab\tline\nnul\0', '\u007f'],
] as const;

/** What our builders make of a request, in the form of what was captured. */
async function ours(url: string, client: RegisteredClient, parameters: FormParameters) {
  const { headers, parameters: identification } = await buildClientAuthentication(client, CIRCUMSTANCES);
  const body = encodeForm([...parameters, ...identification]);
  return {
    method: 'POST',
    url,
    authorization: headers.authorization,
    contentType: 'application/x-www-form-urlencoded',
    parameters: sorted(new URLSearchParams(body)),
  };
}

const withoutAuthorization = ({ authorization: _, ...rest }: Awaited<ReturnType<typeof ours>>) => rest;

describe('what is built equals what oauth4webapi builds', () => {
  describe.each(METHODS)('with %s', (method) => {
    it.each(CREDENTIALS)('for the client %j and the secret %j', async (client_id, client_secret) => {
      const { options, request } = capture();
      await oauth.backchannelAuthenticationGrantRequest(
        server,
        { client_id },
        AUTHENTICATIONS[method](client_secret),
        'id',
        options,
      );
      const client = { client_id, client_secret, token_endpoint_auth_method: method };
      const built = await ours(
        'https://as.example/token',
        client,
        buildTokenRequest(CIBA_GRANT.grantType, { auth_req_id: 'id' }),
      );
      const expected = request();
      expect(withoutAuthorization(built)).toEqual(withoutAuthorization(expected as typeof built));
      if (method === 'client_secret_basic') {
        // It escapes more characters than it must; both are read as the same credentials.
        expect(readCredentials(built.authorization)).toEqual([client_id, client_secret]);
        expect(readCredentials(built.authorization)).toEqual(readCredentials(expected.authorization));
      } else {
        expect(expected.authorization).toBeUndefined();
        expect(built.authorization).toBeUndefined();
      }
    });
  });

  it('client_secret_basic escapes nothing that a server might not decode without need', async () => {
    const { headers } = await buildClientAuthentication(
      {
        client_id: 'test-client_1.0*',
        client_secret: 'aB3-_.*',
        token_endpoint_auth_method: 'client_secret_basic',
      },
      CIRCUMSTANCES,
    );
    expect(headers.authorization).toBe(`Basic ${Buffer.from('test-client_1.0*:aB3-_.*').toString('base64')}`);
  });

  const requests: [string, AuthenticationRequest][] = [
    ['a login hint alone', { login_hint: 'cl-taro' }],
    ['a login_hint_token', { login_hint_token: 'eyJ.a.b' }],
    ['an id_token_hint', { id_token_hint: 'eyJ.a.b', scope: 'openid email' }],
    [
      'every parameter',
      {
        scope: 'openid profile offline_access',
        login_hint: '{"format":"iss_sub","iss":"https://as.example/","sub":"é+ &=%"}',
        binding_message: 'test message 0001 ①',
        acr_values: 'urn:a urn:b',
        user_code: '12 34',
        requested_expiry: 90,
      },
    ],
  ];

  it.each(requests)('an authentication request with %s', async (_what, authenticationRequest) => {
    const { options, request } = capture();
    const given = Object.entries({ scope: 'openid', ...authenticationRequest });
    await oauth.backchannelAuthenticationRequest(
      server,
      { client_id: 'a' },
      oauth.ClientSecretPost('s3cret'),
      Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      options,
    );
    const client = {
      client_id: 'a',
      client_secret: 's3cret',
      token_endpoint_auth_method: 'client_secret_post',
    } as const;
    expect(
      await ours('https://as.example/ciba', client, buildAuthenticationRequest(authenticationRequest)),
    ).toEqual(request());
  });

  it.each(['simple', 'with space+plus%25&=', 'é', 'eyJhbGciOiJkaXIifQ..a.b.c'])(
    'a CIBA token request for the auth_req_id %j',
    async (id) => {
      const { options, request } = capture();
      await oauth.backchannelAuthenticationGrantRequest(
        server,
        { client_id: 'a' },
        oauth.None(),
        id,
        options,
      );
      const client = { client_id: 'a', token_endpoint_auth_method: 'none' } as const;
      const parameters = buildTokenRequest(CIBA_GRANT.grantType, { auth_req_id: id });
      expect(await ours('https://as.example/token', client, parameters)).toEqual(request());
    },
  );
});

describe('the addresses of the metadata equal', () => {
  const issuers = [
    'https://as.example',
    'https://as.example/',
    'https://as.example:8443',
    'http://127.0.0.1:8080/realms/SampleRealm',
    'http://127.0.0.1:8080/auth/realms/SampleRealm',
    'https://as.example/tenant/',
    'https://as.example/a/b/c',
    'https://as.example/realms/%C3%A9%20x',
    'https://[::1]:8443/realms/R',
  ];

  it.each(issuers)('those of oauth4webapi by both algorithms for %s', async (issuer) => {
    const urls: string[] = [];
    for (const algorithm of ['oidc', 'oauth2'] as const) {
      const { options, request } = capture();
      await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm });
      urls.push(String(request().url));
    }
    expect(listMetadataUrls(issuer)).toEqual(urls);
  });

  it('that of openid-client for an issuer with a path', async () => {
    let asked: string | undefined;
    const stop = new Error('enough');
    const discovery = openid.discovery(new URL('https://as.example/realms/R'), 'a', undefined, undefined, {
      [openid.customFetch]: async (url) => {
        asked = url;
        throw stop;
      },
    });
    await expect(discovery).rejects.toThrow();
    expect(listMetadataUrls('https://as.example/realms/R')[0]).toBe(asked);
  });
});
