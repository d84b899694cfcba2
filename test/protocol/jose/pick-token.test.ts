import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { pickToken } from '../../../src/protocol/jose/pick-token.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${encode({ alg: 'RS256', kid: 'a-key-of-the-realm' })}.${encode({ sub: 'a' })}.c2lnbmF0dXJl`;
const OTHER = `${encode({ alg: 'ES256' })}.${encode({ sub: 'b' })}.c2lnbmF0dXJl`;
const JWE = `${encode({ alg: 'dir', enc: 'A256GCM' })}..aXY.Y2lwaGVy.dGFn`;
const RESPONSE = {
  access_token: JWT,
  token_type: 'Bearer',
  expires_in: 60,
  refresh_token: 'opaque-refresh',
  id_token: OTHER,
};

const pick = (text: string, ...wanted: string[]) =>
  pickToken(text, wanted.length > 0 ? wanted : ['access_token'], 'the file');

function failure(text: string, ...wanted: string[]): UsageError {
  try {
    const { token } = pick(text, ...wanted);
    throw new Error(`there was a token: ${token}`);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

describe('a token by itself', () => {
  it.each([
    ['alone', JWT],
    ['with line ends', `\r\n ${JWT}\r\n`],
    ['in quotes', `"${JWT}"`],
    ['in single quotes with a comma after it', `'${JWT}',`],
    ['after Bearer', `Bearer ${JWT}`],
    ['after bearer in quotes', `"bearer  ${JWT}"`],
    ['in quotes after DPoP', `DPoP "${JWT}"`],
    ['in a header', `Authorization: Bearer ${JWT}\n`],
    ['with a written line end', `${JWT}\\n`],
    ['in a JSON string', JSON.stringify(`${JWT}\n`)],
  ])('%s is taken', (_where, text) => {
    expect(pick(text)).toEqual({ token: JWT, repairs: [] });
  });

  it('that is opaque is taken as it is', () => {
    for (const token of ['the-access-token', 'ya29.a0Af', 'a+b/c==', '~%&!', '2YotnFZFEjr1zCsicMWpAA'])
      expect(pick(`${token}\n`)).toEqual({ token, repairs: [] });
  });

  it.each([
    ['lines', JWT.replace(/.{20}/g, '$&\n')],
    ['lines of Windows, indented', JWT.replace(/.{20}/g, '$&\r\n  ')],
    ['lines of a shell', JWT.replace(/.{20}/g, '$&\\\n')],
    ['written line ends', JWT.replace(/.{20}/g, '$&\\n')],
    ['lines at the dots', JWT.replaceAll('.', '\n.')],
    ['lines after the dots', JWT.replaceAll('.', '.\n')],
  ])('that is broken over %s is joined, and that is said', (_how, text) => {
    expect(pick(text)).toEqual({ token: JWT, repairs: [expect.stringContaining('white space')] });
    expect(pick(`Bearer ${text}`)).toMatchObject({ token: JWT });
  });

  it('that is encrypted and broken over lines is joined', () => {
    expect(pick(JWE.replace(/.{9}/g, '$&\n'))).toMatchObject({ token: JWE });
  });

  it('keeps its padding, since it is sent as it was given', () => {
    const padded = JWT.split('.')
      .map((part) => part + '='.repeat(-part.length & 3))
      .join('.');
    expect(padded).toContain('=');
    expect(pick(padded)).toEqual({ token: padded, repairs: [] });
  });

  it('may follow a byte order mark, which is said', () => {
    expect(pick(`\ufeff${JWT}`)).toEqual({
      token: JWT,
      repairs: [expect.stringContaining('byte order mark')],
    });
  });
});

describe('out of a token response', () => {
  it.each([
    ['access_token', JWT],
    ['refresh_token', 'opaque-refresh'],
    ['id_token', OTHER],
  ])('the %s is taken', (name, token) => {
    for (const text of [
      JSON.stringify(RESPONSE),
      `\ufeff${JSON.stringify(RESPONSE, null, 2)}\n`,
      JSON.stringify({ data: { tokens: RESPONSE } }),
      JSON.stringify([RESPONSE]),
      JSON.stringify(JSON.stringify(RESPONSE)),
    ])
      expect(pick(text, name)).toMatchObject({ name, token });
    const form = new URLSearchParams({ ...RESPONSE, expires_in: '60' }).toString();
    for (const text of [form, `https://app.example/callback#${form}`])
      expect(pick(text, name)).toMatchObject({ name, token });
  });

  it('the first wanted one that is there is taken', () => {
    expect(pick(JSON.stringify(RESPONSE), 'refresh_token', 'access_token').token).toBe('opaque-refresh');
    const { refresh_token: _none, ...others } = RESPONSE;
    expect(pick(JSON.stringify(others), 'refresh_token', 'access_token').token).toBe(JWT);
  });

  it.each(['accessToken', 'AccessToken', 'access-token', 'token', 'jwt'])(
    'a member may be called %s',
    (name) => {
      expect(pick(JSON.stringify({ [name]: 'opaque-access', RefreshToken: 'opaque-refresh' })).token).toBe(
        'opaque-access',
      );
    },
  );

  it('one JWT under any name is taken', () => {
    expect(pick(JSON.stringify({ data: JWT, id: 'x' })).token).toBe(JWT);
  });

  it('another token is never taken in its place', () => {
    for (const text of [
      JSON.stringify({ refresh_token: 'opaque-refresh', token_type: 'Bearer' }),
      JSON.stringify({ refreshToken: JWT }),
      `refresh_token=${JWT}&token_type=Bearer`,
    ]) {
      expect(failure(text)).toMatchObject({ code: 'token_unfit', exitCode: 2 });
      expect(failure(text).message).not.toContain('opaque-refresh');
    }
    expect(failure(JSON.stringify({ access_token: JWT }), 'refresh_token').hint).toContain(
      'It holds access_token',
    );
    expect(failure('https://app.example/callback?code=abc&state=x')).toMatchObject({ code: 'token_unfit' });
  });
});

describe('what can be no token is refused', () => {
  it.each([
    ['nothing', '', 'token_empty'],
    ['white space', ' \r\n\t', 'token_empty'],
    ['quotes around nothing', '""', 'token_empty'],
    ['JSON without a token', '{"active":true}', 'token_invalid'],
    ['an empty object', '{}', 'token_invalid'],
    ['an error answer', '{"error":"invalid_grant","error_description":"x"}', 'token_invalid'],
    ['half of a JSON document', '{"access_token":"abc', 'token_invalid'],
    ['null of jq', 'null\n', 'token_invalid'],
    ['undefined of JavaScript', 'undefined', 'token_invalid'],
    ['a null in a response', '{"access_token":null}', 'token_invalid'],
    ['a variable that was not expanded', '$ACCESS_TOKEN', 'token_invalid'],
    ['a placeholder', '<access-token>', 'token_invalid'],
    ['Bearer alone', 'Bearer', 'token_invalid'],
    ['asterisks of a mask', '***', 'token_invalid'],
    ['a masked token', 'eyJh…(masked)', 'token_invalid'],
    ['a shortened token', 'eyJhbGciOiJSUzI1NiJ9...', 'token_invalid'],
    ['an HTML page', '<!doctype html><title>Sign in</title>', 'token_invalid'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----', 'token_invalid'],
    ['a URL', 'https://as.example/token', 'token_invalid'],
    ['words', 'this is no token', 'token_invalid'],
    ['letters beyond ASCII', 'tökèn', 'token_invalid'],
    ['control characters', 'to\u0007ken', 'token_invalid'],
    ['several JWTs', `${JWT}\n${OTHER}`, 'token_ambiguous'],
    [
      'several access tokens',
      JSON.stringify([{ access_token: 'one-token' }, { access_token: 'other-token' }]),
      'token_ambiguous',
    ],
  ])('%s', (_what, text, code) => {
    expect(failure(text)).toMatchObject({ code, exitCode: 2 });
  });
});
