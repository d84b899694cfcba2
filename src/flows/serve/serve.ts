import type { Context } from '../../context.ts';
import { buildResourceMetadata } from '../../protocol/oauth/bearer.ts';
import type { ListenAddress } from '../../servers/listen-address.ts';
import type { AnsweredRequest } from '../../servers/resource-server.ts';
import { ServeMetrics } from './metrics.ts';
import type { IssuerRequest } from './tenant-keys.ts';
import { Tenants, type TenantsChange } from './tenants.ts';
import type { Tenant } from './tenants-file.ts';

export type ServeEvent =
  | { readonly type: 'answered'; readonly answered: AnsweredRequest }
  | { readonly type: 'issuer_asked'; readonly request: IssuerRequest }
  /** Called when a request could not be handled, which is a defect. */
  | { readonly type: 'failed'; readonly error: unknown };

export interface ServeOptions {
  readonly listen: ListenAddress;
  readonly tenants: readonly Tenant[];
  /** Seconds by which the clocks of issuers may differ from ours. */
  readonly leeway: number;
  /** Whether an ID token passes for an access token. */
  readonly allowIdToken: boolean;
}

/** A resource server that is running. */
export interface Serving {
  readonly url: string;
  /** Takes another list of tenants from the next request on. */
  replaceTenants(tenants: readonly Tenant[]): TenantsChange;
  /** Ends it once what is under way has been answered. */
  close(): Promise<void>;
}

/** Milliseconds for what is under way; a run has two seconds to clean up after a signal. */
const GRACE = 1_500;

/**
 * Serves a resource that takes access tokens of several issuers, and asks none of them before its first token.
 * @throws UsageError `address_in_use`, `address_unavailable`
 */
export async function serve(
  ctx: Context,
  options: ServeOptions,
  onEvent: (event: ServeEvent) => void,
): Promise<Serving> {
  const { listen, leeway, allowIdToken } = options;
  const metrics = new ServeMetrics((issuer) => tenants.has(issuer));
  const ended = new AbortController();
  // A signal ends the server, and not what it has to ask for an answer that is under way.
  const asking = { ...ctx, signal: ended.signal };
  const tenants: Tenants = new Tenants(asking, options.tenants, {
    leeway,
    allowIdToken,
    onRequest: (request) => {
      metrics.countRequest(request);
      onEvent({ type: 'issuer_asked', request });
    },
  });
  const server = await (await ctx.servers()).resource({
    listen,
    validate: (token) => tenants.validate(token),
    metadata: (resource) => buildResourceMetadata(resource, tenants.list),
    metrics: () => metrics.render(tenants.list.length),
    onAnswered: (answered) => {
      metrics.countAnswer(answered);
      onEvent({ type: 'answered', answered });
    },
    onError: (error) => onEvent({ type: 'failed', error }),
  });
  return {
    url: server.url,
    replaceTenants(list) {
      const change = tenants.replace(list);
      metrics.forgetRemoved();
      return change;
    },
    async close() {
      await server.close(GRACE);
      ended.abort(new Error('the server has ended'));
    },
  };
}
