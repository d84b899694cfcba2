import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Endpoint, UsageError } from '../errors.ts';
import type { Recorder } from '../http/types.ts';
import { addressUrl, type ListenAddress } from './listen-address.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** The query, encoded; empty where there is none. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Called once the whole answer has been handed to the connection. */
  readonly sent?: () => void;
  /** Called once the exchange is over: after `sent`, or when the client closed the connection. */
  readonly ended?: () => void;
}

export interface ListenerOptions {
  readonly listen: ListenAddress;
  /** Listens with TLS: certificate and private key in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** How to choose another address, for the hint where this one cannot be used. */
  readonly elsewhere?: string;
  readonly endpoint: Endpoint;
  /** The largest body in bytes; a larger one is answered with 413. */
  readonly maxBodyBytes: number;
  readonly handle: (request: ReceivedRequest) => Promise<Reply>;
  /** Called with what `handle` or the recorder threw; the request is answered with 500 if possible. */
  readonly onError: (error: unknown) => void;
}

export interface Listener {
  /** The absolute URL, with the actual port. */
  readonly url: string;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT = 15_000;
const MAX_CONNECTIONS = 64;
/** Bytes beyond the limit that are read and dropped, so that the client receives the 413. */
const DROPPED_BYTES = 1024 * 1024;

const ELSEWHERE = 'with --listen HOST:PORT/PATH and point the server there';

/**
 * Listens for HTTP, within limits of size, time and number of connections.
 * @throws UsageError `address_in_use`, `address_unavailable`, `listener_certificate_invalid`
 */
export async function listen(
  options: ListenerOptions,
  recorder: Recorder,
  now: () => number,
): Promise<Listener> {
  const server = await create(options.tls, (request, response) => {
    serve(request, response, options, recorder, now).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { connection: 'close' }).end();
      options.onError(error);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await bind(server, options.listen, options.elsewhere ?? ELSEWHERE);
  const { port } = server.address() as AddressInfo;
  const url = addressUrl({ ...options.listen, port });
  return {
    url: options.tls ? url.replace(/^http:/, 'https:') : url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function create(tls: ListenerOptions['tls'], onRequest: RequestListener): Promise<Server> {
  const limits: ServerOptions = { requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT };
  if (tls === undefined) return createServer(limits, onRequest);
  const { createServer: createTlsServer } = await import('node:https');
  try {
    return createTlsServer({ ...limits, ...tls }, onRequest);
  } catch (error) {
    throw new UsageError(
      'listener_certificate_invalid',
      `cannot listen with this certificate: ${(error as Error).message}`,
      { hint: 'It takes a certificate and the private key that belongs to it, both in PEM.', cause: error },
    );
  }
}

/**
 * Binds a server to an address.
 * @param elsewhere how to listen elsewhere, for the hint
 * @throws UsageError `address_in_use`, `address_unavailable`
 */
export async function bind(server: Server, { host, port }: ListenAddress, elsewhere: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`;
      if (error.code === 'EADDRINUSE') {
        reject(
          new UsageError('address_in_use', `${where} is in use by another program`, {
            hint: `End that program, or listen elsewhere ${elsewhere}.`,
            cause: error,
          }),
        );
      } else {
        reject(
          new UsageError('address_unavailable', `cannot listen on ${where} (${error.code})`, {
            hint: `Choose an address of this machine and a port that you may use, ${elsewhere}.`,
            cause: error,
          }),
        );
      }
    });
    server.listen(port, host, resolve);
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ListenerOptions,
  recorder: Recorder,
  now: () => number,
): Promise<void> {
  const startedAt = now();
  const received = {
    method: request.method ?? '',
    ...splitTarget(request.url ?? '/'),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
  };
  let body: string | undefined;
  try {
    body = await readBody(request, options.maxBodyBytes);
  } catch {
    // The client closed the connection.
    response.destroy();
    return;
  }
  const reply = await answer(received, body, options);
  const text = reply.body ?? '';
  const headers = {
    ...(text !== '' && { 'content-type': 'application/json' }),
    'cache-control': 'no-store',
    connection: 'close',
    ...reply.headers,
  };
  if (reply.ended) response.once('close', reply.ended);
  response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text, () => reply.sent?.());
  recorder.record({
    direction: 'in',
    endpoint: options.endpoint,
    startedAt,
    request: {
      method: received.method,
      url: request.url ?? '/',
      headers: received.headers,
      body: body ?? '',
    },
    answer: { status: reply.status, headers, body: text, ms: now() - startedAt },
  });
}

async function answer(
  received: Omit<ReceivedRequest, 'body'>,
  body: string | undefined,
  options: ListenerOptions,
): Promise<Reply> {
  if (received.path !== options.listen.path) return { status: 404 };
  if (body === undefined) return { status: 413 };
  return options.handle({ ...received, body });
}

/** The path and the query of a request's target; a target that is not a URL is used as the path. */
function splitTarget(target: string): { path: string; query: string } {
  const base = 'http://localhost';
  if (!URL.canParse(target, base)) return { path: target, query: '' };
  const { pathname, search } = new URL(target, base);
  return { path: pathname, query: search.slice(1) };
}

/** Reads a body up to the limit; undefined when it is larger. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not destroy the connection, on which the answer is still sent.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else if (size > maxBytes + DROPPED_BYTES) break;
  }
  return size > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}
