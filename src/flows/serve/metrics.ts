import type { AnsweredRequest } from '../../servers/resource-server.ts';
import { buildMetrics, type MetricFamily } from './prometheus.ts';
import type { IssuerRequest } from './tenant-keys.ts';

/** Seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Labels = Readonly<Record<string, string>>;

/** Counts by labels, of which there are only so many: tenants on the list, and words of ours. */
class Counter {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();

  add(labels: Labels): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, value: 1 });
    else known.value += 1;
  }

  forget(isGone: (tenant: string) => boolean): void {
    for (const [key, { labels }] of this.#counts)
      if (labels.tenant !== undefined && isGone(labels.tenant)) this.#counts.delete(key);
  }

  get samples() {
    return [...this.#counts.values()];
  }
}

/** What a resource server counts. */
export class ServeMetrics {
  readonly #requests = new Counter();
  readonly #validations = new Counter();
  readonly #fetches = new Counter();
  readonly #introspections = new Counter();
  /** The last one is of what took longer than every bucket. */
  readonly #durations: number[] = Array(BUCKETS.length + 1).fill(0);
  #seconds = 0;
  readonly #isTenant: (issuer: string) => boolean;

  /** @param isTenant whether an issuer is on the list now; one that is not gets no counters of its own */
  constructor(isTenant: (issuer: string) => boolean) {
    this.#isTenant = isTenant;
  }

  countAnswer({ route, status, verdict, ms }: AnsweredRequest): void {
    const tenant = this.#findLabel(verdict?.tenant);
    this.#requests.add({ route, status: String(status), tenant });
    if (verdict !== undefined) this.#validations.add({ tenant, outcome: verdict.outcome });
    const bucket = BUCKETS.findIndex((limit) => ms / 1000 <= limit);
    const index = bucket === -1 ? BUCKETS.length : bucket;
    this.#durations[index] = (this.#durations[index] ?? 0) + 1;
    this.#seconds += ms / 1000;
  }

  countRequest({ type, issuer, succeeded }: IssuerRequest): void {
    const tenant = this.#findLabel(issuer);
    const outcome = succeeded ? 'ok' : 'failed';
    if (type === 'introspection') this.#introspections.add({ tenant, outcome });
    else this.#fetches.add({ tenant, document: type, outcome });
  }

  /** Drops what was counted of tenants that are not on the list any more; the counters would only grow otherwise. */
  forgetRemoved(): void {
    const isGone = (tenant: string) => tenant !== '' && !this.#isTenant(tenant);
    for (const counter of [this.#requests, this.#validations, this.#fetches, this.#introspections])
      counter.forget(isGone);
  }

  /** All of it in the text format of Prometheus. @param tenants how many there are now */
  render(tenants: number): string {
    return buildMetrics([
      {
        name: 'oauthctl_tenants',
        help: 'Tenants on the list.',
        type: 'gauge',
        samples: [{ value: tenants }],
      },
      counter('requests', 'Requests answered; the tenant is empty where none was found.', this.#requests),
      counter('validations', 'Tokens judged, by outcome.', this.#validations),
      counter('issuer_fetches', 'Metadata and keys fetched from issuers.', this.#fetches),
      counter('introspections', 'Introspection requests to issuers.', this.#introspections),
      this.#histogram(),
    ]);
  }

  #findLabel(issuer: string | undefined): string {
    return issuer !== undefined && this.#isTenant(issuer) ? issuer : '';
  }

  #histogram(): MetricFamily {
    let count = 0;
    const buckets = [...BUCKETS, Number.POSITIVE_INFINITY].map((limit, index) => {
      count += this.#durations[index] ?? 0;
      const le = limit === Number.POSITIVE_INFINITY ? '+Inf' : String(limit);
      return { suffix: '_bucket' as const, labels: { le }, value: count };
    });
    return {
      name: 'oauthctl_request_duration_seconds',
      help: 'From the head of a request to its answer.',
      type: 'histogram',
      samples: [...buckets, { suffix: '_sum', value: this.#seconds }, { suffix: '_count', value: count }],
    };
  }
}

function counter(name: string, help: string, { samples }: Counter): MetricFamily {
  return { name: `oauthctl_${name}_total`, help, type: 'counter', samples };
}
