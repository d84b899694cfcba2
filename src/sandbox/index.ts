import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccessTokens } from './access-tokens.ts';
import { Accounts } from './accounts.ts';
import { DeviceChannel } from './device-channel.ts';
import { createFrontServer, createHandler, REALM_PATH } from './front.ts';
import { generateSandboxKeys } from './keys.ts';
import { MemoryStore } from './memory-store.ts';
import { PollThrottle } from './poll-throttle.ts';
import { createProvider, SERVICE_CLIENT } from './provider.ts';

export { SERVICE_CLIENT } from './provider.ts';

export interface SandboxOptions {
  /** 127.0.0.1 (the default), ::1 or localhost: the sandbox serves no other machine. */
  host?: string;
  /** Default 0, a free port. */
  port?: number;
  /** Seconds between two polls, sent in the acknowledgement and enforced; default 5. 0 sends and enforces none. */
  interval?: number;
  /** Seconds an authentication request lives; default 120. */
  expiresIn?: number;
  /** Absolute URL of the authentication device; default http://127.0.0.1:3000/api/v1/auth. */
  device?: string;
  /** Default sandbox-client. */
  clientId?: string;
  /** Default random. */
  clientSecret?: string;
  /** Names that `login_hint` may take; default cl-taro. */
  users?: readonly string[];
  /** Clock of the throttle in milliseconds. */
  now?: () => number;
}

export interface Sandbox {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly users: readonly string[];
  /** Sends later delegations to another authentication device. */
  setDevice(url: string): void;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/**
 * Starts an authorization server, all of it in memory, that looks like a Keycloak realm to CIBA's client and device.
 *
 * Its client authenticates with client_secret_basic or client_secret_post. A second client, `sandbox-service`, has the
 * same secret and may use client credentials only.
 *
 * @throws TypeError for an option that makes no sense; the error of `listen` (EADDRINUSE) when the port is taken
 * @see OpenID Connect CIBA Core 1.0 §5 (poll mode), RFC 6749 §4.4, §6, RFC 7009, RFC 7662, RFC 8414
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
    users = ['cl-taro'],
    now = Date.now,
  } = options;
  if (!LOOPBACK.includes(host)) {
    throw new TypeError(`the sandbox listens on ${LOOPBACK.join(', ')} only`);
  }
  if (clientId === SERVICE_CLIENT) {
    throw new TypeError(`${SERVICE_CLIENT} is the name of the sandbox's other client`);
  }
  requireInteger('interval', interval, 0);
  requireInteger('expiresIn', expiresIn, 1);

  const device = new DeviceChannel(deviceUrl);
  const keys = await generateSandboxKeys();
  const server = createFrontServer();
  server.listen(port, host);
  await once(server, 'listening');
  try {
    const issuer = issuerOf(server, host);
    const store = new MemoryStore();
    const accounts = new Accounts(users);
    const accessTokens = new AccessTokens(issuer, keys, store, accounts);
    const throttle = new PollThrottle(interval, now);
    const parts = { issuer, interval, expiresIn, keys, store, accounts, accessTokens, throttle, device };
    server.on('request', createHandler(createProvider(parts, clientId, clientSecret), parts));
    return {
      issuer,
      clientId,
      clientSecret,
      users,
      setDevice: (url) => device.setDevice(url),
      close: () => close(server, device),
    };
  } catch (error) {
    await close(server, device);
    throw error;
  }
}

function issuerOf(server: Server, host: string): string {
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
