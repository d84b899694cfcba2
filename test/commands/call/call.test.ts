import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/main.ts';
import { generateKey } from '../../../src/protocol/jose/key.ts';
import { generateDpopKey } from '../../../src/protocol/oauth/dpop.ts';
import { openStore } from '../../../src/store/index.ts';
import type { KeptTokens } from '../../../src/store/tokens.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { startMisbehavingServer } from '../../helpers/misbehaving-server.ts';
import { type TestPartsOptions, testParts } from '../../helpers/parts.ts';
import { type ResourceAnswer, startResourceServer } from '../../helpers/resource-server.ts';
import { machine, type Run, readFailure } from '../../helpers/run.ts';

const TOKEN = 'the-access-token';
const BYTES = Uint8Array.from({ length: 256 }, (_unused, index) => index);

const bearer = (parameters: string, status = 401): ResourceAnswer => ({
  status,
  headers: { 'www-authenticate': `Bearer ${parameters}` },
});

/** A machine on which `tokens` are kept for the profile `sample`, and a scripted resource. */
async function start(
  script: readonly ResourceAnswer[] | ((url: string) => readonly ResourceAnswer[]),
  tokens: Partial<KeptTokens> | undefined = {},
  issuer = 'https://as.example',
) {
  const { home, runWith } = await machine();
  const server = await startResourceServer(typeof script === 'function' ? script : () => script);
  const store = openStore({ OAUTHCTL_HOME: home });
  await store.profiles.add('sample', { issuer, client_id: 'a' });
  if (tokens !== undefined) {
    await store.tokens.keep('sample', {
      response: { access_token: TOKEN, token_type: 'Bearer' },
      grant_type: 'client_credentials',
      issuer,
      client_id: 'a',
      received_at: Date.now(),
      ...tokens,
    });
  }
  const call = (...argv: string[]): Promise<Run> => runWith({}, 'call', ...argv);
  const callWith = (options: TestPartsOptions, ...argv: string[]) => runWith(options, 'call', ...argv);
  return { ...server, home, call, callWith, store };
}

