import { describe, expect, it } from 'vitest';
import { ServeMetrics } from '../../../src/flows/serve/metrics.ts';
import { buildMetrics } from '../../../src/flows/serve/prometheus.ts';

const A = 'https://a.example';
const accepted = (tenant: string) =>
  ({
    method: 'GET',
    path: '/',
    route: 'resource',
    status: 200,
    verdict: { outcome: 'accepted', tenant, validation: 'local', claims: {} },
    ms: 3,
  }) as const;

describe('the counters of a resource server', () => {
  it('count requests, tokens, fetches and durations', () => {
    const metrics = new ServeMetrics(() => true);
    metrics.countAnswer(accepted(A));
    metrics.countAnswer(accepted(A));
    metrics.countAnswer({ method: 'GET', path: '/x', route: 'none', status: 404, ms: 20_000 });
    metrics.countRequest({ type: 'jwks', issuer: A, succeeded: true });
    metrics.countRequest({ type: 'introspection', issuer: A, succeeded: false });
    const lines = metrics.render(7).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'oauthctl_tenants 7',
        `oauthctl_requests_total{route="resource",status="200",tenant="${A}"} 2`,
        'oauthctl_requests_total{route="none",status="404",tenant=""} 1',
        `oauthctl_validations_total{tenant="${A}",outcome="accepted"} 2`,
        `oauthctl_issuer_fetches_total{tenant="${A}",document="jwks",outcome="ok"} 1`,
        `oauthctl_introspections_total{tenant="${A}",outcome="failed"} 1`,
        'oauthctl_request_duration_seconds_bucket{le="0.0025"} 0',
        'oauthctl_request_duration_seconds_bucket{le="0.005"} 2',
        'oauthctl_request_duration_seconds_bucket{le="10"} 2',
        'oauthctl_request_duration_seconds_bucket{le="+Inf"} 3',
        'oauthctl_request_duration_seconds_count 3',
      ]),
    );
  });

  it('have no label for a tenant that is not on the list, and drop those of one that has gone', () => {
    const listed = new Set([A]);
    const metrics = new ServeMetrics((issuer) => listed.has(issuer));
    metrics.countAnswer(accepted(A));
    listed.delete(A);
    metrics.forgetRemoved();
    metrics.countAnswer(accepted(A));
    metrics.countRequest({ type: 'jwks', issuer: A, succeeded: true });
    expect(metrics.render(0)).not.toContain(A);
  });

  it('are told apart whatever a label holds', () => {
    const family = {
      name: 'n',
      help: 'h',
      type: 'counter',
      samples: [{ labels: { a: 'x"y\\z\nw' }, value: 1 }],
    } as const;
    expect(buildMetrics([family])).toBe('# HELP n h\n# TYPE n counter\nn{a="x\\"y\\\\z\\nw"} 1\n');
  });
});
