import type { JWK } from 'jose';
import type { Client, Payload, Provider } from 'oidc-provider/lib/provider.js';
import { CIBA_GRANT } from '../protocol/definitions/grants/ciba.ts';
import { CLIENT_CREDENTIALS_GRANT } from '../protocol/definitions/grants/client-credentials.ts';
import { CODE_GRANT } from '../protocol/definitions/grants/code.ts';
import { DEVICE_GRANT } from '../protocol/definitions/grants/device.ts';
import { REFRESH_GRANT } from '../protocol/definitions/grants/refresh.ts';
import { OWN_GRANTS } from './own-grants.ts';
import { AUTHORIZATION_DETAILS_TYPES, CLIENT_ENCRYPTION_ALGS, type SandboxClient } from './parts.ts';

export interface ClientOptions {
  readonly clientId: string;
  /** The secret of every client that has one. */
  readonly clientSecret: string;
  /** Public keys of the clients. */
  readonly clientKeys: readonly JWK[];
}

/** A client, with the same secret, that may use client credentials only. */
export const SERVICE_CLIENT = 'sandbox-service';
/** A client without a secret, for which PKCE is required. */
export const PUBLIC_CLIENT = 'sandbox-public';
export const SECRET_JWT_CLIENT = 'sandbox-secret-jwt';
/** It exists if the sandbox has a signing key of the clients. */
export const PRIVATE_KEY_JWT_CLIENT = 'sandbox-private-key-jwt';
/** A client that gets DPoP-bound tokens only. */
export const DPOP_CLIENT = 'sandbox-dpop';
/** A client that has to push its authorization requests, as signed request objects. */
export const PAR_CLIENT = 'sandbox-par';
/** A client whose JWT authorization responses are encrypted; it exists where there is an encryption key of the clients. */
export const JARM_CLIENT = 'sandbox-jarm';

const RESERVED: readonly string[] = [
  SERVICE_CLIENT,
  PUBLIC_CLIENT,
  SECRET_JWT_CLIENT,
  PRIVATE_KEY_JWT_CLIENT,
  DPOP_CLIENT,
  PAR_CLIENT,
  JARM_CLIENT,
];

/** All that oidc-provider has; `token` alone it has not. */
export const RESPONSE_TYPES: readonly string[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
  'id_token',
  'id_token token',
  'none',
];

/** Every grant that the sandbox serves: those of oidc-provider, and its own. */
const GRANT_TYPES: readonly string[] = [
  CODE_GRANT,
  CLIENT_CREDENTIALS_GRANT,
  REFRESH_GRANT,
  CIBA_GRANT,
  DEVICE_GRANT,
  ...OWN_GRANTS.map(({ grant }) => grant),
].map(({ grantType }) => grantType);

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * The registrations of the sandbox's clients, with what each is for.
 *
 * @throws TypeError for a client id that another client has, for keys that are not public and for an encryption key of
 *   an unknown algorithm
 * @see RFC 7591 §2
 */
