import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { stringifyJson } from '../exact-json.ts';
import type { Recorder } from '../http/types.ts';
import {
  buildBearerChallenge,
  describable,
  parseCredentials,
  type ResourceMetadata,
  type TokenVerdict,
} from '../protocol/oauth/bearer.ts';
import { addressUrl, type ListenAddress } from './listen-address.ts';
import { bind } from './listener.ts';

/** The purpose of a request: one word for each known path, and one for all others. */
export type Route = 'resource' | 'metadata' | 'metrics' | 'none';

/** A request and its answer, for the log. */
export interface AnsweredRequest {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  readonly route: Route;
  readonly status: number;
  /** Undefined where no token was checked. */
  readonly verdict?: TokenVerdict | undefined;
  /** Why it was refused, where that does not depend on a token. */
  readonly description?: string | undefined;
  /** Milliseconds, with a fraction, from the head of the request to the answer. */
  readonly ms: number;
}

export interface ResourceServerOptions {
  readonly listen: ListenAddress;
  readonly validate: (token: string) => Promise<TokenVerdict>;
  /** @param resource the identifier of this resource */
  readonly metadata: (resource: string) => ResourceMetadata;
  /** Renders the metrics in the text format of Prometheus. */
  readonly metrics: () => string;
  /** An answer has been handed to the connection. */
  readonly onAnswered: (answered: AnsweredRequest) => void;
  /** Called when a request could not be handled, which is a defect. */
  readonly onError: (error: unknown) => void;
}

export interface ResourceServer {
  /** The identifier of the resource, with the actual port. */
  readonly url: string;
  /** Stops listening and waits for open requests. @param grace milliseconds to wait at most */
  close(grace: number): Promise<void>;
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const REALM = 'oauthctl';
/** @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1 */
const METADATA_PATH = '/.well-known/oauth-protected-resource';
const ROUTES: Readonly<Record<string, Route>> = {
  '/': 'resource',
  [METADATA_PATH]: 'metadata',
  '/metrics': 'metrics',
};

const LIMITS = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};
const MAX_CONNECTIONS = 1024;
const ELSEWHERE = 'with --listen HOST:PORT';

/** An answer before it is sent. */
interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly verdict?: TokenVerdict;
  readonly description?: string;
}

/**
 * Listens as a protected resource: `/` checks a bearer token and returns the verdict; there are also the metadata of the
 * resource and metrics. Connections are kept alive, bodies are not read.
 * @throws UsageError `address_in_use`, `address_unavailable`
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 * @see https://www.rfc-editor.org/rfc/rfc9728
 */
export async function listenResourceServer(
  options: ResourceServerOptions,
  recorder: Recorder,
  now: () => number,
): Promise<ResourceServer> {
  let url = '';
  let isClosing = false;
  const server = createServer(LIMITS, (request, response) => {
    const received: Received = {
      request,
      response,
      at: performance.now(),
      startedAt: now(),
      ...splitPath(request),
    };
    // A body is not read, and the connection is closed: the body may have no end.
    const hasBody =
      Number(request.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in request.headers;
    if (hasBody) request.resume();
    replyTo(received, url, options)
      .catch((error: unknown): Reply => {
        options.onError(error);
        return { status: 500 };
      })
      .then((reply) => {
        response.shouldKeepAlive &&= !isClosing && !hasBody;
        send(received, reply, options, recorder);
      })
      .catch(options.onError);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseUnreadable(options));
  await bind(server, options.listen, ELSEWHERE);
  url = addressUrl({ ...options.listen, port: (server.address() as AddressInfo).port, path: '/' });
  return {
    url,
    async close(grace) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => server.closeAllConnections(), grace);
      server.closeIdleConnections();
      await closed;
      clearTimeout(timer);
    },
  };
}