describe('call', () => {
  it('sends the kept token as Bearer, and prints the body byte for byte', async () => {
    const { url, call, requests, home } = await start([{ body: BYTES }, { body: BYTES }, { body: BYTES }]);
    const parts = await testParts({ env: { OAUTHCTL_HOME: home } });
    expect(await main(['call', url], parts)).toBe(0);
    expect([...parts.stdoutBytes()]).toEqual([...BYTES]);
    const result = await call(`${url}/api?x=1#top`);
    expect(result).toMatchObject({ code: 0 });
    expect(requests[1]).toMatchObject({
      method: 'GET',
      path: '/api?x=1',
      headers: { authorization: `Bearer ${TOKEN}`, accept: '*/*' },
    });
    expect(requests[1]?.headers.dpop).toBeUndefined();
    expect(result.stderr).toMatch(/GET \/api .*as Bearer\n.*200 .*256 bytes/s);
    expect((await call(`${url}/api`, '-v')).stderr).not.toContain(TOKEN);
  });

  it('sends a body with the type that it looks like, POST where no method is named', async () => {
    const { url, callWith, requests, home } = await start(Array(5).fill({}));
    const file = join(home, 'body.bin');
    await writeFile(file, BYTES);
    await callWith({}, url, '--data', '{"a":1}');
    await callWith({}, 'PUT', url, '--data', 'a=1&b=2');
    await callWith({}, 'patch', url, '--data', `@${file}`);
    await callWith({ stdin: BYTES }, url, '--data', '-');
    await callWith({}, url, '--data', 'null', '--header', 'Content-Type: text/x-own');
    expect(requests.map(({ method, headers }) => [method, headers['content-type']])).toEqual([
      ['POST', 'application/json'],
      ['PUT', 'application/x-www-form-urlencoded'],
      ['PATCH', 'application/octet-stream'],
      ['POST', 'application/octet-stream'],
      ['POST', 'text/x-own'],
    ]);
    expect(requests.map(({ body }) => [...body])).toEqual([
      [...Buffer.from('{"a":1}')],
      [...Buffer.from('a=1&b=2')],
      [...BYTES],
      [...BYTES],
      [...Buffer.from('null')],
    ]);
  });

  it('sends the headers of the person, in place of its own', async () => {
    const { url, call, requests } = await start([{}, {}]);
    await call(url, '--header', 'Accept: text/plain', '--header', 'X-A:b: c', '--header', 'DPoP: mine');
    await call(url, '--header', 'authorization: Basic abc');
    expect(requests[0]?.headers).toMatchObject({ accept: 'text/plain', 'x-a': 'b: c', dpop: 'mine' });
    expect(requests[1]?.headers.authorization).toBe('Basic abc');
  });

  it('prints status and headers with -i, and JSON or one member of it where that is asked for', async () => {
    const json = {
      headers: { 'content-type': 'application/json', 'x-a': ['1', '2'] },
      body: '{"a":{"b":"ü"}}',
    };
    const { url, call } = await start(Array(5).fill(json));
    expect((await call(url, '-i')).stdout).toMatch(
      /^HTTP 200\ncontent-type: .*\nx-a: 1, 2\n.*\n\n\{"a":\{"b":"ü"\}\}$/s,
    );
    expect((await call(url, '--field', 'a.b')).stdout).toBe('ü\n');
    expect(JSON.parse((await call(url, '--json')).stdout)).toEqual({ a: { b: 'ü' } });
    expect(JSON.parse((await call(url, '--json', '-i')).stdout)).toMatchObject({
      status: 200,
      body: { a: { b: 'ü' } },
    });
    expect((await call('HEAD', url)).code).toBe(0);
  });

  it('writes the body into a file', async () => {
    const { url, call, home } = await start([{ body: BYTES }]);
    const file = join(home, 'out');
    expect(await call(url, '--output', file)).toMatchObject({ code: 0, stdout: '' });
    expect([...(await readFile(file))]).toEqual([...BYTES]);
  });

  it('says that an answer is not JSON', async () => {
    const { url, call } = await start([{ body: '<html>' }, { status: 204 }]);
    expect(readFailure(await call(url, '--json'))).toMatchObject({ code: 'answer_not_json', exit_code: 4 });
    expect((await call(url, '--json')).stdout).toBe('null\n');
  });

  it('reads an answer that is larger than the protocol’s may be', async () => {
    const { url, call } = await start([{ body: Buffer.alloc(3 * 1024 * 1024, 'x') }]);
    expect((await call(url)).stdout).toHaveLength(3 * 1024 * 1024);
  });

  it.each([
    [[], 'url_missing'],
    [['post'], 'url_missing'],
    [['localhost:8080/x'], 'url_invalid'],
    [['file:///etc/passwd'], 'url_invalid'],
    [['http://me:pw@127.0.0.1/'], 'url_invalid'],
    [['FETCH', 'http://127.0.0.1/'], 'method_unknown'],
    [['http://127.0.0.1/', 'GET'], 'url_invalid'],
    [['http://rs.example/'], 'cleartext_refused'],
    [['http://127.0.0.1.rs.example/'], 'cleartext_refused'],
    [['http://127.0.0.1/', '--header', 'no colon'], 'header_invalid'],
    [['http://127.0.0.1/', '--header', 'A: b\r\nC: d'], 'header_invalid'],
    [['http://127.0.0.1/', '--header', 'A b: c'], 'header_invalid'],
    [['http://127.0.0.1/', '--header', 'Content-Length: 7'], 'header_invalid'],
    [['http://127.0.0.1/', '--param', 'a=b'], 'param_unfit'],
    [['http://127.0.0.1/', '--token', '-', '--data', '-'], 'stdin_twice'],
    [['http://127.0.0.1/', '--token', 'x', '--refresh'], 'refresh_of_given'],
    [['http://127.0.0.1/', '--token', 'two words'], 'token_invalid'],
    [['http://127.0.0.1/', '--token', 'a\r\nX-Evil: b'], 'token_invalid'],
    [['http://127.0.0.1/', '--data', '@/nowhere/at/all'], 'file_unreadable'],
    [['http://127.0.0.1/', '--dpop-claim', '=x'], 'dpop_claim_invalid'],
  ])('refuses %j before anything is sent: %s', async (argv, code) => {
    const { call } = await start([]);
    const result = await call(...argv, '--json');
    expect(readFailure(result)).toMatchObject({ code, exit_code: 2 });
    expect(result.stderr).not.toContain(TOKEN);
  });

  it('shows the request as a curl command, secrets by reference', async () => {
    const { url, call } = await start([]);
    const { stdout, code } = await call(url, '--curl', '--data', '{"a":1}');
    expect(code).toBe(0);
    expect(stdout).toContain(`--header "authorization: Bearer $OAUTHCTL_ACCESS_TOKEN"`);
    expect(stdout).toContain(`--data-raw '{"a":1}'`);
    expect(stdout).not.toContain(TOKEN);
  });
});

