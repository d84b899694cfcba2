import { UsageError } from '../errors.ts';

/** Where a listener is reached. */
export interface ListenAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly path: string;
}

/** The absolute URL of an address. */
export function addressUrl({ host, port, path }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

/**
 * Parses `HOST:PORT[/PATH]`, `[IPV6]:PORT[/PATH]` or `PORT`.
 * @throws UsageError `listen_invalid`
 */
export function parseListenAddress(text: string, defaultPath = '/'): ListenAddress {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^/:[\]\s]+):)?(\d{1,5})(\/[^\s?#]*)?$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UsageError('listen_invalid', `"${text}" is not an address to listen on`, {
      hint: 'Write HOST:PORT/PATH, for example 127.0.0.1:3000/api/v1/auth.',
    });
  }
  return { host: match[1]?.replace(/[[\]]/g, '') ?? '127.0.0.1', port, path: match[3] ?? defaultPath };
}
