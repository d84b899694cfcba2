import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JWK } from 'jose';
import { AccessTokens } from './access-tokens.ts';
import { Accounts } from './accounts.ts';
import { registerClients } from './clients.ts';
import { DeviceChannel } from './device-channel.ts';
import { createFrontServer, createHandler } from './front.ts';
import { generateSandboxKeys } from './keys.ts';
import { MemoryStore } from './memory-store.ts';
import { REALM_PATH, type SandboxClient, type SandboxParts } from './parts.ts';
import { PollThrottle } from './poll-throttle.ts';
import { createProvider } from './provider.ts';

export {
  DPOP_CLIENT,
  JARM_CLIENT,
  PAR_CLIENT,
  PRIVATE_KEY_JWT_CLIENT,
  PUBLIC_CLIENT,
  SECRET_JWT_CLIENT,
  SERVICE_CLIENT,
} from './clients.ts';
export { ASSERTION_ISSUER } from './own-grants.ts';
export type { SandboxClient } from './parts.ts';

export interface SandboxOptions {
  /** 127.0.0.1 (the default), ::1 or localhost: the sandbox serves no other machine. */
  host?: string;
  /** Default 0, a free port. */
  port?: number;
  /** Seconds between two polls, sent to clients that poll and enforced; default 5. 0 sends and enforces none. */
  interval?: number;
  /** Seconds an authentication request or a device code lives; default 120. */
  expiresIn?: number;
  /** Absolute URL of the authentication device; default http://127.0.0.1:3000/api/v1/auth. */
  device?: string;
  /** Default sandbox-client. */
  clientId?: string;
  /** Default random. */
  clientSecret?: string;
  /**
   * Public keys of the clients: for private_key_jwt, signed request objects, encrypted authorization responses and, as
   * keys of the issuer ASSERTION_ISSUER, assertions; default none.
   */
  clientKeys?: readonly JWK[];
  /** Names that a person may sign in with and `login_hint` may take; default cl-taro. */
  users?: readonly string[];
  /** By user name; a user without one gets a random one. */
  passwords?: Readonly<Record<string, string>>;
  /** Whether a refresh token is good for one use, a second one ending its grant; default false. */
  rotateRefreshTokens?: boolean;
  /** Clock of the throttle in milliseconds. */
  now?: () => number;
}

export interface Sandbox {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly users: readonly string[];
  /** By user name. */
  readonly passwords: Readonly<Record<string, string>>;
  /** All clients, the one above first. */
  readonly clients: readonly SandboxClient[];
  /** Sends later delegations to another authentication device. */
  setDevice(url: string): void;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/**
 * Starts an authorization server, all of it in memory, that looks like a Keycloak realm.
 *
 * It has clients for each client authentication method and each security requirement of a server; `clients` lists
 * the purpose of each. Users sign in on a page of its own.
 *
 * @throws TypeError for an invalid option; the error of `listen` (EADDRINUSE) when the port is taken
 * @see OpenID Connect Core 1.0, OpenID Connect CIBA Core 1.0 §5 (poll mode), RFC 6749, RFC 7009, RFC 7523, RFC 7636,
 *   RFC 7662, RFC 8414, RFC 8628, RFC 8693, RFC 8707, RFC 9101, RFC 9126, RFC 9207, RFC 9396, RFC 9449, JARM
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const {
    host = '127.0.0.1',
    port = 0,
    interval = 5,
    expiresIn = 120,
    device: deviceUrl = 'http://127.0.0.1:3000/api/v1/auth',
    clientId = 'sandbox-client',
    clientSecret = randomBytes(32).toString('base64url'),
    clientKeys = [],
    users = ['cl-taro'],
    passwords,
    rotateRefreshTokens = false,
    now = Date.now,
  } = options;
  if (!LOOPBACK.includes(host)) {
    throw new TypeError(`the sandbox listens on ${LOOPBACK.join(', ')} only`);
  }
  requireInteger('interval', interval, 0);
  requireInteger('expiresIn', expiresIn, 1);

  const registrations = registerClients({ clientId, clientSecret, clientKeys });
  const clients = registrations.map(({ client }) => client);
  const device = new DeviceChannel(deviceUrl);
  const keys = await generateSandboxKeys();
  const server = createFrontServer();
  server.listen(port, host);
  await once(server, 'listening');
  try {
    const issuer = buildIssuer(server, host);
    const store = new MemoryStore();
    const accounts = new Accounts(users, passwords);
    const parts: SandboxParts = {
      ...{ issuer, interval, expiresIn, keys, store, accounts, device, clients, clientKeys },
      accessTokens: new AccessTokens(issuer, keys, accounts),
      throttle: new PollThrottle(interval, now),
    };
    const metadata = registrations.map((registration) => registration.metadata);
    const provider = createProvider(parts, metadata, { rotateRefreshTokens });
    server.on('request', createHandler(provider, parts));
    return {
      issuer,
      clientId,
      clientSecret,
      users,
      passwords: accounts.passwords(),
      clients,
      setDevice: (url) => device.setDevice(url),
      close: () => close(server, device),
    };
  } catch (error) {
    await close(server, device);
    throw error;
  }
}

function buildIssuer(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${REALM_PATH}`;
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new TypeError(`${name} has to be a whole number of seconds, ${least} or more`);
  }
}

async function close(server: Server, device: DeviceChannel): Promise<void> {
  device.close();
  if (server.listening) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
