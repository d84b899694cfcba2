import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One answer of a resource server; headers that are a list are sent one by one. */
export interface ResourceAnswer {
  /** 200 unless it says otherwise. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

export interface ResourceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface TestResourceServer {
  readonly url: string;
  readonly requests: readonly ResourceRequest[];
}

/**
 * A resource server on loopback that answers by a script, one step after the other. A request beyond the script, and a
 * step that is never reached, fail the test.
 */
export async function startResourceServer(
  script: (url: string) => readonly ResourceAnswer[],
): Promise<TestResourceServer> {
  const requests: ResourceRequest[] = [];
  let steps: ResourceAnswer[] = [];
  let unexpected = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    requests.push({ method, path, headers, body: Buffer.concat(chunks) });
    const step = steps.shift();
    if (step === undefined) unexpected += 1;
    response.writeHead(step?.status ?? (step ? 200 : 418), step?.headers);
    response.end(step?.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  steps = [...script(url)];
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    if (unexpected > 0) throw new Error(`${unexpected} request(s) beyond the script`);
    if (steps.length > 0) throw new Error(`${steps.length} answer(s) were never asked for`);
  });
  return { url, requests };
}
