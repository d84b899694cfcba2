import { expect, type TestContext, test } from 'vitest';
import type { SampleClient } from '../lab/sample-realm.ts';
import { type Cli, openCli, type Run } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { claimsOf, createIntrospector, requestTokens, untilExpired } from './tokens.ts';

/** What `validate --json` prints, as far as it is looked at here. */
interface Document {
  local: { verdict: string; keys_ms: number; check_ms: number; checks: { name: string; reason?: string }[] };
  introspection: { verdict: string; answer: Record<string, unknown> | null; error: { code: string } | null };
  agree: boolean | null;
  differences: { code: string; cause: string; remedy: string }[];
  remarks: { code: string; remedy: string }[];
  clock_offset_ms: { min: number; max: number } | null;
  watch: {
    ended: string;
    failures: number;
    events: { at: string; way: string; verdict: string }[];
    window: { ms: number; is_over: boolean } | null;
    differences: { code: string }[];
  };
}

onEachKeycloak({}, (stage) => {
  /** The client of a resource server; it is in the `aud` of what `test-client` gets. */
  let introspector: SampleClient;

  stage.prepare(async () => {
    introspector = await createIntrospector(stage.sample);
  });

  const open = (context: TestContext): Promise<Cli> =>
    openCli(context, stage.sample, {
      env: { USER_PASSWORD: stage.sample.user.password, INTROSPECTOR_SECRET: introspector.secret },
      profile: { server: stage.server },
    });
  const signIn = async (cli: Cli) => {
    const tokens = await cli.json(
      ...['token', 'password', '--username', 'cl-taro', '--password', 'env:USER_PASSWORD'],
      ...['--scope', 'openid'],
    );
    return String(tokens.access_token);
  };
  const AS_INTROSPECTOR = ['--client-id', 'introspector', '--client-secret', 'env:INTROSPECTOR_SECRET'];
  const read = (run: Run, exitCode: number): Document => {
    expect(run.exitCode, run.stderr).toBe(exitCode);
    if (exitCode === 0) return JSON.parse(run.stdout);
    expect(run.stdout).toBe('');
    return JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '').error.validation;
  };
  const validate = async (cli: Cli, exitCode: number, ...args: string[]): Promise<Document> =>
    read(await cli.run('validate', ...AS_INTROSPECTOR, ...args, '--json'), exitCode);
  const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);
  const failures = ({ local }: Document) => local.checks.flatMap(({ reason }) => (reason ? [reason] : []));
  /** Lets the tokens of `test-client` live for so many seconds; empty for as long as the realm says. */
  const limitLifespan = ({ onTestFinished }: TestContext, seconds: number) => {
    const { admin, realm, client } = stage.sample;
    const set = (lifespan: string) =>
      admin.updateClient(realm, client.id, { attributes: { 'access.token.lifespan': lifespan } });
    onTestFinished(() => set(''));
    return set(String(seconds));
  };

  test('both ways accept a fresh token', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const document = await validate(cli, 0, '--audience', 'introspector');
    expect(document).toMatchObject({
      local: { verdict: 'accepted', keys_ms: expect.any(Number) },
      introspection: { verdict: 'accepted', answer: { active: true, username: 'cl-taro' } },
      agree: true,
      differences: [],
    });
    expect(document.local.check_ms).toEqual(expect.any(Number));
    // 26 does not tell its time; where 14 does, the clock of this machine is its own.
    if (stage.version === 26) expect(document.clock_offset_ms).toBeNull();
    else expect(document.clock_offset_ms?.min).toBeLessThanOrEqual(0);
    const { stdout } = await cli.run('validate', ...AS_INTROSPECTOR);
    expect(stdout).toMatch(/^verdict +✓ accepts +✓ accepts$/m);
    expect(stdout).toMatch(/^user +cl-taro +cl-taro$/m);
  });

  test('a logout turns the next introspection, and the local check accepts the token until exp', async (context) => {
    const cli = await open(context);
    const { admin, realm, user } = stage.sample;
    await limitLifespan(context, 20);
    const { exp = 0 } = claimsOf(await signIn(cli));
    const watching = cli.start('validate', ...AS_INTROSPECTOR, '--watch', '--interval', '0.25', '--json');
    await watching.says('active');
    await admin.logoutUser(realm, user.id);
    const loggedOutAt = Date.now();
    await watching.says(/introspection ✗ refuses/);
    const run = await watching.ended;
    const { watch } = read(run, 0);
    expect(watch).toMatchObject({ ended: 'expired', failures: 0 });
    const [, , turned, expired] = watch.events;
    expect(watch.events).toHaveLength(4);
    expect(turned).toMatchObject({ way: 'introspection', verdict: 'refused' });
    expect(expired).toMatchObject({ way: 'local', verdict: 'refused' });
    // Whatever was asked after the logout was answered with inactive.
    const asked = run.trace.filter(({ endpoint, answer }) => endpoint === 'introspection' && answer);
    const afterwards = asked.filter(({ at }) => Date.parse(at) > loggedOutAt);
    const active = afterwards.map(({ answer }) => JSON.parse(answer?.body ?? '').active);
    expect(new Set(active)).toEqual(new Set([false]));
    expect(Date.parse(expired?.at ?? '')).toBeGreaterThanOrEqual(exp * 1000);
    expect(watch.window).toMatchObject({ is_over: true });
    expect(watch.window?.ms).toBeGreaterThan(0);
    expect(codes(watch.differences)).toContain('revoked_or_logged_out');
    expect(codes(watch.differences)).not.toContain('client_not_in_audience');
    // The keys once, whatever the number of checks.
    expect(run.trace.filter(({ endpoint }) => endpoint === 'jwks')).toHaveLength(1);
  });

  test('a token that expires in peace has no window', async (context) => {
    const cli = await open(context);
    await limitLifespan(context, 15);
    await signIn(cli);
    const run = await cli.run('validate', ...AS_INTROSPECTOR, '--watch');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^introspection {2}█+░*$/m);
    expect(run.stdout).toContain('the local check never accepted the token while introspection refused it');
  });

  test('an interrupted watch tells what it saw so far', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const watching = cli.start('validate', ...AS_INTROSPECTOR, '--watch', '--json');
    await watching.says('active');
    watching.signal('SIGINT');
    const run = await watching.ended;
    expect(run).toMatchObject({ exitCode: 130, stdout: '' });
    expect(run.stderr).toMatch(/^local check {4}█{50}$/m);
    expect(run.stderr).toMatch(/interrupted after [^;\n]+; [1-9]\d* introspections/);
  });

  test('a client that is not in aud is told so on 26, and what to do', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const run = await cli.run('validate', '--json');
    const { agree, differences } = read(run, stage.expected(4, 0));
    expect(agree).toBe(stage.expected(false, true));
    if (stage.version === 26) {
      expect(differences[0]).toMatchObject({
        code: 'client_not_in_audience',
        remedy: expect.stringContaining('audience mapper for test-client to the client test-client'),
      });
      expect(run.stderr).toContain('verdicts_differ');
    }
  });

  test('what was ended passes the local check alone', async (context) => {
    const cli = await open(context);
    const { admin, realm, user, client } = stage.sample;
    const differs = async (code: string) => {
      const document = await validate(cli, 4);
      expect(document).toMatchObject({
        local: { verdict: 'accepted' },
        introspection: { verdict: 'refused' },
        agree: false,
      });
      expect(codes(document.differences)).toContain(code);
    };
    await signIn(cli);
    await admin.updateUser(realm, user.id, { enabled: false });
    await differs('user_disabled');
    await admin.updateUser(realm, user.id, { enabled: true });

    await signIn(cli);
    await admin.updateClient(realm, client.id, { enabled: false });
    await differs('client_disabled');
    // Disabled, it cannot ask either.
    const own = read(await cli.run('validate', '--json'), 3);
    expect(own).toMatchObject({ local: { verdict: 'accepted' }, introspection: { verdict: 'unknown' } });
    await admin.updateClient(realm, client.id, { enabled: true });

    await signIn(cli);
    await admin.logoutUser(realm, user.id);
    await differs('revoked_or_logged_out');
  });

  test('both ways refuse what was altered, has expired or is of another realm', async (context) => {
    const cli = await open(context);
    const refused = async (reason: string, token: string) => {
      const document = await validate(cli, 4, token);
      expect(document).toMatchObject({ introspection: { verdict: 'refused' }, agree: true, differences: [] });
      expect(failures(document)).toContain(reason);
    };
    const token = await signIn(cli);
    const [header = '', claims = '', signature = ''] = token.split('.');
    const altered = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'somebody-else' };
    const payload = Buffer.from(JSON.stringify(altered)).toString('base64url');
    await refused('signature_wrong', `${header}.${payload}.${signature}`);

    const other = await stage.realm(context, {});
    const elsewhere = await openCli(context, other, {
      env: { USER_PASSWORD: other.user.password },
      profile: { server: stage.server },
    });
    const foreign = await signIn(elsewhere);
    cli.know(foreign);
    await refused('issuer_mismatch', foreign);

    await limitLifespan(context, 1);
    const brief = (await requestTokens(stage.sample)).access_token;
    cli.know(brief);
    await untilExpired(brief);
    await refused('expired', brief);
  });

  test('a server that is reached by another name has another issuer, and that is said', async (context) => {
    const cli = await open(context);
    const token = await signIn(cli);
    const issuer = stage.sample.issuer.replace('127.0.0.1', 'localhost');
    const document = await validate(cli, 4, token, '--issuer', issuer);
    expect(failures(document)).toEqual(['issuer_mismatch']);
    expect(document.remarks).toMatchObject([
      { code: 'issuer_host_name', remedy: expect.stringContaining(`--issuer ${stage.sample.issuer}`) },
    ]);
  });

  test('where introspection is refused, the local verdict stands alone', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const run = await cli.run('validate', '--client-secret', 'env:USER_PASSWORD', '--json');
    const document = read(run, 3);
    expect(document).toMatchObject({
      local: { verdict: 'accepted' },
      introspection: { verdict: 'unknown', answer: null },
      agree: null,
    });
    expect(JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '').error).toMatchObject({
      exit_code: 3,
      oauth: { status: 401 },
    });
  });

  test('a refresh token is for the server alone', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const run = await cli.run('validate', '@last.refresh_token', '--json');
    const { introspection, differences } = read(run, 4);
    expect(introspection.verdict).toBe('accepted');
    expect(codes(differences)).toContain('not_an_access_token');
  });

  if (stage.version === 26) {
    test('a lightweight token of 26 lacks what introspection tells', async (context) => {
      const cli = await open(context);
      const { admin, realm, client } = stage.sample;
      const set = (enabled: string) =>
        admin.updateClient(realm, client.id, {
          attributes: { 'client.use.lightweight.access.token.enabled': enabled },
        });
      context.onTestFinished(() => set('false'));
      await set('true');
      await signIn(cli);
      const { differences } = await validate(cli, 4, '--audience', 'introspector');
      expect(codes(differences)).toEqual(['lightweight_token']);
    });
  }
});
