import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  CLIENT_ID,
  type Flaws,
  type MisbehavingServer,
  type ScriptedStep,
} from '../../helpers/misbehaving-server.ts';
import type { Run } from '../../helpers/run.ts';
import { type Script, startWorkplace } from '../../helpers/workplace.ts';

/** The fake clock's time: Node's server would tell the real one. */
const headers = { date: new Date(new FakeClock().now()).toUTCString() };
const ACTIVE = { json: { active: true, client_id: CLIENT_ID }, headers };
const INACTIVE = { json: { active: false }, headers };

/** A workplace with a profile. */
async function setUp(introspection: readonly ScriptedStep[], script: Script = {}) {
  const place = await startWorkplace(
    { ...script, introspection },
    { profile: ['--client-secret', 'env:CLIENT_SECRET'] },
  );
  return { ...place, keep: (access_token: string) => place.keep({ access_token }) };
}

const accessToken = (server: MisbehavingServer, flaws: Flaws = {}) =>
  server.idToken({ ...flaws, claims: { typ: 'Bearer', sid: 'session-1', ...flaws.claims } });
const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);
/** What a failure says in the last line of stderr. */
const errorOf = ({ stderr }: Run) => JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error;
/** The result, or, since stdout has nothing else, what the failure carries. */
const comparisonOf = (run: Run) => {
  if (run.code === 0) return JSON.parse(run.stdout);
  expect(run.stdout).toBe('');
  return errorOf(run).validation;
};

