import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactEncrypt, exportJWK, exportPKCS8 } from 'jose';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/index.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { keyPair } from '../../helpers/keys.ts';
import { machine, type Run, readFailure, run } from '../../helpers/run.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const UNVERIFIED = /^warning: NOTHING WAS VERIFIED/m;

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: unknown, claims: unknown, signature = 'c2lnbmF0dXJl') =>
  `${encode(header)}.${encode(claims)}.${signature}`;

const HEADER = { alg: 'RS256', kid: 'k1', typ: 'JWT' };
const CLAIMS = {
  iss: 'https://as.example',
  sub: 'taro',
  exp: SECONDS + 252,
  iat: SECONDS - 48,
  nbf: SECONDS,
  auth_time: SECONDS - 3 * 3600,
  azp: 'app',
  realm_access: { roles: ['user'] },
  cnf: { jkt: 'thumb' },
  invented: true,
};
const TOKEN = jwt(HEADER, CLAIMS);

const decodeAt = async (now: number, ...args: string[]): Promise<Run> =>
  (await machine()).runWith({ clock: new FakeClock({ now }) }, 'jwt', 'decode', ...args);
const decode = (...args: string[]) => decodeAt(NOW, ...args);

describe('for people', () => {
  it('header and claims are shown with times in words and what they are', async () => {
    const { code, stdout, stderr } = await decode(TOKEN);
    expect(code).toBe(0);
    expect(stderr).toMatch(UNVERIFIED);
    expect(stdout).toMatch(/^JWS RS256 · not verified$/m);
    expect(stdout).toMatch(/^ {4}kid +k1 {2}key that it is signed/m);
    expect(stdout).toMatch(/^ {4}exp +\d+ \(2026-01-01T00:04:12Z, in 4 min 12 s\) {2}expiration/m);
    expect(stdout).toMatch(/^ {4}iat +\d+ \(.*, 48 s ago\) {2}issued at/m);
    expect(stdout).toMatch(/^ {4}auth_time +\d+ \(.*, 3 h ago\)/m);
    expect(stdout).toMatch(/^ {4}azp +app {2}authorized party/m);
    expect(stdout).toMatch(/^ {4}realm_access +\{"roles":\["user"\]\} {2}roles in the realm \(Keycloak\)/m);
    expect(stdout).toMatch(/^ {4}cnf .*RFC 7800/m);
    expect(stdout).toMatch(/^ {4}invented +true$/m);
  });

  it('says how long ago a token expired', async () => {
    const { stdout } = await decodeAt(NOW + 3 * 3_600_000 + 252_000, TOKEN);
    expect(stdout).toContain('expired 3 h ago');
  });

  it('never shows the signature, and warns although it is to be quiet', async () => {
    const { stdout, stderr } = await decode('-q', TOKEN);
    expect(stdout).not.toContain('c2lnbmF0dXJl');
    expect(stderr).toMatch(UNVERIFIED);
    expect(stderr).not.toContain(TOKEN);
  });

  it('makes what a token holds harmless for the screen', async () => {
    const { stdout } = await decode(jwt(HEADER, { sub: '\u001b[2Jgone\u202e', '\u001b]0;x\u0007': 'a' }));
    for (const control of ['\u001b', '\u0007', '\u202e']) expect(stdout).not.toContain(control);
    expect(stdout).toContain('\\x1b[2Jgone');
  });

  it.each([1e300, -1e300, 'soon', null, [1]])('shows %j where a time should be', async (exp) => {
    const { code, stdout } = await decode(jwt(HEADER, { exp }));
    expect(code).toBe(0);
    expect(stdout).toContain('not a time in seconds since 1970');
  });
});

