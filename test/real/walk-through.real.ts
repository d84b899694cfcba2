import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import {
  addProfile,
  type Cli,
  openCli,
  type Run,
  SECRET_SHAPES,
  serverUrl,
  type TracedExchange,
} from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';

/** Seconds between two polls, as in the walk-through. */
const INTERVAL = 5;

/** Seconds; an interval that no machine is slow enough to wait for by accident. */
const LONG_INTERVAL = 60;

const START = ['ciba', 'start', '--login-hint', 'cl-taro', '--binding-message', 'test-0001', '--device'];

onEachKeycloak({ interval: INTERVAL, also24: true }, (stage) => {
  /** Opens a shell on a realm where a client that waits for the interval is found out. */
  const openPatient = async (context: TestContext) =>
    stage.cli(context, await stage.realm(context, { interval: LONG_INTERVAL }));

  /** The exchanges of one flow, by endpoint, and that none of them was sent twice. */
  function expectOneFlow(cli: Cli, callbackBody: string) {
    const [request] = cli.exchanges('backchannel_authentication');
    expect(request?.answer?.status).toBe(200);
    expect(cli.exchanges('backchannel_authentication')).toHaveLength(1);
    expect(cli.exchanges('authentication_device')).toMatchObject([
      { direction: 'in', answer: { status: 201 } },
    ]);
    expect(cli.exchanges('ciba_callback')).toMatchObject([
      { direction: 'out', request: { body: callbackBody }, answer: { status: 200 } },
    ]);
    return { request, polls: cli.exchanges('token') };
  }

  /** The only token request is the one that brings the tokens, and it did not wait for the interval of `openPatient`. */
  function expectTokensAtOnce(cli: Cli) {
    const { request, polls } = expectOneFlow(cli, '{"status":"SUCCEED"}');
    expect(polls).toMatchObject([{ answer: { status: 200 } }]);
    const waited = Date.parse(polls[0]?.at ?? '') - Date.parse(request?.at ?? '');
    expect(waited).toBeLessThan(LONG_INTERVAL * 1000);
  }

  /** Between two of the requests lies the interval at least; a busy machine makes it longer. */
  function expectIntervals(requests: readonly TracedExchange[]) {
    const sentAt = requests.map(({ at }) => Date.parse(at));
    const gaps = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(INTERVAL * 1000);
  }

  /** Every member of the token response is printed, none is added; only the tokens are masked in the trace. */
  function expectAsItCame({ stdout, trace }: Run) {
    const printed = JSON.parse(stdout);
    const sent = JSON.parse(trace.find(({ endpoint }) => endpoint === 'token')?.answer?.body ?? '');
    expect(Object.keys(printed)).toEqual(Object.keys(sent));
    for (const token of ['access_token', 'refresh_token', 'id_token']) {
      expect(printed[token]).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(sent[token]).toContain('masked');
      delete printed[token];
      delete sent[token];
    }
    expect(printed).toEqual(sent);
    expect(printed).toMatchObject({
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      refresh_expires_in: expect.any(Number),
      session_state: expect.any(String),
      'not-before-policy': 0,
      scope: expect.stringContaining('openid'),
    });
  }

  test('profile add finds the realm below /realms or /auth/realms', async (context) => {
    const cli = await openCli(context, stage.sample);
    const profile = await addProfile(cli, stage.server, stage.sample, stage.sample.client);
    expect(profile).toMatchObject({
      name: 'sample',
      issuer: stage.sample.issuer,
      client_id: 'test-client',
      client_secret: 'env:SAMPLE_CLIENT_SECRET',
      device_listen: stage.server.deviceListen,
    });
    const prefix = stage.expected('/realms/', '/auth/realms/');
    expect(profile.issuer).toBe(`${serverUrl(stage.server)}${prefix}${stage.sample.realm}`);
    expect(await readFile(join(cli.home, 'profiles.json'), 'utf8')).not.toContain(stage.sample.client.secret);
    const shown = await cli.json('profile', 'show');
    expect(shown).toEqual(profile);
  });

  test('discover shows the endpoints of the realm', async (context) => {
    const cli = await stage.cli(context);
    const metadata = await cli.json('discover');
    expect(metadata).toMatchObject({
      issuer: stage.sample.issuer,
      backchannel_authentication_endpoint: `${stage.sample.issuer}/protocol/openid-connect/ext/ciba/auth`,
      backchannel_token_delivery_modes_supported: stage.expected(['poll', 'ping'], ['poll']),
    });
  });

  describe.each([
    ['without -v', []],
    ['with -v', ['-v']],
  ] as const)('%s', (_name, verbosity) => {
    test('start --device --approve prints the token response as it came', async (context) => {
      const cli = await openPatient(context);
      const run = await cli.run(...START, '--approve', '--json', ...verbosity);
      expect(run).toMatchObject({ exitCode: 0 });
      expectAsItCame(run);
      expectTokensAtOnce(cli);
      expect(run.stderr).toContain('id_token verified');
    });

    test.for([
      ['--deny', 'UNAUTHORIZED'],
      ['--cancel', 'CANCELLED'],
    ] as const)('start --device %s exits 7 with what the server said', async ([rule, status], context) => {
      const cli = await stage.cli(context);
      const error = await cli.fails(7, ...START, rule, ...verbosity);
      expect(error).toMatchObject({
        code: 'access_denied',
        oauth: {
          error: 'access_denied',
          error_description: 'not authorized',
          status: stage.expected(400, 403),
        },
        hint: expect.stringContaining('denied or cancelled'),
      });
      const { polls } = expectOneFlow(cli, `{"status":"${status}"}`);
      expect(polls).toHaveLength(1);
    });
  });

  test('start --device --ignore --deadline 17 exits 6 after polls that kept to the interval', async (context) => {
    const cli = await stage.cli(context);
    const error = await cli.fails(6, ...START, '--ignore', '--deadline', '17');
    expect(error).toMatchObject({
      code: 'deadline',
      hint: expect.stringContaining('oauthctl ciba poll'),
    });
    expect(error.oauth).toBeUndefined();
    expect(cli.exchanges('authentication_device')).toMatchObject([{ answer: { status: 201 } }]);
    expect(cli.exchanges('ciba_callback')).toEqual([]);
    const polls = cli.exchanges('token');
    for (const { answer } of polls)
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ error: 'authorization_pending' });
    expect(polls.length).toBeGreaterThanOrEqual(1);
    expectIntervals([...cli.exchanges('backchannel_authentication'), ...polls]);
  });

  test('start --device --after pending polls a second time and no earlier than the interval', async (context) => {
    const cli = await stage.cli(context);
    await cli.json(...START, '--approve', '--after', 'pending');
    const { polls } = expectOneFlow(cli, '{"status":"SUCCEED"}');
    expect(polls.length).toBeGreaterThanOrEqual(2);
    expect(polls[0]).toMatchObject({ answer: { status: 400 } });
    expect(polls.at(-1)).toMatchObject({ answer: { status: 200 } });
    expectIntervals(polls);
  });

  test('without --json the ten steps are told in words, and no token is shown', async (context) => {
    const cli = await stage.cli(context);
    const { exitCode, stdout, stderr } = await cli.run(...START, '--approve');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`oauthctl ciba · profile sample · ${stage.sample.issuer} · poll`);
    expect(stderr).toContain('user cl-taro · client test-client');
    expect(stderr).toContain('"test-0001"');
    // The acknowledgement and the device's answer leave the server at nearly the same time.
    const marks = [...stderr.matchAll(/^ ([①-⑩]+) /gm)].map(([, mark]) => mark);
    expect(marks.filter((mark) => mark !== '②')).toEqual(['①', '③', '④', '⑦', '⑧', '⑨⑩']);
    expect(marks).toContain('②');
    expect(stdout).toContain('cl-taro');
    expect(stdout.match(SECRET_SHAPES)).toBeNull();
  });

  test('--field prints one token and nothing else', async (context) => {
    const cli = await stage.cli(context);
    const { exitCode, stdout } = await cli.run(...START, '--approve', '--field', 'access_token');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n?$/);
  });

  test('the device listens where --listen says, when the profile does not', async (context) => {
    const cli = await openPatient(context);
    await cli.json('profile', 'set', 'sample', '--unset', 'device_listen');
    await cli.json(...START, '--approve', '--listen', stage.server.deviceListen);
    expectTokensAtOnce(cli);
  });

  test('--show-secrets shows what every other test makes sure is hidden', async (context) => {
    const cli = await stage.cli(context);
    const run = await cli.run(...START, '--approve', '--json', '-v', '--show-secrets');
    const tokens = JSON.parse(run.stdout);
    const [request] = cli.exchanges('backchannel_authentication');
    const { auth_req_id } = JSON.parse(request?.answer?.body ?? '');
    const bearer = cli.exchanges('authentication_device')[0]?.request.headers.authorization ?? '';
    const { clientId, secret } = stage.sample.client;
    const secrets = [
      auth_req_id,
      bearer,
      `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
      tokens.access_token,
      tokens.refresh_token,
      tokens.id_token,
    ];
    for (const secret of secrets) {
      expect(secret.match(SECRET_SHAPES)).toHaveLength(1);
      expect(run.traceText).toContain(secret);
      expect(run.stderr).toContain(secret);
    }
  });
});
