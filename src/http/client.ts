import './wasm-flags.ts';
import type { Dispatcher } from 'undici';
import sendRequest from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Client from 'undici/lib/dispatcher/client.js';
import { OauthctlError } from '../errors.ts';
import { Connections } from './connections.ts';
import { describeFailure } from './failure.ts';
import { proxyFor } from './proxy.ts';
import { tlsOptions } from './tls-options.ts';
import type { HttpAnswer, HttpClient, HttpRequest, Recorder, TransportOptions } from './types.ts';

const USER_AGENT = 'oauthctl';
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Makes the one transport of the program. Every exchange has a connection of its own: a debugger must not
 * meet the resets of a kept connection that the server has just closed.
 * @param options deadlines in milliseconds, limits in bytes, PEM texts
 * @param recorder hears of every exchange, answered or not
 * @param now milliseconds since the epoch
 * @throws UsageError `certificate_unusable`
 */
export async function createHttpClient(
  options: TransportOptions,
  recorder: Recorder,
  now: () => number,
): Promise<HttpClient> {
  const { certificate, ...tls } = await tlsOptions(options);
  const connect = { timeout: options.connectTimeoutMs, ...tls };

  const dispatcherFor = async (url: URL, proxy: URL | undefined, connections: Connections) => {
    if (proxy === undefined) {
      return new Client(url.origin, { pipelining: 0, connect: connections.through(buildConnector(connect)) });
    }
    const { createProxyDispatcher } = await import('./proxy-agent.ts');
    return createProxyDispatcher(proxy, connect, connections);
  };

  const exchange = async (
    request: HttpRequest,
    url: URL,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Omit<HttpAnswer, 'ms'>> => {
    progress.proxy = proxyFor(url, options);
    const connections = new Connections();
    const dispatcher: Dispatcher = await dispatcherFor(url, progress.proxy, connections);
    try {
      const data = await new Promise<Dispatcher.ResponseData>((resolve, reject) => {
        // undici heeds the signal once it is connected, and no sooner.
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
            // The one deadline of the exchange is the signal's.
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          (error, answer) => (error ? reject(error) : resolve(answer)),
        );
      });
      progress.answering = true;
      const bytes = await readBody(data, request.raw?.maxBytes ?? options.maxBodyBytes);
      return {
        status: data.statusCode,
        headers: joinHeaders(data.headers),
        body: bytes.toString('utf8'),
        ...(request.raw && { bytes }),
      };
    } catch (error) {
      progress.tlsFailure = connections.tlsFailure;
      throw error;
    } finally {
      // Not awaited: a server that never ends its side must not hold us up.
      void dispatcher.destroy().catch(() => {});
      connections.end();
    }
  };

  return {
    async send(request, signal) {
      const url = new URL(request.url);
      const timeoutMs = request.timeoutMs ?? options.timeoutMs;
      const deadline = new AbortController();
      const timer = setTimeout(
        () => deadline.abort(Object.assign(new Error('deadline'), { code: 'OAUTHCTL_DEADLINE' })),
        Math.min(timeoutMs, LONGEST_TIMER),
      );
      const progress: Progress = { proxy: undefined, answering: false, tlsFailure: undefined };
      const startedAt = now();
      const recorded = {
        direction: 'out' as const,
        endpoint: request.endpoint,
        startedAt,
        request: {
          method: request.method,
          url: request.url,
          headers: buildHeaders(request),
          body: bodyText(request.body),
        },
      };
      try {
        const combined = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
        combined.throwIfAborted();
        const answer = { ...(await exchange(request, url, progress, combined)), ms: now() - startedAt };
        const { bytes: _, ...seen } = answer;
        recorder.record({ ...recorded, answer: seen });
        return answer;
      } catch (error) {
        // undici may wrap an abort in an error of its own, so the signals decide.
        const failure = signal?.aborted
          ? signal.reason
          : error instanceof OauthctlError
            ? error
            : describeFailure(
                deadline.signal.aborted ? deadline.signal.reason : (progress.tlsFailure ?? error),
                { url, timeoutMs, certificate, now: now(), ...progress },
              );
        recorder.record({
          ...recorded,
          failure: failure instanceof Error ? failure.message : String(failure),
        });
        throw failure;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function buildHeaders(request: HttpRequest): Record<string, string> {
  return { 'user-agent': USER_AGENT, accept: 'application/json', ...request.headers };
}

/** How far an exchange came. */
interface Progress {
  proxy: URL | undefined;
  /** The head of the answer is there. */
  answering: boolean;
  tlsFailure: Error | undefined;
}

function bodyText(body: HttpRequest['body'] = ''): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
}

async function readBody(data: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => Object.assign(new Error('answer too large'), { code: 'OAUTHCTL_TOO_LARGE' });
  const chunks: Buffer[] = [];
  let size = 0;
  // An announced length is believed, so that nothing is waited for in vain.
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
