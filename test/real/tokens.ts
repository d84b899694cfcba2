import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt, type JWTPayload } from 'jose';
import { expect } from 'vitest';
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

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
}

/**
 * Signs the sample realm's user in without the program, which would refuse an ID token that has expired on arrival.
 * @param client the realm's `test-client` by default
 */
export async function requestTokens(
  { issuer, client: testClient, user }: Pick<SampleRealm, 'issuer' | 'client' | 'user'>,
  client: SampleClient = testClient,
): Promise<Tokens> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: client.clientId,
      client_secret: client.secret,
      username: user.username,
      password: user.password,
      scope: 'openid',
    }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Tokens;
}

/**
 * Waits until a token has expired for everybody: a second after its `exp`, since some servers count whole seconds. The
 * servers of the laboratory go by the clock of this machine.
 * @param skew seconds for which a server goes on taking the token
 */
export async function untilExpired(token: unknown, skew = 0): Promise<void> {
  const { exp = 0 } = claimsOf(token);
  await pause(Math.max(0, (exp + skew + 1) * 1000 - Date.now()));
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

/** The `error` of each answer of the token endpoint so far; undefined stands for tokens. */
export function pollErrors(cli: Cli): unknown[] {
  return cli.exchanges('token').map(({ answer }) => JSON.parse(answer?.body ?? '').error);
}

/** So many polls were answered with tokens, and all others with `authorization_pending`: how many depends on the machine. */
export function expectTokens(cli: Cli, count = 1): void {
  const errors = pollErrors(cli);
  expect(errors.filter((error) => error !== 'authorization_pending')).toEqual(Array(count).fill(undefined));
}

/** The first poll was answered with `authorization_pending`, and one with tokens. */
export function expectPendingThenTokens(cli: Cli): void {
  expect(pollErrors(cli)[0]).toBe('authorization_pending');
  expectTokens(cli);
}
