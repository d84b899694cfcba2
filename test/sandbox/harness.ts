import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/index.ts';

export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

export interface ReceivedDelegation {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
}

/** A device that answers every delegation by `answer`, or never when that is null. */
export async function startDevice(answer: (() => number | Promise<number>) | null = () => 201) {
  const received: ReceivedDelegation[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const { method, url: path, headers } = request;
    received.push({ method, path, headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    if (answer !== null) {
      response.writeHead(await answer()).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api/v1/auth`, received };
}

export class Harness {
  readonly sandbox: Sandbox;
  readonly received: ReceivedDelegation[];

  constructor(sandbox: Sandbox, received: ReceivedDelegation[]) {
    this.sandbox = sandbox;
    this.received = received;
  }

  get basic(): string {
    return basic(this.sandbox.clientId, this.sandbox.clientSecret);
  }

  /** The bearer of the last delegation. */
  get bearer(): string {
    return this.received.at(-1)?.headers.authorization?.replace(/^Bearer /, '') ?? '';
  }

  post(path: string, form: Record<string, string> | string, authorization = this.basic): Promise<Answer> {
    return send(`${this.sandbox.issuer}/protocol/openid-connect${path}`, {
      method: 'POST',
      headers: authorization === '' ? {} : { authorization },
      body: new URLSearchParams(form),
    });
  }

  /** An authentication request; parameters set to undefined are left out. */
  request(parameters: Record<string, string | undefined> = {}, authorization = this.basic): Promise<Answer> {
    const form = { scope: 'openid', login_hint: 'cl-taro', binding_message: 'test-0001', ...parameters };
    const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return this.post('/ext/ciba/auth', Object.fromEntries(given), authorization);
  }

  async acknowledged(parameters: Record<string, string | undefined> = {}): Promise<string> {
    return (await this.request(parameters)).json.auth_req_id as string;
  }

  poll(authReqId: string, authorization = this.basic): Promise<Answer> {
    return this.post('/token', { grant_type: CIBA_GRANT, auth_req_id: authReqId }, authorization);
  }

  callback(status: unknown, bearer: string | undefined = this.bearer): Promise<Answer> {
    return send(`${this.sandbox.issuer}/protocol/openid-connect/ext/ciba/auth/callback`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify({ status }),
    });
  }

  /** A whole flow, approved. */
  async tokens(parameters: Record<string, string | undefined> = {}): Promise<Record<string, string>> {
    const id = await this.acknowledged(parameters);
    await this.callback('SUCCEED');
    return (await this.poll(id)).json as Record<string, string>;
  }
}

export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

export async function send(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : {},
  };
}

/** A sandbox that ends with the test, without an interval unless the test asks for one. */
export async function startSandboxForTest(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ interval: 0, ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

let shared: Promise<Sandbox> | undefined;

afterAll(async () => {
  await (await shared)?.close();
});

/** One sandbox without an interval for all tests of a file that have no wishes: making its key takes a while. */
export function sharedSandbox(): Promise<Sandbox> {
  shared ??= startSandbox({ interval: 0 });
  return shared;
}

/** A sandbox and a device that accepts. */
export async function startHarness(
  options: SandboxOptions = {},
  answer?: () => number | Promise<number>,
): Promise<Harness> {
  const device = await startDevice(answer);
  const sandbox = await (Object.keys(options).length === 0 ? sharedSandbox() : startSandboxForTest(options));
  sandbox.setDevice(device.url);
  return new Harness(sandbox, device.received);
}
