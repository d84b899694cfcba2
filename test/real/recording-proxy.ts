import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'vitest';

/** A request that went through. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
}

/** An address of its own for a server, which can be taken away; every request to it is recorded. */
export interface RecordingProxy {
  readonly origin: string;
  readonly requests: readonly Recorded[];
  /** The server behind it is not to be reached any more. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

/**
 * Listens in front of a server. The Host header goes through as it came, so that a Keycloak takes the address of the
 * proxy for its own.
 *
 * @param target its origin
 */
export async function openProxy(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  target: string,
): Promise<RecordingProxy> {
  const requests: Recorded[] = [];
  let server: Server | undefined;
  let port = 0;
  const comeBack = async () => {
    server = createServer((request, response) => {
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, userAgent: headers['user-agent'] ?? '' });
      const forwarded = send(new URL(path, target), { method, headers }, (answer: IncomingMessage) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      forwarded.once('error', () => response.destroy());
      request.pipe(forwarded);
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const goDown = async () => {
    const ended = server;
    server = undefined;
    if (ended === undefined) return;
    await new Promise<void>((resolve) => {
      ended.close(() => resolve());
      ended.closeAllConnections();
    });
  };
  await comeBack();
  onTestFinished(goDown);
  return { origin: `http://127.0.0.1:${port}`, requests, goDown, comeBack };
}
