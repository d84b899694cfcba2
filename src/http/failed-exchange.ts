import type { X509Certificate } from 'node:crypto';
import { NetworkError } from '../errors.ts';

export interface FailedExchange {
  readonly url: URL;
  /** The deadline of the exchange, in milliseconds. */
  readonly timeoutMs: number;
  /** The proxy that the exchange was sent through. */
  readonly proxy?: URL | undefined;
  /** Whether the header section of the answer had been received. */
  readonly answering?: boolean | undefined;
  /** A TLS error that was reported after the connection had been established. */
  readonly tlsFailure?: Error | undefined;
  /** The client certificate that was configured. */
  readonly certificate?: X509Certificate | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: number | undefined;
}

/** The innermost error that carries a code of the system, of TLS or of undici. */
export interface Fault {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** A failed exchange with the names that its messages use. */
export interface ExchangeFailure extends FailedExchange {
  readonly thrown: unknown;
  readonly fault: Fault;
  /** The host and port that the connection goes to: those of the proxy where there is one. */
  readonly hop: string;
  /** Host and port of the server, and the proxy in between. */
  readonly where: string;
}

/**
 * Reads what undici or Node threw.
 * @param thrown possibly wrapped in `cause` or an AggregateError
 */
export function readFailure(thrown: unknown, failed: FailedExchange): ExchangeFailure {
  const { url, proxy } = failed;
  const hop = proxy ? `the proxy ${renderHost(proxy)}` : renderHost(url);
  const where = proxy ? `${renderHost(url)} (through ${hop})` : hop;
  return { ...failed, thrown, fault: findFault(thrown), hop, where };
}

/**
 * Makes the error for a failed exchange.
 * @param maybeHandled whether the server may have received the request
 */
export function buildNetworkError(
  { thrown }: ExchangeFailure,
  code: string,
  message: string,
  hint?: string,
  maybeHandled = false,
): NetworkError {
  return new NetworkError(code, message, { hint, cause: thrown, maybeHandled });
}

/** Renders host and port, with the default port of the scheme where the URL names none. */
export function renderHost(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

function findFault(thrown: unknown): Fault {
  let current = thrown;
  let fault: Fault = { name: '', code: '', message: String(thrown) };
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const code = (current as { code?: unknown }).code;
    fault = {
      name: current.name,
      code: typeof code === 'string' ? code : fault.code,
      message: current.message,
    };
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  return fault;
}