describe('the token of a call', () => {
  it('may be given, where no issuer is known and no tokens are kept', async () => {
    const { url, requests } = await startResourceServer(() => [{}, {}]);
    const { run, runWith } = await machine();
    expect((await run('call', url, '--token', 'given-token')).code).toBe(0);
    expect((await runWith({ stdin: 'piped-token\n' }, 'call', url, '--token', '-')).code).toBe(0);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer given-token',
      'Bearer piped-token',
    ]);
  });

  it('is missed where none is kept, with a hint how to get one', async () => {
    const { run } = await machine();
    const error = readFailure(await run('call', 'http://127.0.0.1:1/', '--json'));
    expect(error).toMatchObject({
      code: 'nothing_kept',
      exit_code: 2,
      hint: expect.stringContaining('--token'),
    });
  });

  it('is said to have expired, and sent all the same', async () => {
    const response = { access_token: TOKEN, token_type: 'Bearer', expires_in: 60 };
    const { url, call } = await start([{}], { response, received_at: Date.now() - 61_000 });
    expect(await call(url)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning: .*has expired/),
    });
  });

  it('is refreshed first where that is wanted and it ends soon, and not otherwise', async () => {
    const clock = new FakeClock();
    const server = await startMisbehavingServer({
      clock,
      token: [{ json: { access_token: 'the-new-token', token_type: 'Bearer', expires_in: 300 } }],
    });
    const response = {
      access_token: TOKEN,
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: 'refresh-1',
    };
    const { url, callWith, requests } = await start(
      [{}, {}, {}],
      { response, received_at: clock.now() },
      server.issuer,
    );
    await callWith({ clock }, url, '--refresh');
    clock.pass(31_000);
    await callWith({ clock }, url, '--refresh');
    await callWith({ clock }, url);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${TOKEN}`,
      'Bearer the-new-token',
      'Bearer the-new-token',
    ]);
  });
});

describe('a call with a token that is bound by DPoP', () => {
  const bound = async () => {
    const key = await generateDpopKey();
    const { jkt, alg, jwk } = key;
    return {
      response: { access_token: TOKEN, token_type: 'DPoP' },
      dpop: { jkt, alg, jwk: jwk as { kty: string } },
    };
  };
  const nonceWanted = (nonce: string): ResourceAnswer => ({
    status: 401,
    headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce },
  });
  const claimsOf = (headers: Readonly<Record<string, unknown>>) => decodeJwt(String(headers.dpop));

  it('proves the kept key for the address, the method and the token', async () => {
    const { url, call, requests } = await start([{}], await bound());
    expect((await call('DELETE', `${url}/a/b?c=d`)).code).toBe(0);
    const [{ headers } = expect.fail()] = requests;
    expect(headers.authorization).toBe(`DPoP ${TOKEN}`);
    expect(claimsOf(headers)).toMatchObject({ htm: 'DELETE', htu: `${url}/a/b`, ath: expect.any(String) });
  });

  it('is sent once more with the nonce that the resource wants, and no third time', async () => {
    const { url, call, requests } = await start(
      [nonceWanted('n-1'), { body: 'ok' }, nonceWanted('n-2'), nonceWanted('n-3')],
      await bound(),
    );
    const result = await call(url, '--data', 'a=b');
    expect(result).toMatchObject({ code: 0, stdout: 'ok' });
    expect(result.stderr).toContain('use_dpop_nonce');
    expect(requests.map(({ body }) => body.toString())).toEqual(['a=b', 'a=b']);
    expect(requests.map(({ headers }) => claimsOf(headers).nonce)).toEqual([undefined, 'n-1']);
    const error = readFailure(await call(url, '--json'));
    expect(error).toMatchObject({
      code: 'use_dpop_nonce',
      exit_code: 3,
      hint: expect.stringContaining('nonce'),
    });
  });

  it('goes as Bearer with --no-dpop, and the refusal says why', async () => {
    const token = await new SignJWT({ cnf: { jkt: 'the-thumbprint' } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));
    const { dpop } = await bound();
    const response = { access_token: token, token_type: 'DPoP' };
    const { url, call, requests } = await start([bearer('error="invalid_token"')], { dpop, response });
    const error = readFailure(await call(url, '--no-dpop', '--json'));
    expect(requests[0]?.headers).toMatchObject({ authorization: `Bearer ${token}` });
    expect(requests[0]?.headers.dpop).toBeUndefined();
    expect(error.hint).toMatch(/bound to the DPoP key the-thumbprint, and was sent as a bearer token/);
  });

  it('asks for the key where it is not kept, and takes it from a file', async () => {
    const { jwk } = await generateKey('ES256');
    const { dpop, response } = await bound();
    const { url, call, requests, home } = await start([{}], {
      response,
      dpop: { jkt: dpop.jkt, alg: 'ES256' },
    });
    expect(readFailure(await call(url, '--json'))).toMatchObject({ code: 'dpop_key_missing', exit_code: 2 });
    const file = join(home, 'key.json');
    await writeFile(file, JSON.stringify(jwk));
    expect((await call(url, '--dpop-key', file)).code).toBe(0);
    expect(requests[0]?.headers.authorization).toBe(`DPoP ${TOKEN}`);
  });

  it('breaks the proof on purpose', async () => {
    const { url, call, requests } = await start([{}], await bound());
    await call(
      url,
      '--dpop-claim',
      'htu=https://other.example',
      '--dpop-claim',
      'iat=1',
      '--dpop-claim',
      'ath',
    );
    expect(claimsOf(requests[0]?.headers ?? {})).toEqual({
      htm: 'GET',
      htu: 'https://other.example',
      iat: 1,
      jti: expect.any(String),
    });
  });

  it('shows neither the key nor the proof', async () => {
    const tokens = await bound();
    const { url, call, requests } = await start([{}], tokens);
    const { stderr } = await call(url, '-v');
    expect(stderr).toContain('dpop: ');
    for (const secret of [String(requests[0]?.headers.dpop), String((tokens.dpop.jwk as { d?: string }).d)])
      expect(stderr).not.toContain(secret);
  });
});

describe('a call that is refused', () => {
  const fail = async (answer: ResourceAnswer, ...argv: string[]) => {
    const { url, call } = await start([answer]);
    return readFailure(await call(url, '--json', ...argv));
  };

  it('says what the challenge says, with the scopes to ask for and the command', async () => {
    const answer = bearer(
      'realm="r", error="insufficient_scope", error_description="too little", scope="a:read b"',
      403,
    );
    const { url, call } = await start([answer], {
      response: { access_token: TOKEN, token_type: 'Bearer', scope: 'openid' },
    });
    expect(readFailure(await call(url, '--json'))).toEqual({
      code: 'insufficient_scope',
      message: 'the server answered 403 insufficient_scope: too little',
      hint: 'The resource wants the scope "a:read b". Ask for it: oauthctl token client-credentials --scope "openid a:read b"',
      exit_code: 3,
      oauth: { error: 'insufficient_scope', error_description: 'too little', status: 403 },
    });
  });

  it('offers no command that a shell would take for more than one', async () => {
    const error = await fail(bearer(`error="insufficient_scope", scope="$(reboot) \`id\` ok"`, 403));
    expect(error.hint).toContain('--scope "ok"');
    expect(error.hint).not.toMatch(/reboot|`id`/);
  });

  it.each([
    ['invalid_token', bearer('error="invalid_token"'), /does not accept the token/],
    ['unauthorized', { status: 401 }, /without a reason/],
    ['unauthorized', bearer('realm="x"'), /without a reason/],
    [
      'unauthorized',
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
      /sent as Bearer, and the resource takes Basic/,
    ],
    ['forbidden', { status: 403, body: 'no' }, /accepted the token/],
    ['invalid_request', { status: 400, body: '{"error":"invalid_request"}' }, undefined],
    ['not_found', { status: 404, body: '{"status":404,"error":"Not Found"}' }, undefined],
    ['access_denied', { status: 403, body: '{"error":"access_denied"}' }, undefined],
    ['internal_server_error', { status: 500, body: '{"error":{"code":1}}' }, undefined],
  ])('is %s for %j', async (code, answer, hint) => {
    const error = await fail(answer as ResourceAnswer);
    expect(error).toMatchObject({ code, exit_code: 3, oauth: { error: code, status: answer.status } });
    if (hint) expect(error.hint).toMatch(hint);
  });

  it('prefers the challenge of the scheme that was used, of several headers', async () => {
    const headers = {
      'www-authenticate': [
        'DPoP error="invalid_dpop_proof"',
        'Basic realm="a, b"',
        'Bearer error="invalid_token"',
      ],
    };
    expect((await fail({ status: 401, headers })).code).toBe('invalid_token');
  });

  it('shows the body on stderr, control characters made visible and tokens masked', async () => {
    const { url, call } = await start([{ status: 409, body: `\u001b[2J busy ${TOKEN}` }]);
    const result = await call(url);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('\\x1b[2J busy (masked)\n');
    expect(result.stderr).not.toContain('\u001b');
  });

  it('shows no cookie and no token of the answer on stderr', async () => {
    const headers = { 'set-cookie': 'SESSION=the-cookie; Path=/' };
    const { url, call } = await start([{ status: 400, headers, body: '{"refresh_token":"their-token"}' }]);
    const { stderr } = await call(url, '-i');
    expect(stderr).toContain('set-cookie: (masked)');
    expect(stderr).not.toMatch(/the-cookie|their-token/);
  });

  it('without a token says what the resource takes', async () => {
    const error = await fail(bearer('realm="x"'), '--no-token');
    expect(error.hint).toBe('No token was sent. The resource takes: Bearer.');
  });

  it('with a token that is bound to a client certificate names the certificate', async () => {
    const token = await new SignJWT({ cnf: { 'x5t#S256': 'the-thumbprint' } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));
    const error = await fail(bearer('error="invalid_token"'), '--token', token);
    expect(error.hint).toMatch(/client certificate the-thumbprint.*--cert/);
  });

  it('after the token has expired says so', async () => {
    const token = await new SignJWT({ exp: 1 }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
    const error = await fail(bearer('error="invalid_token"'), '--token', token);
    expect(error.hint).toContain('has expired');
  });
});

describe('the metadata that a challenge links', () => {
  const WELL_KNOWN = '/.well-known/oauth-protected-resource';
  const refusedWith = (parameters: (url: string) => string, metadata?: (url: string) => ResourceAnswer) =>
    start((url) => [bearer(parameters(url)), ...(metadata ? [metadata(url)] : [])]);
  const linked = (url: string) => `error="invalid_token", resource_metadata="${url}${WELL_KNOWN}/api"`;

  it('is fetched without the token, and says whose tokens the resource takes', async () => {
    const token = await new SignJWT({ iss: 'https://mine.example' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));
    const { url, call, requests } = await refusedWith(linked, (origin) => ({
      body: JSON.stringify({ resource: `${origin}/api`, authorization_servers: ['https://as.example'] }),
    }));
    const error = readFailure(await call(`${url}/api?q=1`, '--token', token, '--json'));
    expect(error).toMatchObject({
      code: 'invalid_token',
      hint: 'The resource takes tokens of https://as.example, and this one is of https://mine.example.',
    });
    expect(requests[1]).toMatchObject({ method: 'GET', path: `${WELL_KNOWN}/api` });
    expect(requests[1]?.headers.authorization).toBeUndefined();
  });

  it.each([
    [
      'of another resource',
      (origin: string) => ({ body: JSON.stringify({ resource: `${origin}/other` }) }),
      /another resource/,
    ],
    ['that is a page', () => ({ body: '<html>' }), /answered with/],
    ['that is not there', () => ({ status: 404 }), /status 404/],
  ])('is not used %s, and the refusal stays the result', async (_what, metadata, warning) => {
    const { url, call } = await refusedWith(linked, metadata);
    const result = await call(`${url}/api`);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(warning);
    expect(result.stderr).toContain('401 invalid_token');
  });

  it('is not fetched from another origin', async () => {
    const other = await startResourceServer(() => []);
    const { url, call } = await refusedWith(
      () => `error="invalid_token", resource_metadata="${other.url}/x"`,
    );
    const result = await call(`${url}/api`);
    expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining('another origin') });
    expect(other.requests).toEqual([]);
  });
});

describe('a redirect', () => {
  it('is not followed unless asked', async () => {
    const { url, call, requests } = await start([{ status: 302, headers: { location: '/next' } }]);
    const error = readFailure(await call(url, '--json'));
    expect(error).toMatchObject({ code: 'redirected', exit_code: 3, hint: expect.stringContaining('/next') });
    expect(requests).toHaveLength(1);
  });

  it.each([
    [303, 'GET', ''],
    [302, 'GET', ''],
    [307, 'POST', '{}'],
  ])('of %s within the origin is followed as %s', async (status, method, body) => {
    const { url, call, requests } = await start([
      { status, headers: { location: 'next?a=b' } },
      { body: 'ok' },
    ]);
    expect((await call(`${url}/one/`, '--location', '--data', '{}')).stdout).toBe('ok');
    expect(requests[1]).toMatchObject({
      method,
      path: '/one/next?a=b',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(requests[1]?.body.toString()).toBe(body);
    expect(requests[1]?.headers['content-type'] === undefined).toBe(body === '');
  });

  it.each(['', '//'])('to another origin is never followed: %s', async (prefix) => {
    const other = await startResourceServer(() => []);
    const location = prefix === '' ? other.url : other.url.replace('http:', '');
    const { url, call } = await start([{ status: 307, headers: { location } }]);
    expect((await call(url, '--location')).code).toBe(3);
    expect(other.requests).toEqual([]);
  });

  it('without end is given up', async () => {
    const { url, call } = await start(Array(6).fill({ status: 302, headers: { location: '/again' } }));
    expect(readFailure(await call(url, '--location', '--json'))).toMatchObject({ code: 'redirected' });
  });

  it('that leads nowhere is an answer', async () => {
    const { url, call } = await start([{ status: 304 }]);
    expect(await call(url)).toMatchObject({ code: 0, stdout: '' });
  });
});
