import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../../helpers/certificates.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { CLIENT_ID, TOKENS } from '../../helpers/misbehaving-server.ts';
import type { TestPartsOptions } from '../../helpers/parts.ts';
import { machine, readFailure } from '../../helpers/run.ts';
import { type Script, startWorkplace } from '../../helpers/workplace.ts';

const CODE = 'the-authorization-code';
const ACCESS_TOKEN = TOKENS.json.access_token;

/** A workplace with a person at the terminal, whose commands speak to the server as a public client. */
async function setUp(script: Script = {}) {
  const place = await startWorkplace(script, { clock: new FakeClock({ auto: false }) });
  const browsed: URL[] = [];
  /** A browser that comes back with these parameters, and with the state that was sent. */
  const browse =
    (query: Record<string, string> = { code: CODE }) =>
    async (address: string) => {
      const url = new URL(address);
      browsed.push(url);
      const state = url.searchParams.get('state') ?? '';
      await fetch(`${url.searchParams.get('redirect_uri')}?${new URLSearchParams({ ...query, state })}`);
    };
  const run = (options: TestPartsOptions, ...args: string[]) =>
    place.runWith(
      { terminal: true, browse: browse(), ...options },
      ...['token', 'code', ...place.target, '--trace', place.trace, ...args],
    );
  return { ...place, browsed, browse, run };
}

