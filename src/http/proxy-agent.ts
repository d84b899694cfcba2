import type { Dispatcher } from 'undici';
import sendConnect from 'undici/lib/api/api-connect.js';
import Client from 'undici/lib/dispatcher/client.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import type { Connections } from './connections.ts';

/**
 * Creates the dispatcher that sends one exchange through a proxy: https in a tunnel, http in absolute form.
 * @param connect undici's options for the connections to the proxy and, in the tunnel, to the server
 */
export function createProxyDispatcher(proxy: URL, connect: object, connections: Connections): Dispatcher {
  const createClient = (origin: string | URL, options: Client.Options) =>
    new Client(origin, {
      ...options,
      pipelining: 0,
      ...(typeof options.connect === 'function' && { connect: connections.through(options.connect) }),
    });
  return new ProxyAgent({
    uri: proxy.href,
    proxyTls: connect,
    requestTls: connect,
    // Many proxies refuse a CONNECT to a port of plain HTTP.
    proxyTunnel: false,
    factory: createClient,
    // ProxyAgent requires a method that only the full undici package adds to its clients.
    clientFactory: (origin, options) =>
      Object.assign(createClient(origin, options), { connect: sendConnect }),
  });
}