describe('under --json', () => {
  it('one token is an object', async () => {
    const { code, stdout } = await decode('--json', TOKEN);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      header: HEADER,
      claims: CLAIMS,
      encrypted: false,
      verified: false,
      warnings: [],
    });
  });

  it('several are an array, with their names, and opaque ones say what they look like', async () => {
    const response = {
      access_token: TOKEN,
      refresh_token: 'opaque-token',
      id_token: jwt(HEADER, { sub: 'id' }),
    };
    const { stdout } = await decode('--json', JSON.stringify(response));
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'access_token', claims: CLAIMS },
      { name: 'refresh_token', header: null, claims: null, looks_like: 'an opaque token' },
      { name: 'id_token', claims: { sub: 'id' } },
    ]);
  });

  it('--field picks a claim', async () => {
    expect((await decode('--field', 'claims.sub', TOKEN)).stdout).toBe('taro\n');
    expect((await decode('--field', '1.claims.sub', TOKEN, jwt(HEADER, { sub: 'two' }))).stdout).toBe(
      'two\n',
    );
  });
});

describe('a token comes', () => {
  it.each([[[]], [['-']]])('on standard input: %j', async (args) => {
    const { stdout } = await (await machine()).runWith(
      { stdin: `${TOKEN}\n` },
      ...['jwt', 'decode', '--field', 'claims.sub', ...args],
    );
    expect(stdout).toBe('taro\n');
  });

  it('from a file', async () => {
    const { home, run: on } = await machine();
    const file = join(home, 'response.json');
    await writeFile(file, JSON.stringify({ access_token: TOKEN }));
    expect((await on('jwt', 'decode', '--field', 'claims.sub', `@${file}`)).stdout).toBe('taro\n');
  });

  it('from what was kept last, one or all', async () => {
    const { home, run: on } = await machine();
    const store = openStore({ OAUTHCTL_HOME: home });
    await store.profiles.add('sample', { issuer: 'https://as.example', client_id: 'app' });
    const response = { access_token: TOKEN, id_token: jwt(HEADER, { sub: 'id' }) };
    const origin = { issuer: 'https://as.example', client_id: 'app', grant_type: 'password' };
    await store.tokens.keep('sample', { ...origin, response, received_at: NOW });
    const ofProfile = ['-p', 'sample', 'jwt', 'decode'];
    expect((await on(...ofProfile, '--field', 'claims.sub', '@last.id_token')).stdout).toBe('id\n');
    expect(JSON.parse((await on(...ofProfile, '--json', '@last')).stdout)).toHaveLength(2);
  });

  it('not at all when nothing was kept', async () => {
    const result = await run('jwt', 'decode', '--json', '@last');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'nothing_kept' });
  });
});

describe('what is no JWT', () => {
  it.each([
    ['550e8400-e29b-41d4-a716-446655440000', 'not_a_jwt', 'a UUID'],
    ['v4.public.eyJzdWIiOiJhIn0', 'not_a_jwt', 'a PASETO'],
    [Buffer.from('<?xml version="1.0"?><a/>').toString('base64'), 'not_a_jwt', 'SAML'],
    ['2YotnFZFEjr1zCsicMWpAA', 'not_a_jwt', 'an opaque token'],
    ['0123456789abcdef0123456789abcdef', 'not_a_jwt', 'hexadecimal'],
    ['{"error":"invalid_grant"}', 'not_a_jwt', 'an error answer'],
    ['{"keys":[]}', 'not_a_jwt', 'JWK'],
    ['eyJh…(masked)', 'not_a_jwt', 'masked'],
    ['eyJhbGciOiJSUzI1NiJ9.eyJ...', 'not_a_jwt', 'shortened'],
    ['a b c', 'not_a_jwt', 'no token of any kind'],
    [encode(HEADER), 'jwt_truncated', 'claims and signature are missing'],
    [`${encode(HEADER)}.${encode(CLAIMS)}`, 'jwt_truncated', 'the signature is missing'],
    [`${encode(HEADER)}.${encode(CLAIMS).slice(0, 30)}`, 'jwt_truncated', 'the claims end early'],
  ])('%s is told for what it is', async (text, code, looksLike) => {
    const result = await decode('--json', text);
    expect(result.code).toBe(4);
    const failure = readFailure(result);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(looksLike);
  });
});

