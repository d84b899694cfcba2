import type { ValuesFor } from '../parameter.ts';
import { CIBA_GRANT } from './ciba.ts';
import { CLIENT_CREDENTIALS_GRANT } from './client-credentials.ts';
import { CODE_GRANT } from './code.ts';
import { DEVICE_GRANT } from './device.ts';
import { EXCHANGE_GRANT } from './exchange.ts';
import type { GrantDefinition } from './grant.ts';
import { JWT_BEARER_GRANT } from './jwt-bearer.ts';
import { PASSWORD_GRANT } from './password.ts';
import { REFRESH_GRANT } from './refresh.ts';

export type { GrantDefinition } from './grant.ts';

/** All grants, in the order of the help and of docs/grants.md. */
export const GRANTS = [
  CLIENT_CREDENTIALS_GRANT,
  PASSWORD_GRANT,
  REFRESH_GRANT,
  CODE_GRANT,
  DEVICE_GRANT,
  EXCHANGE_GRANT,
  JWT_BEARER_GRANT,
  CIBA_GRANT,
] as const satisfies readonly GrantDefinition[];

export type Grant = (typeof GRANTS)[number];
export type GrantName = Grant['name'];
export type GrantType = Grant['grantType'];

/** The parameters of a token request by its grant type. */
export type TokenRequestValues<Type extends GrantType> = ValuesFor<
  Extract<Grant, { grantType: Type }>['parameters']
>;

/** Finds a grant by its type. */
export function findGrant(grantType: string): GrantDefinition | undefined {
  return GRANTS.find((grant) => grant.grantType === grantType);
}
