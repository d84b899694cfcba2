import type { X509Certificate } from 'node:crypto';
import { OauthctlError } from '../errors.ts';
import { buildHeaders, type ExchangeProgress, exchange } from './exchange.ts';
import { describeFailure } from './failure.ts';
import { findProxy } from './proxy.ts';
import { buildTlsOptions } from './tls-options.ts';
import type { HttpAnswer, HttpClient, HttpRequest, Recorder, TransportOptions } from './types.ts';

/** Milliseconds; setTimeout takes no more. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Makes the HTTP transport. Every exchange has a connection of its own, so that none fails because the server has
 * closed a kept connection.
 * @param options deadlines in milliseconds, limits in bytes, PEM texts
 * @param recorder receives every exchange, answered or not
 * @param now milliseconds since the epoch
 * @throws UsageError `certificate_unusable`
 */
export async function createHttpClient(
  options: TransportOptions,
  recorder: Recorder,
  now: () => number,
): Promise<HttpClient> {
  const { certificate, ...tls } = await buildTlsOptions(options);
  const connect = { timeout: options.connectTimeoutMs, ...tls };
  return new RecordingClient({ options, connect, certificate, recorder, now });
}

interface Parts {
  readonly options: TransportOptions;
  readonly connect: object;
  readonly certificate: X509Certificate | undefined;
  readonly recorder: Recorder;
  readonly now: () => number;
}

/** Gives each exchange its deadline, records it, and describes its failure. */
class RecordingClient implements HttpClient {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async send(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const { recorder, now } = this.#parts;
    const startedAt = now();
    const recorded = {
      direction: 'out' as const,
      endpoint: request.endpoint,
      startedAt,
      request: {
        method: request.method,
        url: request.url,
        headers: buildHeaders(request),
        body: renderBody(request.body),
      },
    };
    try {
      const answer = { ...(await this.#sendInTime(request, signal)), ms: now() - startedAt };
      const { bytes: _, url: __, ...seen } = answer;
      recorder.record({ ...recorded, answer: seen });
      return answer;
    } catch (error) {
      recorder.record({ ...recorded, failure: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  async #sendInTime(request: HttpRequest, signal: AbortSignal | undefined): Promise<Omit<HttpAnswer, 'ms'>> {
    const { options, connect, certificate, now } = this.#parts;
    const url = new URL(request.url);
    const timeoutMs = request.timeoutMs ?? options.timeoutMs;
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(Object.assign(new Error('deadline'), { code: 'OAUTHCTL_DEADLINE' })),
      Math.min(timeoutMs, LONGEST_TIMER),
    );
    const progress: ExchangeProgress = { answering: false, tlsFailure: undefined };
    let proxy: URL | undefined;
    try {
      const combined = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
      combined.throwIfAborted();
      proxy = findProxy(url, options);
      const { maxBodyBytes } = options;
      return await exchange(request, { url, proxy, connect, maxBodyBytes, signal: combined }, progress);
    } catch (error) {
      // undici may wrap an abort in an error of its own, so the signals decide.
      signal?.throwIfAborted();
      if (error instanceof OauthctlError) throw error;
      const thrown = deadline.signal.aborted ? deadline.signal.reason : (progress.tlsFailure ?? error);
      throw describeFailure(thrown, { url, proxy, timeoutMs, certificate, now: now(), ...progress });
    } finally {
      clearTimeout(timer);
    }
  }
}

function renderBody(body: HttpRequest['body'] = ''): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
}
