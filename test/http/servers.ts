import { once } from 'node:events';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { onTestFinished } from 'vitest';
import type { Certificate } from '../helpers/certificates.ts';

const greet: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
};

/** Listens on a free port of 127.0.0.1 until the test ends. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

export function httpServer(handle: RequestListener = greet): Promise<number> {
  return listen(createServer(handle));
}

export function tlsServer(
  options: ServerOptions & Certificate,
  handle: RequestListener = greet,
): Promise<number> {
  return listen(createTlsServer(options, handle));
}

/** A server that does with each connection what the test wants, HTTP or not. */
export function tcpServer(handle: (socket: Socket) => void): Promise<number> {
  return listen(createTcpServer(handle));
}

/** A port on which nothing listens: it was free a moment ago. */
export async function deadPort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Proxied {
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
}

/** A proxy that tunnels CONNECT and forwards requests in absolute form; `refuse` answers all with that status. */
export async function proxyServer(refuse?: number): Promise<{ port: number; seen: Proxied[] }> {
  const seen: Proxied[] = [];
  const note = (request: {
    method?: string | undefined;
    url?: string | undefined;
    headers: Record<string, unknown>;
  }) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, target: url, authorization: headers['proxy-authorization'] as string | undefined });
  };
  const server: HttpServer = createServer((request, response) => {
    note(request);
    if (refuse) {
      response.writeHead(refuse).end();
      return;
    }
    const { hostname, port, pathname } = new URL(request.url ?? '');
    const upstream = connect(Number(port), hostname, () => {
      upstream.write(
        `${request.method} ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\n\r\n`,
      );
      if (response.socket) upstream.pipe(response.socket);
    });
    upstream.on('error', () => response.writeHead(502).end('<html>no route</html>'));
  });
  server.on('connect', (request, socket) => {
    note(request);
    if (refuse) {
      socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
    socket.on('error', () => upstream.destroy());
  });
  return { port: await listen(server), seen };
}
