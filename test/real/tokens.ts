import { decodeJwt, type JWTPayload } from 'jose';
import type { SampleClient, SampleRealm } from '../lab/sample-realm.ts';
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

/** Registers the client of a resource server, which is in the `aud` of what `test-client` gets. */
export async function createIntrospector({ admin, realm, client }: SampleRealm): Promise<SampleClient> {
  const clientId = 'introspector';
  const secret = 'the-secret-of-the-introspector';
  const id = await admin.createClient(realm, { clientId, secret, publicClient: false });
  await admin.addAudienceMapper(realm, client.id, clientId);
  return { id, clientId, secret };
}
