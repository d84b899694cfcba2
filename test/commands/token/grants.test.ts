import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateKey, pickPublicPart } from '../../../src/protocol/jose/key.ts';
import { CLIENT_ID, DEVICE_AUTHORIZATION, PENDING, TOKENS } from '../../helpers/misbehaving-server.ts';
import type { TestPartsOptions } from '../../helpers/parts.ts';
import { readFailure, run } from '../../helpers/run.ts';
import { type Script, startWorkplace } from '../../helpers/workplace.ts';

const TYPE = 'urn:ietf:params:oauth:token-type';
const EXCHANGED = { json: { ...TOKENS.json, issued_token_type: `${TYPE}:access_token` } };
const { user_code, device_code, verification_uri, verification_uri_complete } = DEVICE_AUTHORIZATION.json;

/** A workplace whose commands speak to the server as a public client. */
async function setUp(script: Script) {
  const place = await startWorkplace(script);
  const token = (options: TestPartsOptions, grant: string, ...args: string[]) =>
    place.runWith(options, 'token', grant, ...place.target, '--trace', place.trace, ...args);
  const formOf = (index: number) => [...(place.server.to('token')[index]?.form ?? [])];
  return { ...place, token, formOf };
}

describe('token device', () => {
  it('tells where to enter which code, and prints the token response', async () => {
    const { token } = await setUp({ device_authorization: [DEVICE_AUTHORIZATION], token: [PENDING, TOKENS] });
    const { code, stdout, stderr } = await token({}, 'device', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(TOKENS.json);
    expect(stderr).toContain(
      `    Open ${verification_uri}\n    and enter the code ${user_code}\n    or open ${verification_uri_complete}\n`,
    );
    expect(stderr).toContain('authorization_pending');
  });

  it('shows the user code there and nowhere else, the device code nowhere', async () => {
    const { token, traced } = await setUp({ device_authorization: [DEVICE_AUTHORIZATION], token: [TOKENS] });
    const { stderr } = await token({}, 'device', '--json', '-v');
    // As it is, and in the complete URL.
    expect(stderr.split(user_code)).toHaveLength(3);
    for (const text of [stderr, await traced()]) {
      expect(text).toContain('masked');
      expect(text).not.toContain(device_code);
      expect(text).not.toContain(TOKENS.json.access_token);
    }
    expect(await traced()).not.toContain(user_code);
  });

  it('shows the code under --quiet as well, and nothing else', async () => {
    const { token } = await setUp({ device_authorization: [DEVICE_AUTHORIZATION], token: [TOKENS] });
    const { stderr } = await token({}, 'device', '--quiet', '--json');
    expect(stderr.trim().split(/\s*\n\s*/)).toEqual([
      `Open ${verification_uri}`,
      `and enter the code ${user_code}`,
      `or open ${verification_uri_complete}`,
    ]);
  });

  it('lets the server write nothing to the screen', async () => {
    const json = { ...DEVICE_AUTHORIZATION.json, user_code: 'AB\u001b[2J\u0007CD' };
    const { token } = await setUp({ device_authorization: [{ json }], token: [TOKENS] });
    const { stderr } = await token({}, 'device', '--json');
    expect(stderr).toContain('AB\\x1b[2J\\x07CD');
    expect(stderr).not.toContain('\u001b');
  });

  it('shows an opaque access token masked, and does not call it an error', async () => {
    const { token } = await setUp({ device_authorization: [DEVICE_AUTHORIZATION], token: [TOKENS] });
    const { code, stdout } = await token({}, 'device');
    expect(code).toBe(0);
    expect(stdout).toBe('access_token   (masked) · opaque\ntoken_type     Bearer\n');
  });

  it('ends with exit code 7 when the person says no, and says what happened', async () => {
    const denied = {
      error: 'access_denied',
      error_description: 'The end user denied the authorization request',
    };
    const { token } = await setUp({
      device_authorization: [DEVICE_AUTHORIZATION],
      token: [{ status: 400, json: denied }],
    });
    const result = await token({}, 'device', '--json');
    expect(result.code).toBe(7);
    expect(readFailure(result)).toMatchObject({
      code: 'access_denied',
      hint: expect.stringContaining('denied the request in the browser'),
      oauth: { error: 'access_denied', status: 400 },
    });
  });

  it.each(['--interval', '--deadline'])('asks no server with a senseless %s', async (flag) => {
    const { server, token } = await setUp({});
    const result = await token({}, 'device', flag, 'soon', '--json');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'seconds_invalid' });
    expect(server.requests).toEqual([]);
  });
});

