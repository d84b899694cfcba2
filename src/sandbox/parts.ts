import type { AccessTokens } from './access-tokens.ts';
import type { Accounts } from './accounts.ts';
import type { DeviceChannel } from './device-channel.ts';
import type { SandboxKeys } from './keys.ts';
import type { MemoryStore } from './memory-store.ts';
import type { PollThrottle } from './poll-throttle.ts';

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

export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

export const SCOPES: readonly string[] = ['openid', 'profile', 'offline_access'];
