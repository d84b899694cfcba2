import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/process-parts.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { CLIENT_ID, HTML_PAGE } from '../helpers/misbehaving-server.ts';
import type { TestPartsOptions } from '../helpers/parts.ts';
import { readFailure } from '../helpers/run.ts';
import { CLIENT_SECRET, type Script, startWorkplace } from '../helpers/workplace.ts';

const ACCESS = 'the-access-token';
const REFRESH = 'the-refresh-token';

/** A workplace with a profile, and tokens that are kept for it. */
async function setUp(
  script: Script,
  response: Readonly<Record<string, unknown>> = { access_token: ACCESS, refresh_token: REFRESH },
) {
  const place = await startWorkplace(script, { profile: ['--client-secret', 'env:CLIENT_SECRET'] });
  await place.keep(response);
  const runIn = (options: TestPartsOptions, ...argv: string[]) =>
    place.runWith(options, ...argv, '--trace', place.trace);
  return {
    ...place,
    runIn,
    run: (...argv: string[]) => runIn({}, ...argv),
    kept: async () => (await place.store.tokens.last('sample'))?.response,
  };
}

const formOf = (request: { form: URLSearchParams } | undefined) => Object.fromEntries(request?.form ?? []);

describe('introspect', () => {
  it('asks about the kept access token as the client, and prints the answer as it came', async () => {
    const json = { active: true, exp: 0, scope: 'a', cnf: { 'x5t#S256': 'x' }, deep: { a: [1] } };
    const { server, run } = await setUp({ introspection: [{ json }, { json }] });
    const { code, stdout } = await run('introspect', '--json');
    expect({ code, json: JSON.parse(stdout) }).toEqual({ code: 0, json });
    const [request] = server.to('introspection');
    expect(formOf(request)).toEqual({ token: ACCESS, token_type_hint: 'access_token' });
    expect(request?.headers).toMatchObject({
      accept: 'application/json',
      authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}`,
    });
    expect((await run('introspect', '--field', 'active')).stdout).toBe('true\n');
  });

  it('ends with exit code 4 and an empty stdout for an inactive token, and says what may be behind it', async () => {
    const { run } = await setUp({ introspection: [{ json: { active: false } }] });
    const result = await run('introspect', '--json');
    expect(result.code).toBe(4);
    expect(readFailure(result)).toEqual({
      code: 'token_inactive',
      message: 'the server says that the token is not active',
      hint: expect.stringMatching(/cannot be decoded here.*revoked/),
      exit_code: 4,
    });
  });

  it('shows times in words, and nothing that could write to the screen', async () => {
    const { run } = await setUp({
      introspection: [
        { json: { active: true, iat: 1_700_000_000, username: 'x\u001b[2J', jwt: 'eyJhbGciOi.e30.x' } },
      ],
    });
    const { stdout } = await run('introspect');
    expect(stdout).toBe(
      'active\n  iat                1700000000 (2023-11-14T22:13:20Z)\n  username           x\\x1b[2J\n  jwt                eyJh…(masked)\n',
    );
  });

  it('verifies a signed answer, and prints its claims', async () => {
    const lab = await setUp({
      introspection: [
        async () => ({
          headers: { 'content-type': 'application/token-introspection+jwt' },
          text: await lab.server.idToken({
            typ: 'token-introspection+jwt',
            claims: { token_introspection: { active: true, sub: 'u' } },
          }),
        }),
      ],
    });
    const { code, stdout, stderr } = await lab.run('introspect', '--jwt', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      iss: lab.server.issuer,
      token_introspection: { active: true, sub: 'u' },
    });
    expect(stderr).toContain('active · answer verified: ES256');
    expect(lab.server.to('introspection')[0]?.headers.accept).toBe('application/token-introspection+jwt');
  });

  it('refuses a signed answer of somebody else, whatever was asked for', async () => {
    const lab = await setUp({
      introspection: [
        async () => ({
          headers: { 'content-type': 'application/jwt' },
          text: await lab.server.idToken({
            foreignKey: true,
            typ: 'token-introspection+jwt',
            claims: { token_introspection: { active: true } },
          }),
        }),
      ],
    });
    const result = await lab.run('introspect', '--json');
    expect(readFailure(result)).toMatchObject({ code: 'introspection_response_invalid', exit_code: 4 });
  });

  it('takes no plain answer where a signed one was asked for', async () => {
    const { run } = await setUp({ introspection: [{ json: { active: true } }] });
    const result = await run('introspect', '--jwt', '--json');
    expect(readFailure(result)).toMatchObject({ code: 'introspection_not_signed', exit_code: 4 });
  });

  it('sends the hint that is given, takes the token from standard input, and shows it nowhere', async () => {
    const { server, runIn, traced } = await setUp({ introspection: [{ json: { active: true } }] });
    const { stderr } = await runIn(
      { stdin: 'a-token-from-elsewhere\n' },
      ...['introspect', '-', '--token-type-hint', 'x', '-v'],
    );
    expect(formOf(server.to('introspection')[0])).toEqual({
      token: 'a-token-from-elsewhere',
      token_type_hint: 'x',
    });
    expect(stderr + (await traced())).not.toContain('a-token-from-elsewhere');
  });

  it('reads standard input once', async () => {
    const { server, run } = await setUp({});
    expect(readFailure(await run('introspect', '-', '--client-secret', '-', '--json'))).toMatchObject({
      code: 'stdin_twice',
    });
    expect(server.requests).toEqual([]);
  });

  it('tells no server a kept token of another one', async () => {
    const { server, store, run } = await setUp({});
    await store.profiles.set('sample', { issuer: `${server.issuer}/other` });
    for (const command of ['introspect', 'revoke', 'userinfo', 'logout']) {
      expect(readFailure(await run(command, '@last.access_token', '--json')), command).toMatchObject({
        code: 'kept_elsewhere',
        exit_code: 2,
      });
    }
    expect(server.requests).toEqual([]);
  });

  it('says that a server without the endpoint has none', async () => {
    const { run } = await setUp({ metadata: { introspection_endpoint: undefined } });
    expect(readFailure(await run('introspect', '--json'))).toMatchObject({ code: 'endpoint_missing' });
  });
});

describe('revoke', () => {
  it('revokes the kept refresh token, and forgets all that came with it', async () => {
    const { server, run, kept } = await setUp({ revocation: [{}] });
    const { code, stdout } = await run('revoke', '--json');
    expect({ code, json: JSON.parse(stdout) }).toEqual({
      code: 0,
      json: { accepted: true, forgotten: ['sample'] },
    });
    expect(formOf(server.to('revocation')[0])).toEqual({ token: REFRESH, token_type_hint: 'refresh_token' });
    expect(await kept()).toBeUndefined();
  });

  it('revokes the access token where no refresh token is kept, or where it is named', async () => {
    const { server, run, kept, keep } = await setUp({ revocation: [{}, {}] }, { access_token: ACCESS });
    await run('revoke');
    expect(await kept()).toBeUndefined();
    await keep({ access_token: ACCESS, refresh_token: REFRESH, expires_in: 300, scope: 'a' });
    await run('revoke', '@last.access_token');
    expect(await kept()).toEqual({ token_type: 'Bearer', refresh_token: REFRESH, scope: 'a' });
    expect(server.to('revocation').map(({ form }) => form.get('token'))).toEqual([ACCESS, ACCESS]);
  });

  it.each([
    ['an ID token alone', { id_token: 'the-id-token' }],
    ['no token', {}],
  ])('says that there is nothing to revoke where %s is kept: exit 2', async (_what, response) => {
    const { server, run } = await setUp({}, response);
    expect(readFailure(await run('revoke', '--json'))).toMatchObject({
      code: 'nothing_kept',
      message: expect.stringContaining('nothing to revoke: neither a refresh token nor an access token'),
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });

  it('forgets a kept token that is given by value, and no other', async () => {
    const { run, kept } = await setUp({ revocation: [{}, {}] });
    expect(JSON.parse((await run('revoke', 'another-token', '--json')).stdout)).toMatchObject({
      forgotten: [],
    });
    expect(await kept()).toMatchObject({ access_token: ACCESS, refresh_token: REFRESH });
    expect(JSON.parse((await run('revoke', REFRESH, '--json')).stdout)).toMatchObject({
      forgotten: ['sample'],
    });
  });

  it.each([
    [{ status: 503, headers: { 'retry-after': '20' } }, 3, /as good as before: try again in 20 s/],
    [{ status: 503, json: { error: 'temporarily_unavailable' } }, 3, /try again later/],
    [{ json: { error: 'invalid_token' } }, 3, /Nothing was revoked/],
    [{ status: 400, json: { error: 'unsupported_token_type' } }, 3, /ID tokens/],
    [{ text: HTML_PAGE }, 5, /Another program/],
  ])('forgets nothing where nothing was revoked: %j', async (answer, exit_code, hint) => {
    const { run, kept } = await setUp({ revocation: [answer] });
    expect(readFailure(await run('revoke', '--json'))).toMatchObject({
      exit_code,
      hint: expect.stringMatching(hint),
    });
    expect(await kept()).toMatchObject({ access_token: ACCESS, refresh_token: REFRESH });
  });
});

describe('userinfo', () => {
  it('sends the kept access token, and compares the user with that of the kept ID token', async () => {
    const { server, run, keep } = await setUp({
      userinfo: [{ json: { sub: 'user-1', name: 'Taro' } }, { json: { sub: 'user-2' } }],
    });
    await keep({ access_token: ACCESS, id_token: await server.idToken() });
    const { code, stdout } = await run('userinfo', '--json');
    expect({ code, json: JSON.parse(stdout) }).toEqual({ code: 0, json: { sub: 'user-1', name: 'Taro' } });
    expect(server.to('userinfo')[0]).toMatchObject({
      method: 'GET',
      headers: { authorization: `Bearer ${ACCESS}` },
    });
    const result = await run('userinfo', '--json');
    expect(readFailure(result)).toMatchObject({
      code: 'userinfo_invalid',
      message: expect.stringMatching(/its sub is "user-2".*"user-1"/),
      exit_code: 4,
    });
  });

  it('compares with no ID token of another access token', async () => {
    const { server, run, keep } = await setUp({ userinfo: [{ json: { sub: 'user-2' } }] });
    await keep({ access_token: ACCESS, id_token: await server.idToken() });
    expect((await run('userinfo', 'another-token')).code).toBe(0);
  });

  it('verifies a signed answer', async () => {
    const jwt = { 'content-type': 'application/jwt' };
    const lab = await setUp({
      userinfo: [
        async () => ({ headers: jwt, text: await lab.server.idToken() }),
        async () => ({ headers: jwt, text: await lab.server.idToken({ foreignKey: true }) }),
      ],
    });
    const { code, stderr } = await lab.run('userinfo');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('signature verified: ES256');
    expect(readFailure(await lab.run('userinfo', '--json'))).toMatchObject({ code: 'userinfo_invalid' });
  });

  it('sends own parameters in the query, or by POST in the body', async () => {
    const { server, run } = await setUp({ userinfo: [{ json: { sub: 'u' } }] });
    await run('userinfo', '--post', '--param', 'schema=openid');
    expect(server.to('userinfo')[0]).toMatchObject({ method: 'POST', body: 'schema=openid' });
  });

  it.each([
    [
      'Bearer error="invalid_token", error_description="user_session_not_found"',
      /session of the token has ended/,
    ],
    ['Bearer realm="x", error="insufficient_scope"', /without the scope|wants/],
  ])('reads the refusal in the header: %s', async (challenge, hint) => {
    const { run } = await setUp({
      userinfo: [{ status: 401, text: '', headers: { 'www-authenticate': challenge } }],
    });
    expect(readFailure(await run('userinfo', '--json'))).toMatchObject({
      exit_code: 3,
      hint: expect.stringMatching(hint),
      oauth: { status: 401 },
    });
  });
});

/** The workplace, with a server that logs out in the browser only. */
async function setUpBrowserOnly(script: Script) {
  const place = await setUp(script);
  const url = `${place.server.issuer}/logout`;
  Object.assign(place.server.metadata, { end_session_endpoint: url });
  return { ...place, url };
}

describe('logout', () => {
  it('ends the session of the kept refresh token, and forgets its tokens', async () => {
    const { server, run, kept } = await setUp({ end_session: [{ status: 204 }] });
    const { code, stdout } = await run('logout', '--json');
    expect({ code, json: JSON.parse(stdout) }).toEqual({
      code: 0,
      json: { by: 'refresh_token', forgotten: ['sample'] },
    });
    expect(formOf(server.to('end_session')[0])).toEqual({ refresh_token: REFRESH });
    expect(await kept()).toBeUndefined();
  });

  it.each([
    ['the kept refresh token', []],
    ['a refresh token that is given', [REFRESH]],
  ])(
    'sends neither secret nor token to a server that is not Keycloak, for %s: exit 4',
    async (_what, args) => {
      const { server, run, kept, url } = await setUpBrowserOnly({});
      const result = await run('logout', '--json', ...args);
      const error = readFailure({ ...result, stderr: result.stderr.replace(/^note.*\n/gm, '') });
      expect(error).toMatchObject({
        code: 'logout_by_browser_only',
        exit_code: 4,
        message: expect.stringContaining(`nothing was sent to ${url}`),
        hint: expect.stringMatching(/oauthctl logout --browser.*oauthctl revoke/),
      });
      expect(server.requests.map(({ endpoint }) => endpoint)).toEqual(['metadata']);
      expect(await kept()).toMatchObject({ refresh_token: REFRESH });
    },
  );

  it.each([
    ['an access token alone', { access_token: ACCESS }],
    ['no token', {}],
  ])('says that there is nothing to log out where %s is kept: exit 2', async (_what, response) => {
    const { server, run } = await setUp({}, response);
    expect(readFailure(await run('logout', '--json'))).toMatchObject({
      code: 'nothing_kept',
      message: expect.stringContaining('nothing to log out: neither a refresh token nor an ID token'),
      hint: expect.stringContaining('--browser'),
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });

  it('forgets nothing where the server answers with a page for people', async () => {
    const { run, kept } = await setUp({ end_session: [{ text: HTML_PAGE }] });
    expect(readFailure(await run('logout', '--json'))).toMatchObject({
      code: 'logout_by_browser_only',
      exit_code: 4,
    });
    expect(await kept()).toMatchObject({ refresh_token: REFRESH });
  });

  it('goes by the browser where no refresh token is kept', async () => {
    const { server, run } = await setUp({}, { access_token: ACCESS, id_token: 'the-id-token' });
    const { stdout, stderr } = await run('logout', '--json', '--ui-locales', 'ja en');
    const query = `id_token_hint=the-id-token&ui_locales=ja+en&client_id=${CLIENT_ID}`;
    const url = `${server.metadata.end_session_endpoint}?${query}`;
    expect(JSON.parse(stdout)).toEqual({ by: 'browser', url, returned: false, forgotten: [] });
    expect(stderr).toContain(`Open ${url}\n`);
  });

  it('opens the browser on a terminal, unless it is told not to', async () => {
    const browsed: string[] = [];
    const { runIn } = await setUp({}, { access_token: ACCESS });
    const browse = async (url: string) => void browsed.push(url);
    await runIn({ terminal: true, browse }, 'logout', '--browser');
    await runIn({ terminal: true, browse }, 'logout', '--no-browser');
    expect(browsed).toEqual([expect.stringMatching(/\/logout\?client_id=test-client$/)]);
  });

  it('waits for the browser to come back with its state, and forgets the tokens of the hint', async () => {
    const { runIn, kept } = await setUp({}, { access_token: ACCESS, id_token: 'the-id-token' });
    const statuses: number[] = [];
    const browse = async (url: string) => {
      const { searchParams } = new URL(url);
      const back = new URL(searchParams.get('post_logout_redirect_uri') ?? '');
      for (const state of ['forged', searchParams.get('state') ?? '']) {
        back.searchParams.set('state', state);
        statuses.push((await fetch(back)).status);
      }
    };
    const { code, stdout, stderr } = await runIn(
      { terminal: true, browse, clock: systemClock },
      ...['logout', '--json', '--post-logout-redirect-uri', 'http://127.0.0.1/gone'],
    );
    expect(code, stderr).toBe(0);
    expect(statuses).toEqual([400, 200]);
    expect(JSON.parse(stdout)).toMatchObject({ by: 'browser', returned: true, forgotten: ['sample'] });
    expect(await kept()).toBeUndefined();
  });

  it.each([
    ['no state', undefined, /^the response that came back has no state$/],
    ['another state', 'forged', /^the response that came back has another state/],
  ])(
    'names a redirect with %s when the wait ends, and at once with --fail-fast: exit 4',
    async (_what, state, message) => {
      for (const more of [[], ['--fail-fast']]) {
        const clock = new FakeClock({ auto: false });
        const { runIn, kept } = await setUp({}, { access_token: ACCESS, id_token: 'the-id-token' });
        const browse = async (url: string) => {
          const back = new URL(new URL(url).searchParams.get('post_logout_redirect_uri') ?? '');
          if (state !== undefined) back.searchParams.set('state', state);
          await fetch(back);
          if (more.length === 0) clock.advance(5000);
        };
        const result = await runIn(
          { terminal: true, browse, clock },
          ...[
            'logout',
            '--json',
            '--deadline',
            '5',
            '--post-logout-redirect-uri',
            'http://127.0.0.1/gone',
            ...more,
          ],
        );
        expect(JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
          code: 'state_mismatch',
          exit_code: 4,
          message: expect.stringMatching(message),
        });
        expect(await kept()).toMatchObject({ access_token: ACCESS });
      }
    },
  );

  it('counts the seconds, waits no longer than the deadline, and forgets nothing then', async () => {
    const { clock, run, kept } = await setUp({});
    const result = await run(
      ...['logout', '--json', '--deadline', '5', '--post-logout-redirect-uri', 'http://127.0.0.1/gone'],
    );
    expect(result.code).toBe(6);
    expect(result.stderr).toContain('"code":"nobody_came"');
    expect(clock.sleeps).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(await kept()).toMatchObject({ access_token: ACCESS });
  });

  it('takes a refresh token or the browser, not both', async () => {
    const { server, run } = await setUp({});
    expect(readFailure(await run('logout', REFRESH, '--browser', '--json'))).toMatchObject({
      code: 'logout_ambiguous',
      exit_code: 2,
    });
    expect(server.requests).toEqual([]);
  });
});