describe('token exchange', () => {
  it('takes the kept access token, and shows the issued_token_type', async () => {
    const { token, formOf } = await setUp({ token: [TOKENS, EXCHANGED] });
    await token({}, 'client-credentials');
    const { code, stdout } = await token({}, 'exchange');
    expect(code).toBe(0);
    expect(stdout).toContain(`issued_token_type ${TYPE}:access_token\n`);
    expect(formOf(1)).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ['subject_token', TOKENS.json.access_token],
      ['subject_token_type', `${TYPE}:access_token`],
      ['client_id', CLIENT_ID],
    ]);
  });

  it('sends everything that was asked for, audience and resource apart', async () => {
    const { home, token, formOf, traced } = await setUp({ token: [EXCHANGED] });
    const actor = join(home, 'actor');
    await writeFile(actor, 'the-actor-token\n');
    const { code, stderr } = await token(
      { stdin: 'the-subject-token\n' },
      ...(['exchange', '--subject-token', '-', '--subject-token-type', 'saml2', '-v'] as const),
      ...['--actor-token', `@${actor}`, '--actor-token-type', 'urn:example:badge'],
      ...['--requested-token-type', 'jwt', '--scope', 'a b', '--param', 'requested_issuer=elsewhere'],
      ...['--audience', 'one', '--audience', 'two', '--resource', 'https://r.example/'],
    );
    expect(code).toBe(0);
    expect(formOf(0)).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ['resource', 'https://r.example/'],
      ['audience', 'one'],
      ['audience', 'two'],
      ['scope', 'a b'],
      ['requested_token_type', `${TYPE}:jwt`],
      ['subject_token', 'the-subject-token'],
      ['subject_token_type', `${TYPE}:saml2`],
      ['actor_token', 'the-actor-token'],
      ['actor_token_type', 'urn:example:badge'],
      ['client_id', CLIENT_ID],
      ['requested_issuer', 'elsewhere'],
    ]);
    expect(stderr).toContain('audience=one  audience=two');
    for (const text of [stderr, await traced()]) expect(text).not.toMatch(/the-(subject|actor)-token/);
  });

  it('accepts a token that is no access token, and does not keep it as one', async () => {
    const json = { access_token: 'a-saml-assertion', token_type: 'N_A', issued_token_type: `${TYPE}:saml2` };
    const { token, formOf } = await setUp({ token: [TOKENS, { json }, EXCHANGED] });
    await token({}, 'client-credentials');
    const { code, stdout } = await token({}, 'exchange', '--requested-token-type', 'saml2', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(json);
    await token({}, 'exchange');
    expect(formOf(2)).toContainEqual(['subject_token', TOKENS.json.access_token]);
  });

  it('does not take a token without a type for an access token, and says so', async () => {
    const json = { access_token: 'of-another-issuer', issued_token_type: `${TYPE}:access_token` };
    const { token, formOf } = await setUp({ token: [TOKENS, { json }, EXCHANGED] });
    await token({}, 'client-credentials');
    const { code, stdout, stderr } = await token({}, 'exchange', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(json);
    expect(stderr).toContain('warning: the response lacks token_type');
    await token({}, 'exchange');
    expect(formOf(2)).toContainEqual(['subject_token', TOKENS.json.access_token]);
  });

  it.each([
    ['has ignored', {}, true],
    ['has heeded', { act: { sub: 'actor' } }, false],
  ])('tells when the server %s the actor token', async (_how, claims, warns) => {
    const payload = Buffer.from(JSON.stringify({ sub: 'a', ...claims })).toString('base64url');
    const json = { ...EXCHANGED.json, access_token: `eyJhbGciOiJFUzI1NiJ9.${payload}.c2lnbmF0dXJl` };
    const { token } = await setUp({ token: [{ json }] });
    const actor = ['--subject-token', 'the-subject-token', '--actor-token', 'the-actor-token'];
    const { code, stderr } = await token({}, 'exchange', ...actor);
    expect(code).toBe(0);
    expect(stderr.includes('the server ignored the actor token')).toBe(warns);
  });

  it('takes an ID token for the audience, and none for anybody else', async () => {
    const { server, token } = await setUp({
      token: [
        { aud: 'service' },
        { aud: 'service', azp: 'service' },
        { aud: 'service', azp: CLIENT_ID },
        { aud: 'somebody' },
        { aud: 'service', azp: 'somebody' },
        { aud: ['service', 'somebody'] },
      ].map((claims) => async () => ({
        json: { ...EXCHANGED.json, id_token: await server.idToken({ claims }) },
      })),
    });
    const exchange = () =>
      token({}, 'exchange', '--subject-token', 'the-subject-token', '--audience', 'service', '--json');
    for (let count = 0; count < 3; count += 1) expect((await exchange()).code).toBe(0);
    for (let count = 0; count < 3; count += 1)
      expect(readFailure(await exchange())).toMatchObject({ code: 'id_token_invalid', exit_code: 4 });
  });

  it('takes the type from the name of a kept token', async () => {
    const { server, token, formOf } = await setUp({
      token: [
        async () => ({
          json: { ...TOKENS.json, id_token: await server.idToken(), refresh_token: 'refresh-1' },
        }),
        EXCHANGED,
        EXCHANGED,
      ],
    });
    await token({}, 'client-credentials');
    await token({}, 'exchange', '--no-keep', '--subject-token', '@last.id_token');
    await token({}, 'exchange', '--no-keep', '--actor-token', '@last.refresh_token');
    expect(formOf(1)).toContainEqual(['subject_token_type', `${TYPE}:id_token`]);
    expect(formOf(2)).toContainEqual(['actor_token_type', `${TYPE}:refresh_token`]);
  });

  it('warns when the answer does not say of which type it is', async () => {
    const { token } = await setUp({ token: [TOKENS] });
    const { code, stderr } = await token({}, 'exchange', '--subject-token', 'the-subject-token');
    expect(code).toBe(0);
    expect(stderr).toContain('warning: the response lacks issued_token_type');
  });

  it.each([
    [['--subject-token', 'x', '--subject-token-type', 'token'], 'token_type_unknown'],
    [['--subject-token', 'x', '--requested-token-type', 'SAML'], 'token_type_unknown'],
    [['--subject-token', 'x', '--actor-token-type', 'jwt'], 'actor_token_missing'],
    [['--subject-token', '-', '--actor-token', '-'], 'stdin_twice'],
    [[], 'nothing_kept'],
  ])('with %j says what is wrong before any server is asked', async (args, code) => {
    const { server, token } = await setUp({});
    const result = await token({}, 'exchange', '--json', ...args);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code });
    expect(server.requests).toEqual([]);
  });
});

