import './wasm-flags.ts';
import type { Dispatcher } from 'undici';
import sendRequest from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Client from 'undici/lib/dispatcher/client.js';
import { Connections } from './connections.ts';
import type { HttpAnswer, HttpRequest } from './types.ts';

const USER_AGENT = 'oauthctl';

/** How an exchange is sent. */
export interface ExchangeOptions {
  readonly url: URL;
  readonly proxy: URL | undefined;
  /** undici's options for connections: the timeout in milliseconds, and TLS. */
  readonly connect: object;
  readonly maxBodyBytes: number;
  readonly signal: AbortSignal;
}

/** How far an exchange came. */
export interface ExchangeProgress {
  /** Whether the header section of the answer has been received. */
  answering: boolean;
  tlsFailure: Error | undefined;
}

/**
 * Sends one request over a connection of its own, and reads the whole answer.
 * @param progress is updated on the way, so that a failure can be described
 * @throws what undici or Node throws; the signal's reason when aborted
 */
export async function exchange(
  request: HttpRequest,
  options: ExchangeOptions,
  progress: ExchangeProgress,
): Promise<Omit<HttpAnswer, 'ms'>> {
  const connections = new Connections();
  const dispatcher = await createDispatcher(options, connections);
  try {
    const data = await send(dispatcher, request, options);
    progress.answering = true;
    const bytes = await readBody(data, request.raw?.maxBytes ?? options.maxBodyBytes);
    return {
      url: request.url,
      status: data.statusCode,
      headers: joinHeaders(data.headers),
      body: bytes.toString('utf8'),
      ...(request.raw && { bytes }),
    };
  } catch (error) {
    progress.tlsFailure = connections.tlsFailure;
    throw error;
  } finally {
    // Not awaited: a server may never end its side of the connection.
    void dispatcher.destroy().catch(() => {});
    connections.end();
  }
}

export function buildHeaders(request: HttpRequest): Record<string, string> {
  return { 'user-agent': USER_AGENT, accept: 'application/json', ...request.headers };
}

async function createDispatcher(
  { url, proxy, connect }: ExchangeOptions,
  connections: Connections,
): Promise<Dispatcher> {
  if (proxy === undefined)
    return new Client(url.origin, { pipelining: 0, connect: connections.through(buildConnector(connect)) });
  const { createProxyDispatcher } = await import('./proxy-agent.ts');
  return createProxyDispatcher(proxy, connect, connections);
}

function send(
  dispatcher: Dispatcher,
  request: HttpRequest,
  { url, signal }: ExchangeOptions,
): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    // undici observes the signal only once it is connected.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    sendRequest.call(
      dispatcher,
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: buildHeaders(request),
        body: request.body ?? null,
        signal,
        // The signal carries the only deadline of the exchange.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
  });
}

async function readBody(data: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => Object.assign(new Error('answer too large'), { code: 'OAUTHCTL_TOO_LARGE' });
  const chunks: Buffer[] = [];
  let size = 0;
  // Content-Length is checked first, so that a body that is too large is not read in vain.
  if (Number(data.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  for await (const chunk of data.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function joinHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
