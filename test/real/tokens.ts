import { decodeJwt, type JWTPayload } from 'jose';
import type { Cli } from './cli.ts';

/** The password grant of the sample realm's user, in a shell on that realm. */
export const PASSWORD_GRANT = [
  ...['token', 'password'],
  ...['--username', 'cl-taro', '--password', 'env:USER_PASSWORD'],
] as const;

/** Signs the sample realm's user in, with an ID token. @returns the token response */
export function signIn(cli: Cli, ...args: string[]): Promise<Record<string, unknown>> {
  return cli.json(...PASSWORD_GRANT, '--scope', 'openid', ...args);
}

/** The claims of a token, unverified. */
export function claimsOf<Claims = JWTPayload>(token: unknown): JWTPayload & Claims {
  return decodeJwt<Claims>(String(token));
}