export function registerClients(options: ClientOptions): { client: SandboxClient; metadata: Payload }[] {
  const { clientId, clientSecret, clientKeys } = options;
  if (RESERVED.includes(clientId)) {
    throw new TypeError(`${clientId} is the name of another client of the sandbox`);
  }
  if (!clientKeys.every(isPublic)) {
    throw new TypeError('the keys of the clients have to be public keys in JWK form');
  }
  const encryptionKey = clientKeys.find(isForEncryption);
  const hasSigningKey = clientKeys.some((key) => !isForEncryption(key));
  const jwks = clientKeys.length > 0 ? { jwks: { keys: clientKeys } } : {};
  const secret = { client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' };
  return [
    register(clientId, 'every grant and every response type', GRANT_TYPES, {
      ...secret,
      ...jwks,
      grant_types: [...GRANT_TYPES, 'implicit'],
      response_types: RESPONSE_TYPES,
    }),
    register(SERVICE_CLIENT, 'client credentials only', [CLIENT_CREDENTIALS_GRANT.grantType], secret),
    register(
      PUBLIC_CLIENT,
      'no secret; authorization code with PKCE, and device flow',
      [CODE_GRANT.grantType, DEVICE_GRANT.grantType, REFRESH_GRANT.grantType],
      { token_endpoint_auth_method: 'none' },
    ),
    register(SECRET_JWT_CLIENT, 'signs its assertions with the secret', GRANT_TYPES, {
      ...secret,
      token_endpoint_auth_method: 'client_secret_jwt',
    }),
    ...(hasSigningKey
      ? [
          register(PRIVATE_KEY_JWT_CLIENT, 'signs its assertions with its key', GRANT_TYPES, {
            ...jwks,
            token_endpoint_auth_method: 'private_key_jwt',
          }),
        ]
      : []),
    register(DPOP_CLIENT, 'DPoP proofs with a nonce required', GRANT_TYPES, {
      ...secret,
      ...jwks,
      dpop_bound_access_tokens: true,
    }),
    register(PAR_CLIENT, 'pushed and signed authorization requests required', GRANT_TYPES, {
      ...secret,
      ...jwks,
      require_pushed_authorization_requests: true,
      require_signed_request_object: true,
    }),
    ...(encryptionKey === undefined
      ? []
      : [
          register(JARM_CLIENT, 'JWT authorization responses encrypted for its key', GRANT_TYPES, {
            ...secret,
            ...jwks,
            ...responsesFor(encryptionKey),
          }),
        ]),
  ];
}

/**
 * Allows redirect URIs with any port and path of the loopback interface for every client.
 *
 * @see RFC 8252 §7.3
 */
export function allowLoopbackRedirects(provider: Provider): void {
  provider.Client.prototype.redirectUriAllowed = function isAllowed(this: Client, uri: string): boolean {
    if (!this.grantTypeAllowed(CODE_GRANT.grantType) || !URL.canParse(uri)) {
      return false;
    }
    const { protocol, hostname, username, password, hash } = new URL(uri);
    return (
      ['http:', 'https:'].includes(protocol) &&
      LOOPBACK_HOSTS.includes(hostname) &&
      `${username}${password}${hash}` === '' &&
      !uri.endsWith('#')
    );
  };
}

function register(clientId: string, purpose: string, grantTypes: readonly string[], special: Payload) {
  const hasCode = grantTypes.includes(CODE_GRANT.grantType);
  const metadata = {
    client_id: clientId,
    // The kind to which implicit responses over plain HTTP are allowed.
    application_type: 'native',
    grant_types: grantTypes,
    redirect_uris: hasCode ? ['http://127.0.0.1/callback'] : [],
    response_types: hasCode ? ['code'] : [],
    authorization_details_types: AUTHORIZATION_DETAILS_TYPES,
    ...(grantTypes.includes(CIBA_GRANT.grantType) ? { backchannel_token_delivery_mode: 'poll' } : {}),
    ...special,
  };
  const method = String(special.token_endpoint_auth_method);
  return { client: { client_id: clientId, token_endpoint_auth_method: method, purpose }, metadata };
}

function isPublic(key: JWK): boolean {
  return (
    typeof key === 'object' &&
    key !== null &&
    typeof key.kty === 'string' &&
    key.kty !== 'oct' &&
    !('d' in key) &&
    !('priv' in key)
  );
}

function isForEncryption({ use, alg = '' }: JWK): boolean {
  return use === 'enc' || (use === undefined && /^(RSA-OAEP|ECDH-ES)/.test(alg));
}

function responsesFor({ alg, kty }: JWK): Payload {
  const chosen = alg ?? (kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES');
  if (!CLIENT_ENCRYPTION_ALGS.includes(chosen)) {
    throw new TypeError(`the sandbox cannot encrypt by ${chosen}`);
  }
  return {
    authorization_encrypted_response_alg: chosen,
    authorization_encrypted_response_enc: 'A256GCM',
  };
}