describe('a strange JWT', () => {
  it.each([
    [jwt({ alg: 'none' }, CLAIMS, ''), 'not signed at all'],
    [jwt(HEADER, CLAIMS, ''), 'signature is missing'],
    [
      `${Buffer.from('{"alg":"none","alg":"RS256"}').toString('base64url')}.${encode(CLAIMS)}.AA`,
      'occurs twice',
    ],
  ])('is decoded with a warning', async (token, warning) => {
    const { code, stdout, stderr } = await decode('--json', token);
    expect(code).toBe(0);
    expect(stderr).toContain(warning);
    expect(JSON.parse(stdout).warnings).toHaveLength(1);
  });

  it('may hold another', async () => {
    const outer = `${encode({ alg: 'ES256', cty: 'JWT' })}.${Buffer.from(TOKEN).toString('base64url')}.AA`;
    expect(JSON.parse((await decode('--json', outer)).stdout)).toMatchObject({
      header: { alg: 'ES256' },
      nested_headers: [HEADER],
      claims: CLAIMS,
    });
  });

  it('may hold text', async () => {
    const token = `${encode({ alg: 'ES256' })}.${Buffer.from('just text').toString('base64url')}.AA`;
    expect(JSON.parse((await decode('--json', token)).stdout)).toMatchObject({
      claims: null,
      payload: 'just text',
    });
  });
});

describe('a JWE', () => {
  const encrypt = async (content: string, header: Record<string, string> = {}) => {
    const { publicKey, privateKey } = await keyPair('RSA-OAEP-256');
    const token = await new CompactEncrypt(new TextEncoder().encode(content))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...header })
      .encrypt(publicKey);
    return { token, privateKey };
  };

  it('shows its header without a key, and says how to open it', async () => {
    const { token } = await encrypt(JSON.stringify(CLAIMS));
    const { code, stdout, stderr } = await decode('--json', token);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      header: { alg: 'RSA-OAEP-256' },
      claims: null,
      encrypted: true,
    });
    expect(stderr).toContain('--key FILE');
  });

  it.each(['pem', 'jwk', 'jwks'])('is opened by a private key: %s', async (form) => {
    const { token, privateKey } = await encrypt(TOKEN, { kid: 'enc-1', cty: 'JWT' });
    const { home, run: on } = await machine();
    const file = join(home, 'key');
    const jwk = { ...(await exportJWK(privateKey)), kid: 'enc-1', use: 'enc', alg: 'RSA-OAEP' };
    const texts: Record<string, string> = {
      pem: await exportPKCS8(privateKey),
      jwk: JSON.stringify(jwk),
      jwks: JSON.stringify({ keys: [jwk] }),
    };
    await writeFile(file, texts[form] ?? '');
    const { code, stdout } = await on('jwt', 'decode', '--json', '--key', file, token);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ nested_headers: [HEADER], claims: CLAIMS, encrypted: true });
  });

  it('is opened by a shared secret', async () => {
    const secret = 'exactly-32-characters-of-secret!';
    const token = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ sub: 'shared' })))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(new TextEncoder().encode(secret));
    const { stdout, stderr } = await (await machine()).runWith(
      { env: { SHARED: secret } },
      ...['jwt', 'decode', '--field', 'claims.sub', '--secret', 'env:SHARED', token],
    );
    expect(stdout).toBe('shared\n');
    expect(stderr).not.toContain(secret);
  });

  it('that another key was meant for is told', async () => {
    const { token } = await encrypt('{}');
    const { privateKey } = await keyPair('RSA-OAEP-256', 'another');
    const { home, run: on } = await machine();
    const file = join(home, 'key.pem');
    await writeFile(file, await exportPKCS8(privateKey));
    const result = await on('jwt', 'decode', '--json', '--key', file, token);
    expect(result.code).toBe(4);
    expect(readFailure(result)).toMatchObject({ code: 'jwe_not_decrypted' });
  });

  it('that is compressed is never inflated', async () => {
    const token = [encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }), '', 'aXY', 'Y2lwaGVy', 'dGFn'].join(
      '.',
    );
    const result = await (await machine()).runWith(
      { env: { SHARED: 's'.repeat(32) } },
      ...['jwt', 'decode', '--json', '--secret', 'env:SHARED', token],
    );
    expect(result.code).toBe(4);
    expect(readFailure(result)).toMatchObject({ code: 'jwe_compressed' });
  });
});