/** A port that nothing listens on, a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('token code', () => {
  it('opens the browser on a terminal, tells every step, and prints the token response', async () => {
    const { run, browsed, server } = await setUp({ token: [TOKENS] });
    const { code, stdout, stderr } = await run({}, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(TOKENS.json);
    expect(browsed).toHaveLength(1);
    const [url] = browsed;
    expect(stderr).toContain(`\n    Open ${url?.href}\n`);
    const port = new URL(url?.searchParams.get('redirect_uri') ?? '').port;
    expect(stderr.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^browser → server\s+GET \/authorize$/),
        `waiting for the redirect at http://127.0.0.1:${port}/callback`,
        'opening it in your browser',
        expect.stringMatching(/^browser → client\s+code$/),
        expect.stringMatching(/^client → server\s+POST \/token\s+none as test-client$/),
        expect.stringMatching(/^server → client\s+200\s+access_token opaque/),
      ]),
    );
    expect(server.to('token')).toHaveLength(1);
  });

  it('says of a signed authorization response that it was verified, and nothing of the kind of a bare one', async () => {
    const { run, server } = await setUp({ token: [TOKENS, TOKENS] });
    const browse = async (address: string) => {
      const { searchParams } = new URL(address);
      const claims = { sub: undefined, code: CODE, state: searchParams.get('state') };
      const response = await server.idToken({ claims });
      await fetch(`${searchParams.get('redirect_uri')}?response=${response}`);
    };
    const signed = await run({ browse }, '--response-mode', 'jwt');
    expect(signed.code).toBe(0);
    expect(signed.stderr).toMatch(/^ +by query, signature verified \(JARM\)$/m);
    expect((await run({})).stderr).toMatch(/^ +by query$/m);
  });

  it('takes response type, response mode, PAR and the request object from the profile and the environment', async () => {
    const place = await startWorkplace(
      {},
      { profile: ['--client-secret', 'env:CLIENT_SECRET', '--par', '--response-mode', 'form_post'] },
    );
    const args = ['token', 'code', '-p', 'sample', '--scope', 'openid', '--curl'];
    const pushed = await place.run(...args);
    expect(pushed.stdout).toContain('response_mode=form_post');
    expect(pushed.stdout).toMatch(/^curl /);
    await place.run('profile', 'set', 'sample', '--no-par', '--response-type', 'code id_token');
    const plain = new URL((await place.run(...args)).stdout.trim());
    expect(plain.searchParams.get('response_type')).toBe('code id_token');
    expect(plain.searchParams.get('response_mode')).toBe('form_post');
    await place.run('profile', 'set', 'sample', '--request-object');
    const signed = await place.run(...args, '--request-object-alg', 'HS256');
    expect(new URL(signed.stdout.trim()).searchParams.has('request')).toBe(true);
    const unsigned = await place.run(...args, '--no-request-object', '--response-mode', 'query');
    expect(new URL(unsigned.stdout.trim()).searchParams.get('response_mode')).toBe('query');
    const env = { OAUTHCTL_RESPONSE_MODE: 'smoke' };
    expect(await place.runWith({ env }, ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('OAUTHCTL_RESPONSE_MODE cannot be "smoke"'),
    });
  });

  it.each([
    ['--no-browser is given', { terminal: true }, ['--no-browser']],
    ['stderr is no terminal', { terminal: false }, []],
  ])('opens no browser where %s, and prints the address all the same', async (_what, options, args) => {
    const { run, browsed, clock } = await setUp();
    const running = run(options, ...args);
    while (clock.asleep === 0) await new Promise(setImmediate);
    clock.advance(300_000);
    const { code, stderr } = await running;
    expect(code).toBe(6);
    expect(stderr).toMatch(/\n {4}Open http:\/\/127\.0\.0\.1:\d+\/authorize\?client_id=/);
    expect(browsed).toEqual([]);
  });

  it('goes on when no browser can be opened, and says so', async () => {
    const { run, clock } = await setUp();
    const running = run({
      browse: async () => {
        throw new Error('there is no display');
      },
    });
    while (clock.asleep === 0) await new Promise(setImmediate);
    clock.advance(300_000);
    expect((await running).stderr).toContain('the browser could not be opened: there is no display');
  });

  it('shows the address under --quiet, and nothing else', async () => {
    const { run } = await setUp({ token: [TOKENS] });
    const { stderr } = await run({}, '--quiet', '--json');
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/^Open http:\S+$/)]);
  });

  it('shows neither code, verifier nor tokens on stderr or in a trace', async () => {
    const { run, tokenForm, traced } = await setUp({ token: [TOKENS] });
    const { stderr } = await run({}, '--json', '-v');
    const { code_verifier = '' } = tokenForm();
    expect(code_verifier).toHaveLength(43);
    for (const text of [stderr, await traced()]) {
      expect(text).toContain('code=(masked)');
      for (const secret of [CODE, code_verifier, ACCESS_TOKEN]) expect(text).not.toContain(secret);
    }
  });

  it('lets the server write nothing to the screen', async () => {
    const { run, browse } = await setUp();
    const words = { error: 'bad\u001b[2J', error_description: 'so\u0007' };
    const { code, stderr } = await run({ browse: browse(words) });
    expect(code).toBe(3);
    expect(stderr).toContain('bad\\x1b[2J');
    expect(stderr).not.toContain('\u001b');
  });

  it('sends what was asked for, and the setting of the person to sign in', async () => {
    const { run, browsed, home } = await setUp({ token: [TOKENS] });
    await writeFile(join(home, 'details.json'), '[\n { "type": "payment" }\n]');
    await run(
      { env: { OAUTHCTL_LOGIN_HINT: 'cl-taro' } },
      ...['--scope', 'one two', '--prompt', 'login', '--max-age', '0', '--acr-values', 'gold silver'],
      ...['--claims', '{ "userinfo": null }', '--kc-idp-hint', 'other', '--ui-locales', 'de en'],
      ...['--display', 'touch', '--response-mode', 'query', '--resource', 'https://one.example'],
      ...['--resource', 'https://two.example', '--authorization-details', `@${join(home, 'details.json')}`],
    );
    const sent = browsed[0]?.searchParams;
    expect(Object.fromEntries(sent ?? [])).toMatchObject({
      response_type: 'code',
      response_mode: 'query',
      scope: 'one two',
      login_hint: 'cl-taro',
      prompt: 'login',
      max_age: '0',
      acr_values: 'gold silver',
      claims: '{"userinfo":null}',
      kc_idp_hint: 'other',
      ui_locales: 'de en',
      display: 'touch',
      authorization_details: '[{"type":"payment"}]',
      code_challenge_method: 'S256',
    });
    expect(sent?.getAll('resource')).toEqual(['https://one.example', 'https://two.example']);
  });

  it('applies --param and --omit to the authorization request, --token-param and --token-omit to the token request', async () => {
    const { run, browsed, tokenForm } = await setUp({ token: [TOKENS] });
    await run(
      {},
      ...['--param', 'state=mine-alone', '--param', 'x=1', '--omit', 'code_challenge'],
      ...['--token-param', 'code_verifier=wrong', '--token-param', 'y=2', '--token-omit', 'redirect_uri'],
    );
    const sent = browsed[0]?.searchParams;
    expect([sent?.get('state'), sent?.get('x'), sent?.has('code_challenge'), sent?.has('y')]).toEqual([
      'mine-alone',
      '1',
      false,
      false,
    ]);
    expect(tokenForm()).toEqual({
      grant_type: 'authorization_code',
      code: CODE,
      code_verifier: 'wrong',
      y: '2',
      client_id: CLIENT_ID,
    });
  });

  it('ends with exit code 7 when the person says no', async () => {
    const { run, browse } = await setUp();
    const result = await run({ browse: browse({ error: 'access_denied' }) }, '--json');
    expect(result.code).toBe(7);
    expect(readFailure(result)).toEqual({
      code: 'access_denied',
      message: 'the server answered access_denied',
      hint: expect.stringContaining('denied the request'),
      exit_code: 7,
      // A browser keeps the status to itself.
      oauth: { error: 'access_denied' },
    });
  });

  it('shows an opaque access token masked, and does not call it an error', async () => {
    const { run } = await setUp({ token: [TOKENS] });
    const { code, stdout } = await run({});
    expect(code).toBe(0);
    expect(stdout).toBe('access_token   (masked) · opaque\ntoken_type     Bearer\n');
  });

  it('masks what a hybrid response brought through the browser, for people and not for --json', async () => {
    const brought = {
      code: CODE,
      access_token: 'the-front-access-token',
      token_type: 'Bearer',
    };
    const { run, browse, browsed } = await setUp({ token: [TOKENS, TOKENS] });
    const args = ['--response-type', 'code token'];
    const people = await run({ browse: browse(brought) }, ...args);
    expect(people.code).toBe(0);
    expect(people.stdout).toContain('authorization_response {"code":"(masked)","access_token":"(masked)"');
    expect(people.stdout).not.toContain('front');
    expect(people.stderr).toContain(
      'warning: the response type "code token" sends tokens through the browser',
    );
    const { stdout } = await run({ browse: browse(brought) }, ...args, '--json');
    const state = browsed[1]?.searchParams.get('state');
    expect(JSON.parse(stdout)).toEqual({ ...TOKENS.json, authorization_response: { ...brought, state } });
  });

  it.each([
    [['--response-type', 'token nonsense'], 'response_type_invalid'],
    [['--response-type', ''], 'response_type_invalid'],
    [['--response-mode', 'smoke'], 'usage'],
    [['--max-age', 'soon'], 'max_age_invalid'],
    [['--deadline', '0'], 'seconds_invalid'],
    [['--claims', '[]'], 'json_invalid'],
    [['--claims', '{'], 'json_invalid'],
    [['--authorization-details', '{}'], 'json_invalid'],
    [['--authorization-details', '@/nonexistent'], 'file_unreadable'],
    [['--token-param', 'nonsense'], 'param_invalid'],
    [['--redirect-uri', 'callback'], 'redirect_uri_invalid'],
    [['--listen', 'nowhere'], 'listen_invalid'],
    [['--redirect-cert', 'cert.pem'], 'redirect_certificate_incomplete'],
    [['--redirect-cert', 'cert.pem', '--redirect-key', 'key.pem'], 'redirect_certificate_incomplete'],
    [['--redirect-uri', 'https://app.example/cb'], 'redirect_not_ours'],
    [['--redirect-uri', 'https://localhost/cb'], 'redirect_not_ours'],
    [['--redirect-uri', 'http://192.0.2.1:8080/cb'], 'redirect_not_ours'],
    [['--redirect-uri', 'app:/cb'], 'redirect_not_ours'],
  ])('asks no server with %j: exit 2', async (args, errorCode) => {
    const { run, server } = await setUp();
    const result = await run({}, ...args, '--json');
    expect(readFailure({ ...result, stderr: result.stderr.replace(/^warning:.*\n/gm, '') })).toMatchObject({
      code: errorCode,
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });
});

describe('token code, the preflight', () => {
  const PAGE = '<div id="kc-error-message"><p class="instruction">Client disabled.</p></div>';

  it('is a step, before the address is shown', async () => {
    const { run } = await setUp({ token: [TOKENS] });
    const { stderr } = await run({}, '--scope', 'openid');
    expect(stderr).toMatch(
      /client → server\s+GET \/authorize {2}preflight, without a session[\s\S]*server → client\s+200\s+a page, no refusal[\s\S]*\n {4}Open /,
    );
  });

  it('ends at once in what the server says, explained, and opens no browser: exit 3', async () => {
    const { run, browsed, clock } = await setUp({
      authorization: [
        { status: 400, text: PAGE },
        { status: 400, text: PAGE },
      ],
    });
    const { code, stderr } = await run({});
    expect([code, browsed, clock.sleeps]).toEqual([3, [], []]);
    expect(stderr).toMatch(/server → client\s+400\s+bad_request/);
    expect(stderr).toContain('error: the server answered 400 bad_request: Client disabled.\n');
    expect(stderr).toContain('  cause   The client is disabled.\n');
    expect(stderr).not.toContain('Open ');
    expect(readFailure(await run({}, '--quiet', '--json'))).toEqual({
      code: 'bad_request',
      message: 'the server answered 400 bad_request: Client disabled.',
      hint: expect.stringContaining('Switch on "Enabled"'),
      exit_code: 3,
      oauth: { error: 'bad_request', error_description: 'Client disabled.', status: 400 },
    });
  });

  it('is told where it decides nothing, and lets nobody write to the screen', async () => {
    const { run } = await setUp({
      token: [TOKENS],
      authorization: [{ status: 503, text: '<p>so\u001b[2J' }],
    });
    const { code, stderr } = await run({});
    expect(code).toBe(0);
    expect(stderr).toMatch(/the preflight is inconclusive: it\s+answered 503/);
    expect(stderr).not.toContain('\u001b');
  });

  it.each([['--no-preflight'], ['--curl']])('is not sent with %s', async (flag) => {
    const { run, server } = await setUp(flag === '--curl' ? {} : { token: [TOKENS] });
    expect((await run({}, flag)).code).toBe(0);
    expect(server.to('authorization')).toEqual([]);
  });
});

describe('token code --reuse', () => {
  const LIVING = { json: { ...TOKENS.json, expires_in: 300 } };

  it('takes the kept access token, whatever state and challenge it was requested with', async () => {
    const { run, server, browsed } = await setUp({ token: [LIVING] });
    const args = [
      '--scope',
      'one',
      '--reuse',
      '--field',
      'access_token',
      '--resource',
      'https://one.example',
    ];
    expect((await run({}, ...args)).stdout).toBe(`${ACCESS_TOKEN}\n`);
    const { code, stdout, stderr } = await run({}, ...args, '--ui-locales', 'de');
    expect([code, stdout]).toEqual([0, `${ACCESS_TOKEN}\n`]);
    expect(stderr).toContain('is reused');
    expect([server.to('token').length, browsed.length]).toEqual([1, 1]);
  });

  it.each([
    ['another resource', ['--resource', 'https://two.example']],
    ['another acr', ['--acr-values', 'gold']],
    ['a parameter of the token request', ['--token-param', 'a=b']],
    ['a parameter of the authorization request', ['--param', 'a=b']],
    ['another user', ['--login-hint', 'somebody-else']],
  ])('asks anew for %s', async (_what, more) => {
    const { run, browsed } = await setUp({ token: [LIVING, LIVING] });
    await run({}, '--reuse');
    expect((await run({}, '--reuse', ...more)).code).toBe(0);
    expect(browsed).toHaveLength(2);
  });

  it('has nothing to reuse where no access token is asked for: exit 2', async () => {
    const { run, server, browse } = await setUp();
    const idToken = await server.idToken({ claims: { nonce: 'N' } });
    const result = await run(
      { browse: browse({ id_token: idToken }) },
      ...['--response-type', 'id_token', '--response-mode', 'query', '--param', 'nonce=N', '--reuse'],
    );
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('brings no access token');
  });
});

describe('where the redirect comes back to', () => {
  it.each([
    ['http://localhost/cb', /^http:\/\/localhost:\d+\/cb$/],
    ['http://127.0.0.1:0/deep/path', /^http:\/\/127\.0\.0\.1:[1-9]\d*\/deep\/path$/],
  ])('is a free port for %s', async (uri, sent) => {
    const { run, browsed, tokenForm } = await setUp({ token: [TOKENS] });
    expect((await run({ env: { OAUTHCTL_REDIRECT_URI: uri } })).code).toBe(0);
    expect(browsed[0]?.searchParams.get('redirect_uri')).toMatch(sent);
    expect(tokenForm().redirect_uri).toBe(browsed[0]?.searchParams.get('redirect_uri'));
  });

  it('is a member of a profile', async () => {
    const { runWith } = await machine();
    const add = ['profile', 'add', 'sample', '--issuer', 'https://as.example', '--client-id', 'a'];
    await runWith({}, ...add, '--redirect-uri', 'http://localhost:9999/cb');
    const { stdout } = await runWith({}, 'profile', 'show', 'sample', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ redirect_uri: 'http://localhost:9999/cb' });
  });

  it('is listened for elsewhere with --listen, as behind a tunnel', async () => {
    const { run, tokenForm } = await setUp({ token: [TOKENS] });
    const uri = 'https://tunnel.example/oauth/cb';
    const port = await freePort();
    const { code, stderr } = await run(
      {
        browse: async (address) => {
          const state = new URL(address).searchParams.get('state');
          await fetch(`http://127.0.0.1:${port}/oauth/cb?code=${CODE}&state=${state}`);
        },
      },
      ...['--redirect-uri', uri, '--listen', `127.0.0.1:${port}`],
    );
    expect(code).toBe(0);
    expect(stderr).toContain(`waiting for the redirect at http://127.0.0.1:${port}/oauth/cb`);
    expect(tokenForm().redirect_uri).toBe(uri);
  });

  it('speaks TLS with a certificate', async () => {
    const { run, home, clock, browsed } = await setUp();
    const { cert, key } = makeCertificate('localhost');
    const files = [join(home, 'cert.pem'), join(home, 'key.pem')] as const;
    await Promise.all([writeFile(files[0], cert), writeFile(files[1], key)]);
    const running = run(
      { browse: async (address) => void browsed.push(new URL(address)) },
      ...['--redirect-uri', 'https://127.0.0.1/cb', '--redirect-cert', files[0], '--redirect-key', files[1]],
    );
    while (clock.asleep === 0) await new Promise(setImmediate);
    const uri = browsed[0]?.searchParams.get('redirect_uri') ?? '';
    expect(uri).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/cb$/);
    // Plain HTTP is not what it speaks.
    await expect(fetch(uri.replace('https:', 'http:'))).rejects.toThrow();
    clock.advance(300_000);
    expect((await running).stderr).toContain(`waiting for the redirect at ${uri}`);
  });

  it('is another program: exit 2, and nothing is pushed', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const uri = `http://127.0.0.1:${(other.address() as AddressInfo).port}/cb`;
    const { run, server } = await setUp();
    const result = await run({}, '--redirect-uri', uri, '--par', '--json');
    expect(readFailure(result)).toMatchObject({
      code: 'address_in_use',
      exit_code: 2,
      hint: expect.stringContaining('leave it out for a free one'),
    });
    expect(server.to('pushed_authorization')).toEqual([]);
  });

  it('is standard input with --paste', async () => {
    const { run, tokenForm } = await setUp({ token: [TOKENS] });
    const uri = 'com.example.app:/cb';
    const { code } = await run(
      { stdin: `${uri}?code=${CODE}&state=S\n`, terminal: false },
      ...['--redirect-uri', uri, '--paste', '--param', 'state=S'],
    );
    expect(code).toBe(0);
    expect(tokenForm()).toMatchObject({ code: CODE, redirect_uri: uri });
  });
});

describe('token code, pushed and signed', () => {
  const PUSHED = { status: 201, json: { request_uri: 'urn:example:pushed', expires_in: 60 } };

  it('pushes by itself where the server requires it, and tells so', async () => {
    const { run, clock, browsed, server } = await setUp({
      metadata: { require_pushed_authorization_requests: true },
      pushed_authorization: [PUSHED],
    });
    const running = run({ browse: async (address) => void browsed.push(new URL(address)) });
    while (clock.asleep === 0) await new Promise(setImmediate);
    clock.advance(300_000);
    const { stderr } = await running;
    expect(browsed[0]?.search).toBe(`?client_id=${CLIENT_ID}&request_uri=urn%3Aexample%3Apushed`);
    expect(stderr).toMatch(/POST \/par {2}none as test-client[\s\S]*code_challenge_method=S256/);
    expect(stderr).toMatch(/201 {2}request_uri urn:example:pushed · expires in\s+1 min/);
    expect(server.to('pushed_authorization')[0]?.form.get('response_type')).toBe('code');
  });

  it('tells what the server says against a pushed request: exit 3', async () => {
    const refused = { error: 'invalid_request', error_description: 'Invalid parameter: redirect_uri' };
    const { run } = await setUp({ pushed_authorization: [{ status: 400, json: refused }] });
    const { code, stderr } = await run({}, '--par');
    expect(code).toBe(3);
    expect(stderr).toMatch(/server → client\s+400\s+invalid_request\n/);
    expect(stderr).toContain('The redirect URI is not registered');
  });

  it('signs with the key of a file, or of the client secret, and shows the address whole', async () => {
    const { run, home, clock } = await setUp();
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const file = join(home, 'key.json');
    await writeFile(file, JSON.stringify(await exportJWK(privateKey)));
    const env = { SECRET: 'a-secret-of-thirty-two-bytes-or-more' };
    const secret = ['--client-secret', 'env:SECRET', '--request-object-alg', 'HS256'];
    for (const [args, alg] of [
      [['--request-object-key', file], 'ES256'],
      [['--request-object', '--client-key', file], 'ES256'],
      [secret, 'HS256'],
      [['--request-object-alg', 'none'], 'none'],
    ] as const) {
      const running = run({ env, terminal: false }, ...args);
      while (clock.asleep === 0) await new Promise(setImmediate);
      clock.advance(300_000);
      const { stderr } = await running;
      const request = /Open \S+[?&]request=([\w.-]+)\n/.exec(stderr)?.[1] ?? '';
      const [header = ''] = request.split('.');
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg });
      expect(stderr.includes('warning: the request object is not signed')).toBe(alg === 'none');
    }
  });

  it('has nothing to sign with: exit 2', async () => {
    const { run } = await setUp();
    for (const args of [['--request-object'], ['--request-object-alg', 'HS256']]) {
      const result = await run({}, ...args, '--json');
      expect(readFailure(result)).toMatchObject({ code: 'request_object_key_missing', exit_code: 2 });
    }
  });
});

describe('token code --curl', () => {
  it('prints the address, and neither opens nor waits', async () => {
    const { run, browsed } = await setUp();
    const { code, stdout, stderr } = await run({}, '--curl', '--redirect-uri', 'http://127.0.0.1:4711/cb');
    expect([code, browsed]).toEqual([0, []]);
    expect(stderr).toMatch(/^# its code_verifier, state and nonce are not kept.*\n$/);
    const { searchParams } = new URL(stdout.trim());
    expect(searchParams.get('redirect_uri')).toBe('http://127.0.0.1:4711/cb');
    expect(searchParams.get('code_challenge_method')).toBe('S256');
  });

  it('prints the request that would be pushed', async () => {
    const { run, server } = await setUp();
    const { code, stdout } = await run({}, '--curl', '--par');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^curl --request POST http:\S+\/par /);
    expect(stdout).toContain('--data-urlencode response_type=code ');
    expect(server.to('pushed_authorization')).toEqual([]);
  });
});