describe('validate', () => {
  it('accepts what both ways accept, and tells what each of them saw and took', async () => {
    const { server, run, keep } = await setUp([{ ...ACTIVE, takes: 30 }]);
    await keep(await accessToken(server));
    const { code, stdout, stderr } = await run('validate', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      local: {
        verdict: 'accepted',
        ms: 0,
        keys_ms: 0,
        check_ms: 0,
        checks: expect.arrayContaining([expect.objectContaining({ name: 'signature', outcome: 'passed' })]),
        header: { alg: 'ES256' },
        claims: { sid: 'session-1' },
        error: null,
      },
      introspection: { verdict: 'accepted', ms: 30, answer: ACTIVE.json, error: null },
      agree: true,
      differences: [],
    });
    expect(server.to('jwks')).toHaveLength(1);
    expect(Object.fromEntries(server.to('introspection')[0]?.form ?? [])).toMatchObject({
      token_type_hint: 'access_token',
    });
  });

  it('shows both ways side by side, and nothing of the token itself', async () => {
    const { server, run } = await setUp([ACTIVE]);
    const token = await accessToken(server, { claims: { scope: 'a\u001b[2J' } });
    const { stdout, stderr } = await run('validate', token);
    expect(stdout).toMatch(/^ +local check +introspection\nverdict +✓ accepts +✓ accepts\n/);
    expect(stdout).toMatch(/^scope +a\\x1b\[2J$/m);
    expect(stdout).toMatch(/^✓ signature/m);
    expect(stdout).toContain('they agree\n');
    expect(stdout + stderr).not.toContain(token);
  });

  it('exits with 4 and prints the comparison where introspection alone refuses', async () => {
    const { server, run } = await setUp([INACTIVE]);
    const result = await run('validate', await accessToken(server), '--json');
    expect(result.code).toBe(4);
    const { agree, differences } = comparisonOf(result);
    expect({ agree, codes: codes(differences) }).toEqual({
      agree: false,
      codes: ['revoked_or_logged_out', 'user_disabled'],
    });
    expect(errorOf(result)).toMatchObject({
      code: 'verdicts_differ',
      message: 'the local check accepts the token, but introspection refuses it',
      hint: expect.stringContaining('session-1'),
    });
  });

  it.each([
    [['--audience', 'api'], {}, 'audience_not_ours'],
    [['--type', 'at+jwt'], {}, 'type_not_accepted'],
    [[], { foreignKey: true }, 'signature_not_checked'],
    [[], { kid: 'gone' }, 'keys_rotated'],
    [[], { alg: 'HS256' }, 'shared_secret_alg'],
    [[], { claims: { typ: 'ID' } }, 'not_an_access_token'],
    [[], { claims: { iss: 'http://inner.example' } }, 'issuer_host_name'],
  ] as const)('exits with 4 where the local check alone refuses: %j %j', async (options, flaws, code) => {
    const { server, run } = await setUp([ACTIVE]);
    const result = await run('validate', await accessToken(server, flaws as Flaws), ...options, '--json');
    expect(result.code).toBe(4);
    expect(codes(comparisonOf(result).differences)).toEqual([code]);
  });

  it('takes the leeway that is given, and blames it where the server has none', async () => {
    const { clock, server, run } = await setUp([ACTIVE, INACTIVE]);
    const expired = await accessToken(server, { claims: { exp: clock.now() / 1000 - 5 } });
    expect((await run('validate', expired, '--leeway', '10')).code).toBe(0);
    const result = await run('validate', expired, '--leeway', '10', '--json');
    expect(codes(comparisonOf(result).differences)).toEqual(['leeway']);
  });

  it('measures the clocks by the Date of the answers', async () => {
    const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toUTCString();
    const { clock, server, run } = await setUp([{ ...INACTIVE, headers: { date: at(400) } }]);
    const token = await accessToken(server, { claims: { exp: clock.now() / 1000 + 300 } });
    const result = await run('validate', token, '--json');
    const { differences, clock_offset_ms } = comparisonOf(result);
    expect(codes(differences)).toEqual(['clock_skew']);
    expect(clock_offset_ms).toEqual({ min: 400_000, max: 401_000 });
  });

  it('says that both refuse, and why', async () => {
    const { server, run } = await setUp([INACTIVE]);
    const result = await run('validate', await accessToken(server, { foreignKey: true }), '--json');
    expect(result.code).toBe(4);
    expect(comparisonOf(result)).toMatchObject({ agree: true, differences: [] });
    expect(errorOf(result)).toMatchObject({
      code: 'token_refused',
      message: expect.stringContaining('signature: the signature is wrong'),
    });
  });

  it('leaves an opaque token to introspection', async () => {
    const { server, run } = await setUp([ACTIVE, INACTIVE]);
    const result = await run('validate', 'an-opaque-token', '--json');
    expect(result.code).toBe(0);
    const { local, agree, differences } = comparisonOf(result);
    expect({ verdict: local.verdict, check_ms: local.check_ms, agree, codes: codes(differences) }).toEqual({
      verdict: 'unknown',
      check_ms: null,
      agree: null,
      codes: ['opaque_token'],
    });
    expect(errorOf(await run('validate', 'an-opaque-token', '--json'))).toMatchObject({
      code: 'token_refused',
      exit_code: 4,
    });
    expect(server.to('jwks')).toEqual([]);
  });

  it.each([
    [{ status: 401, json: { error: 'invalid_client' } }, 3, 'invalid_client'],
    ['reset' as const, 5, 'connection_reset'],
    [{ text: '<html>' }, 5, 'not_the_protocol'],
    [{ json: { active: 'yes' } }, 4, 'introspection_response_invalid'],
  ])('shows the local verdict where introspection failed: %j', async (answer, exitCode, error) => {
    const { server, run } = await setUp([answer]);
    const result = await run('validate', await accessToken(server), '--watch', '--json');
    expect(result.code).toBe(exitCode);
    expect(comparisonOf(result)).toMatchObject({
      local: { verdict: 'accepted' },
      introspection: { verdict: 'unknown', answer: null, error: { code: error } },
      agree: null,
    });
    expect(errorOf(result).code).toBe(error);
  });

  it('shows what introspection says where the keys cannot be fetched', async () => {
    const { server, run } = await setUp([ACTIVE], { jwks: { status: 500, text: 'broken' } });
    const result = await run('validate', await accessToken(server), '--json');
    expect(result.code).toBe(5);
    expect(comparisonOf(result)).toMatchObject({
      local: { verdict: 'unknown', error: { code: 'not_the_protocol' } },
      introspection: { verdict: 'accepted' },
      agree: null,
    });
  });

  it('sends nothing with --curl', async () => {
    const { server, run } = await setUp([]);
    const { code, stdout } = await run('validate', await accessToken(server), '--curl');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^curl --request POST .*\/introspect/);
  });

  it.each([
    [['--interval', '2'], 'watch_missing'],
    [['--deadline', '2'], 'watch_missing'],
    [['--watch', '--interval', '0'], 'seconds_invalid'],
    [['--leeway', '-1'], 'seconds_invalid'],
  ])('refuses %j before any request', async (options, code) => {
    const { server, run } = await setUp([]);
    expect(errorOf(await run('validate', 'x-token', ...options, '--json'))).toMatchObject({
      code,
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });
});

describe('validate --watch', () => {
  /** Seldom enough that nothing more is asked before the token expires. */
  const WATCH = ['--watch', '--interval', '400'];
  const start = async () => {
    const lab = await setUp([INACTIVE]);
    const exp = lab.clock.now() / 1000 + 300;
    return { ...lab, token: await accessToken(lab.server, { claims: { exp } }) };
  };

  it('ends in one document with what was seen, and in the exit code of the beginning', async () => {
    const { run, token } = await start();
    const result = await run('validate', token, ...WATCH, '--json');
    expect(result.code).toBe(4);
    const { local, introspection, watch } = comparisonOf(result);
    expect([local.verdict, introspection.verdict]).toEqual(['accepted', 'refused']);
    const at = '2026-01-01T00:00:00.000Z';
    const end = '2026-01-01T00:05:00.000Z';
    expect(watch).toMatchObject({
      started_at: at,
      ended_at: end,
      ended: 'expired',
      introspections: 1,
      failures: 0,
      events: [
        { at, way: 'local', verdict: 'accepted', previous_seen_at: null },
        { at, way: 'introspection', verdict: 'refused', previous_seen_at: null },
        { at: end, way: 'local', verdict: 'refused' },
      ],
      window: { from: at, earliest: at, until: end, ms: 300_000, is_over: true },
    });
    expect(codes(watch.differences)).toContain('revoked_or_logged_out');
    expect(errorOf(result).code).toBe('verdicts_differ');
  });

  it('draws both verdicts over time, and says how wide the window was', async () => {
    const { run, token } = await start();
    const { stdout, stderr } = await run('validate', token, ...WATCH);
    expect(stdout.match(/^verdict /gm)).toHaveLength(1);
    expect(stdout).toMatch(/^local check {4}█{49}░$/m);
    expect(stdout).toMatch(/^introspection {2}░{50}$/m);
    expect(stdout).toContain(
      'introspection refused it from the beginning; the local check went on accepting it for 5 min: that is the window\n',
    );
    expect(stderr).toMatch(/2026-01-01T00:05:00\.000Z {2}\+5 min {2}local check ✗ refuses/);
  });

  it('says that the window is open where a deadline ends it', async () => {
    const { run, token } = await start();
    const { stdout } = await run('validate', token, ...WATCH, '--deadline', '50');
    expect(stdout).toContain('the deadline passed after 50.0 s');
    expect(stdout).toContain(
      'for 50.0 s so far, and still does: the window is open, 5 min until the token expires',
    );
  });
});
