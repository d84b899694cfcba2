import type { Endpoint } from '../errors.ts';

/** A request to send. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH' | 'HEAD' | 'OPTIONS';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The endpoint, for errors, `-v` and traces. */
  readonly endpoint: Endpoint;
  /** Milliseconds for the whole exchange; by default those of the transport. */
  readonly timeoutMs?: number;
  /** Keeps the bytes of the body of the answer, up to this number; by default the limit of the transport applies. */
  readonly raw?: { readonly maxBytes: number };
}

/** A complete answer. */
export interface HttpAnswer {
  /** The address that was requested. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded as UTF-8. */
  readonly body: string;
  /** The undecoded body, if `raw` was set. */
  readonly bytes?: Uint8Array;
  /** Milliseconds from sending to the last byte. */
  readonly ms: number;
}

/** One request and its outcome, for `-v` and traces. Not redacted yet. */
export interface Exchange {
  /** `out`: sent by oauthctl. `in`: received by one of its listeners. */
  readonly direction: 'out' | 'in';
  readonly endpoint: Endpoint;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly answer?: Omit<HttpAnswer, 'bytes' | 'url'>;
  /** Why there was no answer. */
  readonly failure?: string;
}

export interface Recorder {
  record(exchange: Exchange): void;
}

export interface HttpClient {
  /**
   * Sends one request and reads the whole answer. Redirects are not followed.
   * @throws NetworkError if no answer was received; TimeoutError if the exchange took too long; the signal's reason if aborted
   */
  send(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface TransportOptions {
  /** Milliseconds for name look-up, connection and TLS. */
  readonly connectTimeoutMs: number;
  /** Milliseconds for a whole exchange. */
  readonly timeoutMs: number;
  /** The largest body of an answer, in bytes. */
  readonly maxBodyBytes: number;
  /** PEM texts, in addition to the system's certificate authorities. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Accept any server certificate. */
  readonly insecure?: boolean | undefined;
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}
