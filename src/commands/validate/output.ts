import type { OauthctlError } from '../../errors.ts';
import { stringifyJson } from '../../exact-json.ts';
import type { Comparison } from '../../flows/validation/validate.ts';
import type { WatchEnd, WatchReport } from '../../flows/validation/validate-watch.ts';
import { renderChecks } from '../../output/checks.ts';
import { describeTime, inWords, isTime } from '../../output/duration.ts';
import type { Paint } from '../../output/style.ts';
import { renderFindings, renderVerdicts, renderWatch, type ShownRow } from '../../output/validation.ts';
import { describeClockOffset } from '../../protocol/clock-offset.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Builds the documented JSON of a comparison. @param checkMs duration of the local check with cached keys */
export function comparisonDocument(
  { local, introspection, ...rest }: Comparison,
  checkMs: number | undefined,
) {
  return {
    local: {
      verdict: local.verdict,
      ms: local.ms,
      keys_ms: local.keysMs ?? null,
      check_ms: checkMs ?? null,
      checks: local.checks,
      header: local.header ?? null,
      claims: local.claims ?? null,
      error: errorDocument(local.error),
    },
    introspection: {
      verdict: introspection.verdict,
      ms: introspection.ms,
      answer: introspection.answer ?? null,
      error: errorDocument(introspection.error),
    },
    agree: rest.agree ?? null,
    differences: rest.differences,
    remarks: rest.remarks,
    clock_offset_ms: rest.clock ?? null,
  };
}

/** Builds the documented JSON of a watch. */
export function watchDocument(report: WatchReport) {
  const { window } = report;
  return {
    started_at: iso(report.startedAt),
    ended_at: iso(report.endedAt),
    ended: report.ended,
    introspections: report.introspections,
    failures: report.failures,
    events: report.events.map(({ at, way, verdict, previousSeenAt }) => ({
      at: iso(at),
      way,
      verdict,
      previous_seen_at: previousSeenAt === undefined ? null : iso(previousSeenAt),
    })),
    window:
      window === undefined
        ? null
        : {
            from: iso(window.from),
            earliest: iso(window.earliest),
            until: iso(window.until),
            ms: window.until - window.from,
            is_over: window.isOver,
          },
    differences: report.differences,
  };
}

/** Renders a comparison for people. @param now milliseconds since the epoch */
export function renderComparison(
  comparison: Comparison,
  {
    checkMs,
    now,
    paint,
  }: { readonly checkMs: number | undefined; readonly now: number; readonly paint: Paint },
): string {
  const { local, introspection, agree, differences, remarks, clock } = comparison;
  const verdicts = { local: local.verdict, introspection: introspection.verdict };
  const summary =
    agree === undefined
      ? paint.yellow('they cannot be compared')
      : agree
        ? 'they agree'
        : paint.red('they differ');
  return [
    renderVerdicts(verdicts, buildRows(comparison, checkMs, now), paint),
    clock &&
      `clocks         the server's is ${describeClockOffset(clock) ?? 'equal to ours, according to its Date header'}\n`,
    '\n',
    renderChecks(local.checks, paint),
    `\n${summary}\n`,
    renderFindings(agree === false ? 'why they differ' : 'why', differences, paint),
    renderFindings('notes', remarks, paint),
  ]
    .filter((part) => part !== undefined)
    .join('');
}

/** Renders a watch for people. */
export function renderReport(report: WatchReport, expiresAt: number | undefined, paint: Paint): string {
  const watch = renderWatch({ ...report, expiresAt, ended: ENDED[report.ended] }, paint);
  return `${watch}${renderFindings('why they differed', report.differences, paint)}`;
}

const ENDED: Readonly<Record<WatchEnd, string>> = {
  expired: 'the token expired',
  refused: 'neither method accepts the token any more,',
  deadline: 'the deadline passed',
  interrupted: 'interrupted',
};

function buildRows(
  { local, introspection }: Comparison,
  checkMs: number | undefined,
  now: number,
): readonly ShownRow[] {
  const { claims = {} } = local;
  const { answer = {} } = introspection;
  const keys = local.keysMs === undefined ? '' : `, ${local.keysMs} ms of it for the keys`;
  const rows: readonly ShownRow[] = [
    { name: 'time', local: `${local.ms} ms${keys}`, introspection: `${introspection.ms} ms` },
    {
      name: '',
      local: checkMs === undefined ? '' : `${checkMs.toFixed(2)} ms with cached keys`,
      introspection: '',
    },
    {
      name: 'why',
      local: local.error?.message ?? failedNames(local),
      introspection:
        introspection.error?.message ?? (introspection.verdict === 'refused' ? 'active: false' : ''),
    },
    { name: 'expires', local: expiry(claims.exp, now), introspection: expiry(answer.exp, now) },
    { name: 'issuer', local: text(claims.iss), introspection: text(answer.iss) },
    {
      name: 'client',
      local: text(claims.azp ?? claims.client_id),
      introspection: text(answer.client_id ?? answer.azp),
    },
    { name: 'aud', local: text(claims.aud), introspection: text(answer.aud) },
    {
      name: 'user',
      local: text(claims.preferred_username ?? claims.sub),
      introspection: text(answer.username ?? answer.preferred_username ?? answer.sub),
    },
    { name: 'scope', local: text(claims.scope), introspection: text(answer.scope) },
  ];
  return rows.filter((row) => row.local !== '' || row.introspection !== '');
}

function failedNames({ checks, verdict }: Comparison['local']): string {
  if (verdict === 'accepted') return '';
  return checks
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name, reason }) => (reason === undefined ? name : `${name}: ${reason}`))
    .join(', ');
}

function expiry(exp: unknown, now: number): string {
  // Some servers send 0 for a token that does not expire.
  if (typeof exp !== 'number' || exp === 0) return '';
  if (!isTime(exp)) return describeTime(exp) ?? '';
  const left = exp - now / 1000;
  return left > 0 ? `in ${inWords(left)}` : `${inWords(-left)} ago`;
}

function text(value: JsonObject[string]): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : stringifyJson(value);
}

function errorDocument(error: OauthctlError | undefined) {
  return error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
