import { UsageError } from '../errors.ts';
import type { TransportOptions } from './types.ts';

/**
 * Finds the proxy for an address: that of its scheme, unless NO_PROXY names the host.
 * @returns undefined where the exchange is sent directly to the server
 * @throws UsageError `proxy_invalid`
 */
export function findProxy(
  url: URL,
  options: Pick<TransportOptions, 'httpProxy' | 'httpsProxy' | 'noProxy'>,
): URL | undefined {
  const text = url.protocol === 'https:' ? options.httpsProxy : options.httpProxy;
  if (!text || isExempt(url, options.noProxy ?? '')) return undefined;
  // As in other tools, HOST:PORT alone is an http proxy.
  const proxy = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(proxy) || !['http:', 'https:'].includes(new URL(proxy).protocol)) {
    throw new UsageError('proxy_invalid', `the proxy for ${url.protocol}// is not an http or https URL`, {
      hint: 'Write http://HOST:PORT in --proxy, HTTP_PROXY and HTTPS_PROXY.',
    });
  }
  return new URL(proxy);
}

/** Reads NO_PROXY: `*`, or hosts and domains, each with its subdomains, separated by commas or spaces; with a port, only that port is exempt. */
function isExempt(url: URL, noProxy: string): boolean {
  const host = unbracketed(url.hostname);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', onlyPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry];
      const domain = unbracketed(name).replace(/^\*?\./, '');
      return (host === domain || host.endsWith(`.${domain}`)) && (onlyPort ?? port) === port;
    });
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
