import type { JWK } from 'jose';
import type { AccessTokens } from './access-tokens.ts';
import type { Accounts } from './accounts.ts';
import type { DeviceChannel } from './device-channel.ts';
import type { SandboxKeys } from './keys.ts';
import type { MemoryStore } from './memory-store.ts';
import type { PollThrottle } from './poll-throttle.ts';

/** A client of the sandbox, as it is told to its user. */
export interface SandboxClient {
  readonly client_id: string;
  readonly token_endpoint_auth_method: string;
  /** What it is there for, in a few words. */
  readonly purpose: string;
}

/** What the endpoints of one sandbox share. */
export interface SandboxParts {
  readonly issuer: string;
  /** Seconds between polls; 0 leaves polls unlimited and the acknowledgement without `interval`. */
  readonly interval: number;
  /** Seconds an authentication request lives. */
  readonly expiresIn: number;
  readonly keys: SandboxKeys;
  readonly store: MemoryStore;
  readonly accounts: Accounts;
  readonly accessTokens: AccessTokens;
  readonly throttle: PollThrottle;
  readonly device: DeviceChannel;
  readonly clients: readonly SandboxClient[];
  /** Public keys of the clients, by which assertions are verified as well. */
  readonly clientKeys: readonly JWK[];
}

/** The kind under which oidc-provider stores authentication requests: its model's name. */
export const AUTHENTICATION_REQUEST = 'BackchannelAuthenticationRequest';

/** The kind under which delegations are stored, by the `jti` of their bearer. */
export const DELEGATION = 'Delegation';

/** A delegation that the device has acknowledged. */
export interface StoredDelegation extends Record<string, unknown> {
  readonly authReqId: string;
  answered: boolean;
}

/** The path of the sandbox's one realm, which ends its issuer. */
export const REALM_PATH = '/realms/sandbox';

/** Keycloak's paths below the issuer, under oidc-provider's names for them. */
export const PATHS = {
  authorization: '/protocol/openid-connect/auth',
  device_authorization: '/protocol/openid-connect/auth/device',
  code_verification: '/device',
  pushed_authorization_request: '/protocol/openid-connect/ext/par/request',
  token: '/protocol/openid-connect/token',
  introspection: '/protocol/openid-connect/token/introspect',
  revocation: '/protocol/openid-connect/revoke',
  jwks: '/protocol/openid-connect/certs',
  userinfo: '/protocol/openid-connect/userinfo',
  backchannel_authentication: '/protocol/openid-connect/ext/ciba/auth',
} as const;

/** Below it a person signs in, at a path of one segment more. */
export const LOGIN_PATH = '/login-actions/authenticate';

export const SCOPES: readonly string[] = ['openid', 'profile', 'offline_access'];

/** What a login can reach; the first is what it reaches unless a client asks for another. */
export const ACR_VALUES: readonly string[] = ['1', '2'];

/** Types of `authorization_details` that the sandbox takes; their further members are up to the client. */
export const AUTHORIZATION_DETAILS_TYPES: readonly string[] = ['account_information', 'payment_initiation'];

/** What clients may sign with. */
export const ASYMMETRIC_ALGS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'],
];

/** What the sandbox encrypts by for clients. */
export const CLIENT_ENCRYPTION_ALGS: readonly string[] = [
  ...['RSA-OAEP', 'RSA-OAEP-256', 'RSA-OAEP-384', 'RSA-OAEP-512'],
  ...['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
];