describe('token jwt-bearer', () => {
  it.each(['env:ASSERTION', '-', '@FILE', 'file:FILE'])('sends the assertion of %s', async (reference) => {
    const { home, token, formOf, traced } = await setUp({ token: [TOKENS] });
    const file = join(home, 'assertion');
    await writeFile(file, 'the-assertion\n');
    const { code, stderr } = await token(
      { env: { ASSERTION: 'the-assertion' }, stdin: 'the-assertion\n' },
      ...(['jwt-bearer', '--assertion', reference.replace('FILE', file), '--scope', 'a', '-v'] as const),
    );
    expect(code).toBe(0);
    expect(formOf(0)).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      ['assertion', 'the-assertion'],
      ['scope', 'a'],
      ['client_id', CLIENT_ID],
    ]);
    for (const text of [stderr, await traced()]) expect(text).not.toContain('the-assertion');
  });

  /** A key that signs assertions, in a file. */
  async function keyFile(home: string) {
    const { jwk } = await generateKey('ES256', 'key-1');
    const file = join(home, 'key.json');
    await writeFile(file, JSON.stringify(jwk));
    return { file, jwk };
  }

  it('makes an assertion for the issuer, by the client, as good as new each time', async () => {
    const { server, home, token, formOf, traced } = await setUp({ token: [TOKENS, TOKENS] });
    const { file, jwk } = await keyFile(home);
    const jtis = new Set();
    for (const index of [0, 1]) {
      const { code, stderr } = await token({}, 'jwt-bearer', '--assertion-key', file, '--sub', 'taro', '-v');
      expect(code).toBe(0);
      const { assertion = '', ...form } = Object.fromEntries(formOf(index));
      expect(form).toEqual({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: CLIENT_ID,
      });
      const { payload } = await compactVerify(assertion, await importJWK(pickPublicPart(jwk), 'ES256'));
      const { jti, iat, exp, ...claims } = JSON.parse(new TextDecoder().decode(payload));
      expect(claims).toEqual({ iss: CLIENT_ID, sub: 'taro', aud: server.issuer });
      expect(exp - iat).toBe(60);
      jtis.add(jti);
      for (const text of [stderr, await traced()]) expect(text).not.toContain(assertion);
    }
    expect(jtis.size).toBe(2);
  });

  it('makes an assertion of the claims that it is given', async () => {
    const { home, token, formOf } = await setUp({ token: [TOKENS] });
    const { file } = await keyFile(home);
    const { code } = await token(
      {},
      ...(['jwt-bearer', '--assertion-key', file, '--assertion-kid', 'key-2'] as const),
      ...['--iss', 'https://partner.example', '--sub', 'taro', '--aud', 'elsewhere', '--lifetime', '5'],
      ...['--claim', 'level=3', '--claim', 'tenant="3"', '--claim', 'note=a=b', '--claim', 'jti=null'],
    );
    expect(code).toBe(0);
    const { assertion = '' } = Object.fromEntries(formOf(0));
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: 'key-2' });
    const { iat = 0, exp = 0, ...claims } = decodeJwt(assertion);
    expect(claims).toEqual({
      iss: 'https://partner.example',
      sub: 'taro',
      aud: 'elsewhere',
      level: 3,
      tenant: '3',
      note: 'a=b',
    });
    expect(exp - iat).toBe(5);
  });

  it('names its own option where a file holds several keys', async () => {
    const { server, home, token } = await setUp({});
    const file = join(home, 'keys.json');
    const keys = [(await generateKey('ES256', 'one')).jwk, (await generateKey('ES256', 'two')).jwk];
    await writeFile(file, JSON.stringify({ keys }));
    const result = await token({}, 'jwt-bearer', '--assertion-key', file, '--sub', 'taro', '--json');
    expect(readFailure(result)).toMatchObject({
      code: 'key_ambiguous',
      hint: 'Name one with --assertion-kid: one, two.',
    });
    expect(server.requests).toEqual([]);
  });

  it('warns of an assertion that stands in the arguments', async () => {
    const { token } = await setUp({ token: [TOKENS] });
    const { stderr } = await token({}, 'jwt-bearer', '--assertion', 'the-assertion');
    expect(stderr).toContain('warning: a secret in the arguments');
  });

  it.each([
    [['--assertion', 'env:NOT_SET'], 'secret_unavailable'],
    [['--assertion', ' '], 'token_empty'],
    [[], 'assertion_missing'],
    [['--sub', 'taro'], 'assertion_missing'],
    [['--assertion', 'env:HOME', '--sub', 'taro'], 'assertion_ready_made'],
    [['--assertion', 'env:HOME', '--assertion-key', 'key.json'], 'assertion_ready_made'],
    [['--assertion-key', 'key.json'], 'claim_missing'],
    [['--assertion-key', 'key.json', '--claim', 'sub'], 'claim_invalid'],
    [['--assertion-key', 'key.json', '--claim', '=x'], 'claim_invalid'],
    [['--assertion-key', 'key.json', '--sub', 'taro', '--lifetime', '0'], 'seconds_invalid'],
    [['--assertion-key', 'no-such-file', '--sub', 'taro'], 'file_unreadable'],
  ])('with %j asks no server', async (args, code) => {
    const result = await run(
      'token',
      'jwt-bearer',
      '--issuer',
      'http://127.0.0.1:1',
      '--client-id',
      'a',
      '--json',
      ...args,
    );
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code });
  });
});

describe('token password', () => {
  const WARNING = 'warning: a secret in the arguments';

  it('warns of a password that stands in the arguments, and of no reference', async () => {
    const { token } = await setUp({ token: [TOKENS, TOKENS] });
    const literal = await token({}, 'password', '--username', 'taro', '--password', 'the-password');
    expect(literal).toMatchObject({ code: 0, stderr: expect.stringContaining(WARNING) });
    const env = { PW: 'the-password' };
    const reference = await token({ env }, 'password', '--username', 'taro', '--password', 'env:PW');
    expect(reference).toMatchObject({ code: 0, stderr: expect.not.stringContaining(WARNING) });
  });
});
