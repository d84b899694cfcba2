import './wasm-flags.ts';
import type { Dispatcher } from 'undici';
import sendRequest from 'undici/lib/api/api-request.js';
import Client from 'undici/lib/dispatcher/client.js';
import { OauthctlError } from '../errors.ts';
import { describeFailure } from './failure.ts';
import type { HttpAnswer, HttpClient, HttpRequest, Recorder, TransportOptions } from './types.ts';

const USER_AGENT = 'oauthctl';

/**
 * Makes the one transport of the program. Every exchange has a connection of its own: a debugger must not
 * meet the resets of a kept connection that the server has just closed.
 * @param options deadlines in milliseconds, limits in bytes, PEM texts
 * @param recorder hears of every exchange, answered or not
 * @param now milliseconds since the epoch
 */
export async function createHttpClient(
  options: TransportOptions,
  recorder: Recorder,
  now: () => number,
): Promise<HttpClient> {
  const connect = {
    timeout: options.connectTimeoutMs,
    ...(options.ca !== undefined && { ca: await withSystemAuthorities(options.ca) }),
    ...(options.cert !== undefined && { cert: options.cert }),
    ...(options.key !== undefined && { key: options.key }),
    ...(options.insecure && { rejectUnauthorized: false }),
  };

  const dispatcherFor = async (url: URL): Promise<Dispatcher> => {
    const proxied = url.protocol === 'https:' ? options.httpsProxy : options.httpProxy;
    if (!proxied) return new Client(url.origin, { pipelining: 0, connect });
    const { default: EnvHttpProxyAgent } = await import('undici/lib/dispatcher/env-http-proxy-agent.js');
    return new EnvHttpProxyAgent({
      httpProxy: options.httpProxy ?? '',
      httpsProxy: options.httpsProxy ?? '',
      noProxy: options.noProxy ?? '',
      connect,
      requestTls: connect,
    });
  };

  const exchange = async (
    request: HttpRequest,
    url: URL,
    signal: AbortSignal,
  ): Promise<Omit<HttpAnswer, 'ms'>> => {
    const dispatcher = await dispatcherFor(url);
    try {
      const data = await new Promise<Dispatcher.ResponseData>((resolve, reject) => {
        sendRequest.call(
          dispatcher,
          {
            origin: url.origin,
            path: url.pathname + url.search,
            method: request.method,
            headers: { 'user-agent': USER_AGENT, accept: 'application/json', ...request.headers },
            body: request.body ?? null,
            signal,
            // The one deadline of the exchange is the signal's.
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          (error, answer) => (error ? reject(error) : resolve(answer)),
        );
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of data.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > options.maxBodyBytes) {
          throw Object.assign(new Error('answer too large'), { code: 'OAUTHCTL_TOO_LARGE' });
        }
        chunks.push(chunk);
      }
      return {
        status: data.statusCode,
        headers: joinHeaders(data.headers),
        body: Buffer.concat(chunks).toString('utf8'),
      };
    } finally {
      // Not awaited: a server that never ends its side must not hold us up.
      void dispatcher.destroy().catch(() => {});
    }
  };

  return {
    async send(request, signal) {
      const url = new URL(request.url);
      const timeoutMs = request.timeoutMs ?? options.timeoutMs;
      const deadline = new AbortController();
      const timer = setTimeout(
        () => deadline.abort(Object.assign(new Error('deadline'), { code: 'OAUTHCTL_DEADLINE' })),
        timeoutMs,
      );
      const startedAt = now();
      const recorded = {
        direction: 'out' as const,
        endpoint: request.endpoint,
        startedAt,
        request: {
          method: request.method,
          url: request.url,
          headers: request.headers ?? {},
          body: request.body ?? '',
        },
      };
      try {
        const combined = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
        combined.throwIfAborted();
        const answer = { ...(await exchange(request, url, combined)), ms: now() - startedAt };
        recorder.record({ ...recorded, answer });
        return answer;
      } catch (error) {
        // undici may wrap an abort in an error of its own, so the signals decide.
        const failure = signal?.aborted
          ? signal.reason
          : error instanceof OauthctlError
            ? error
            : describeFailure(
                deadline.signal.aborted ? deadline.signal.reason : error,
                request.url,
                timeoutMs,
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

async function withSystemAuthorities(ca: string): Promise<string[]> {
  const { rootCertificates } = await import('node:tls');
  return [...rootCertificates, ca];
}

function joinHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