interface Received {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: string;
  /** Of the monotonic clock. */
  readonly at: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

function splitPath({ url = '/' }: IncomingMessage): { path: string; query: string } {
  const at = url.indexOf('?');
  return at === -1 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

function findRoute(path: string): Route {
  return Object.hasOwn(ROUTES, path) ? (ROUTES[path] ?? 'none') : 'none';
}

async function replyTo(received: Received, url: string, options: ResourceServerOptions): Promise<Reply> {
  const { request, path } = received;
  const route = findRoute(path);
  if (route === 'none') return { status: 404 };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { allow: 'GET, HEAD' } };
  if (route === 'metadata') return json(200, options.metadata(url));
  if (route === 'metrics')
    return { status: 200, headers: { 'content-type': METRICS_TYPE }, body: options.metrics() };
  return replyToToken(received, url, options);
}

async function replyToToken(
  { request, query }: Received,
  url: string,
  { validate }: ResourceServerOptions,
): Promise<Reply> {
  const challenge = { realm: REALM };
  const resource_metadata = new URL(METADATA_PATH, url).href;
  // Node itself keeps only the first of several Authorization headers.
  const credentials = parseCredentials(request.headersDistinct.authorization ?? [], query);
  if (credentials.kind === 'none')
    return challenged(401, buildBearerChallenge({ ...challenge, resource_metadata }));
  if (credentials.kind === 'unusable') {
    const { error, description } = credentials;
    const status = error === 'invalid_request' ? 400 : 401;
    const header = buildBearerChallenge({
      ...challenge,
      error,
      error_description: description,
      resource_metadata,
    });
    return { ...challenged(status, header, { error, error_description: description }), description };
  }
  const verdict = await validate(credentials.token);
  switch (verdict.outcome) {
    case 'accepted': {
      const { tenant, validation, claims } = verdict;
      return { ...json(200, { tenant, validation, claims }), verdict };
    }
    case 'invalid_token':
    case 'insufficient_scope': {
      const isScope = verdict.outcome === 'insufficient_scope';
      const body = { error: verdict.outcome, error_description: describable(verdict.description) };
      const scope = isScope ? { scope: verdict.scopes.join(' ') } : {};
      const header = buildBearerChallenge({ ...challenge, ...body, ...scope, resource_metadata });
      return { ...challenged(isScope ? 403 : 401, header, { ...body, ...scope }), verdict };
    }
    case 'unavailable': {
      const reply = json(503, {
        error: 'temporarily_unavailable',
        error_description: 'the issuer of the token cannot be asked now',
      });
      return { ...reply, headers: { ...reply.headers, 'retry-after': String(verdict.retryAfter) }, verdict };
    }
  }
}

function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: stringifyJson(value) };
}

function challenged(status: number, header: string, body?: object): Reply {
  const reply = body === undefined ? { status } : json(status, body);
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': header } };
}

function send(received: Received, reply: Reply, options: ResourceServerOptions, recorder: Recorder): void {
  const { request, response, path, at, startedAt } = received;
  const { status, body = '', verdict, description } = reply;
  const headers = {
    'cache-control': 'no-store',
    ...reply.headers,
    'content-length': String(Buffer.byteLength(body)),
  };
  response.writeHead(status, headers).end(body);
  const ms = performance.now() - at;
  const method = request.method ?? '';
  options.onAnswered({ method, path, route: findRoute(path), status, verdict, description, ms });
  recorder.record({
    direction: 'in',
    endpoint: 'resource',
    startedAt,
    request: { method, url: request.url ?? '/', headers: joined(request), body: '' },
    answer: { status, headers, body, ms: Math.round(ms) },
  });
}

function joined({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values?.join(', ') ?? '']),
  );
}

/** Answers what is not an HTTP request, is too large or takes too long, and reports it like any other request. */
function refuseUnreadable({ onAnswered }: ResourceServerOptions) {
  const statuses: Readonly<Record<string, number>> = {
    HPE_HEADER_OVERFLOW: 431,
    ERR_HTTP_REQUEST_TIMEOUT: 408,
  };
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = statuses[error.code ?? ''] ?? 400;
    socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    onAnswered({ method: '-', path: '-', route: 'none', status, description: error.message, ms: 0 });
  };
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};
