import {
  compactDecrypt,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  UnsecuredJWT,
} from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { pickPublicPart } from '../../../src/protocol/jose/key.ts';
import type { FormParameters } from '../../../src/protocol/oauth/form.ts';
import { buildRequestObject, type RequestObjectOptions } from '../../../src/protocol/oauth/request-object.ts';
import { buildJwks, CLIENT_ID, ISSUER, keyFor, NOW, SECONDS, SECRET } from '../server-jwts.ts';

const PARAMETERS: FormParameters = [
  ['response_type', 'code'],
  ['client_id', CLIENT_ID],
  ['redirect_uri', 'http://127.0.0.1:8080/callback'],
  ['scope', 'openid é 漢字'],
  ['state', 's+t a&t=e'],
];

const build = async (
  parameters: FormParameters = PARAMETERS,
  options: Partial<RequestObjectOptions> = {},
): Promise<string> =>
  buildRequestObject(parameters, {
    client_id: CLIENT_ID,
    audience: ISSUER,
    now: NOW,
    jti: 'once',
    key: await keyFor('ES256'),
    ...options,
  });

const claimsOf = async (...args: Parameters<typeof build>) => decodeJwt(await build(...args));
const encryptedFor = async (jwks: JSONWebKeySet, changes: object = {}) =>
  build(PARAMETERS, { encryption: { jwks, ...changes } });

describe('a request object', () => {
  it('says who, to whom, when and once, for five minutes, and every parameter', async () => {
    expect(await claimsOf()).toEqual({
      iss: CLIENT_ID,
      aud: ISSUER,
      jti: 'once',
      iat: SECONDS,
      nbf: SECONDS,
      exp: SECONDS + 300,
      ...Object.fromEntries(PARAMETERS),
    });
  });

  it('lives as long as it is told to', async () => {
    expect((await claimsOf(PARAMETERS, { lifetime: 60 })).exp).toBe(SECONDS + 60);
  });

  it('says that it is one, and by which key it is signed', async () => {
    const header = { alg: 'ES256', kid: 'ES256', typ: 'oauth-authz-req+jwt' };
    expect(decodeProtectedHeader(await build())).toEqual(header);
    const { kid: _kid, ...key } = await keyFor('ES256');
    expect(decodeProtectedHeader(await build(PARAMETERS, { key }))).toEqual({ ...header, kid: undefined });
  });

  it('names the client where the parameters do not, and leaves them the last word on it', async () => {
    expect((await claimsOf([])).client_id).toBe(CLIENT_ID);
    expect(await claimsOf([['client_id', 'another']])).toMatchObject({
      client_id: 'another',
      iss: CLIENT_ID,
    });
  });

  it('makes an array of a name that repeats, in its order', async () => {
    const resource = ['https://b.example', 'https://a.example', 'https://b.example'];
    expect((await claimsOf(resource.map((one) => ['resource', one] as const))).resource).toEqual(resource);
  });

  it('makes JSON of what is JSON, and leaves everything else the text that it is', async () => {
    const claims = { id_token: { acr: { essential: true, values: ['gold'] } } };
    const authorization_details = [{ type: 'account', actions: ['read'] }];
    expect(
      await claimsOf([
        ['claims', JSON.stringify(claims)],
        ['authorization_details', JSON.stringify(authorization_details)],
        ['max_age', '0300'],
        ['other', '{"a":1}'],
        ['number', '42'],
        ['empty', ''],
      ]),
    ).toMatchObject({
      claims,
      authorization_details,
      max_age: 300,
      other: '{"a":1}',
      number: '42',
      empty: '',
    });
  });

  it.each([
    ['claims', '{', 'a JSON object'],
    ['claims', '[]', 'a JSON object'],
    ['claims', 'null', 'a JSON object'],
    ['authorization_details', '{}', 'a JSON array'],
    ['authorization_details', '', 'a JSON array'],
    ['max_age', '-1', 'a whole number of seconds'],
    ['max_age', '1.5', 'a whole number of seconds'],
    ['max_age', '', 'a whole number of seconds'],
  ])('refuses %s %j', async (name, value, what) => {
    await expect(build([[name, value]])).rejects.toMatchObject({
      code: 'parameter_invalid',
      exitCode: 2,
      message: `in a request object, ${name} must be ${what}; "${value}" is invalid`,
    });
  });

  it('never holds another one, nor how the client authenticates', async () => {
    const names = ['request', 'request_uri', 'client_secret', 'client_assertion', 'client_assertion_type'];
    const claims = await claimsOf([...PARAMETERS, ...names.map((name) => [name, 'x'] as const)]);
    expect(Object.keys(claims).filter((name) => names.includes(name))).toEqual([]);
  });

  it('keeps the claims of the JWT itself from parameters of the same name', async () => {
    const own = ['iss', 'aud', 'jti', 'iat', 'nbf', 'exp'] as const;
    const claims = await claimsOf(own.map((name) => [name, 'x'] as const));
    expect(claims).toEqual(await claimsOf([]));
  });

  it.each(['__proto__', 'constructor', 'toString'])('takes a parameter called %s for one', async (name) => {
    const claims = await claimsOf([[name, 'x']]);
    expect(Object.getOwnPropertyDescriptor(claims, name)?.value).toBe('x');
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
  });
});

describe('the signature of a request object', () => {
  it.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    'by a key for %s is verified by its public part',
    async (alg) => {
      const key = await keyFor(alg);
      const { payload } = await jwtVerify(
        await build(PARAMETERS, { key }),
        await importJWK(pickPublicPart(key), alg),
        {
          issuer: CLIENT_ID,
          audience: ISSUER,
          typ: 'oauth-authz-req+jwt',
          currentDate: new Date(NOW),
        },
      );
      expect(payload.redirect_uri).toBe('http://127.0.0.1:8080/callback');
    },
  );

  it('is by the first algorithm that the key can do and the server lists, or by the one that is asked for', async () => {
    const { alg: _alg, ...key } = await keyFor('RS256');
    const algOf = async (options: Partial<RequestObjectOptions>) =>
      decodeProtectedHeader(await build(PARAMETERS, { key, ...options })).alg;
    expect(await algOf({})).toBe('RS256');
    expect(await algOf({ supportedAlgs: ['ES256', 'PS384', 'PS256'] })).toBe('PS256');
    expect(await algOf({ supportedAlgs: ['PS256'], alg: 'RS512' })).toBe('RS512');
    await expect(algOf({ supportedAlgs: ['ES256'] })).rejects.toMatchObject({
      code: 'signing_alg_unfit',
      exitCode: 2,
    });
    await expect(algOf({ alg: 'ES256' })).rejects.toMatchObject({ code: 'signing_alg_unfit' });
    await expect(algOf({ alg: 'XS256' })).rejects.toMatchObject({ code: 'signing_alg_unknown' });
  });

  it('is by the client secret where that is what there is', async () => {
    const jwt = await build(PARAMETERS, { key: SECRET, supportedAlgs: ['RS256', 'HS384'] });
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'HS384', typ: 'oauth-authz-req+jwt' });
    await jwtVerify(jwt, new TextEncoder().encode(SECRET), { currentDate: new Date(NOW) });
    await expect(build(PARAMETERS, { key: SECRET, supportedAlgs: ['RS256'] })).rejects.toMatchObject({
      code: 'signing_alg_unfit',
      exitCode: 2,
      hint: expect.stringContaining('The server lists RS256.'),
    });
    await expect(build(PARAMETERS, { key: SECRET, alg: 'RS256' })).rejects.toMatchObject({
      code: 'signing_alg_unfit',
    });
    await expect(build(PARAMETERS, { key: '' })).rejects.toMatchObject({ code: 'key_unfit', exitCode: 2 });
  });

  it('is missing where there is no key, or none is wished', async () => {
    for (const options of [{ key: undefined }, { alg: 'none' }, { key: undefined, alg: 'none' }]) {
      const jwt = await build(PARAMETERS, options);
      expect(jwt).toMatch(/\.$/);
      const { payload } = UnsecuredJWT.decode(jwt, { issuer: CLIENT_ID, currentDate: new Date(NOW) });
      expect(payload).toMatchObject({ jti: 'once', state: 's+t a&t=e' });
    }
    expect(await build(PARAMETERS, { key: undefined, supportedAlgs: ['none', 'RS256'] })).toMatch(/\.$/);
  });

  it('is not left out by accident where the server does not list that', async () => {
    const unsigned = { code: 'request_object_unsigned', exitCode: 2 };
    await expect(build(PARAMETERS, { key: undefined, supportedAlgs: ['RS256'] })).rejects.toMatchObject({
      ...unsigned,
      hint: expect.stringContaining('--client-key FILE'),
    });
    await expect(build(PARAMETERS, { key: undefined, alg: 'RS256' })).rejects.toMatchObject(unsigned);
    // A person who says so may, to see what the server does.
    expect(await build(PARAMETERS, { alg: 'none', supportedAlgs: ['RS256'] })).toMatch(/\.$/);
  });
});

describe('an encrypted request object', () => {
  const decrypted = async (jwe: string, key: JWK) => {
    const alg = String(decodeProtectedHeader(jwe).alg);
    const { plaintext } = await compactDecrypt(jwe, await importJWK({ ...key, alg }, alg));
    return new TextDecoder().decode(plaintext);
  };

  it.each(['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'])(
    'with %s is read by the server, and is signed inside',
    async (alg) => {
      const jwe = await encryptedFor(await buildJwks(keyFor('RS256'), keyFor(alg)));
      expect(decodeProtectedHeader(jwe)).toMatchObject({ alg, enc: 'A128CBC-HS256', cty: 'JWT', kid: alg });
      const jws = await decrypted(jwe, await keyFor(alg));
      const { payload } = await jwtVerify(
        jws,
        await importJWK(pickPublicPart(await keyFor('ES256')), 'ES256'),
        {
          issuer: CLIENT_ID,
          audience: ISSUER,
          currentDate: new Date(NOW),
        },
      );
      expect(payload.response_type).toBe('code');
    },
  );

  it('may be unsigned inside, as OpenID Connect allows', async () => {
    const jwks = await buildJwks(keyFor('RSA-OAEP'));
    const jwe = await build(PARAMETERS, { alg: 'none', encryption: { jwks } });
    expect(await decrypted(jwe, await keyFor('RSA-OAEP'))).toMatch(/^[\w-]+\.[\w-]+\.$/);
  });

  it('is for a key that may encrypt: one that says so before one that says nothing, and never one for signatures', async () => {
    const { use: _use, alg: _alg, ...bare } = await keyFor('RSA-OAEP', '-bare');
    const kidOf = async (...keys: (JWK | Promise<JWK>)[]) =>
      decodeProtectedHeader(await encryptedFor(await buildJwks(...keys), { alg: 'RSA-OAEP' })).kid;
    expect(await kidOf(bare, keyFor('RSA-OAEP'))).toBe('RSA-OAEP');
    expect(await kidOf(keyFor('RS256'), bare)).toBe('RSA-OAEP-bare');
    await expect(kidOf(keyFor('RS256'), { ...bare, use: 'sig' })).rejects.toMatchObject({
      code: 'encryption_key_missing',
    });
  });

  it('takes what the server lists, or what it is told to', async () => {
    const { alg: _alg, ...key } = await keyFor('RSA-OAEP');
    const jwks = await buildJwks(key);
    const of = async (changes: object) => {
      const { alg, enc } = decodeProtectedHeader(await encryptedFor(jwks, changes));
      return `${alg} ${enc}`;
    };
    expect(await of({})).toBe('RSA-OAEP-256 A128CBC-HS256');
    expect(await of({ supportedAlgs: ['ECDH-ES', 'RSA-OAEP'], supportedEncs: ['A256GCM'] })).toBe(
      'RSA-OAEP A256GCM',
    );
    expect(await of({ alg: 'RSA-OAEP', enc: 'A192GCM', supportedAlgs: [], supportedEncs: [] })).toBe(
      'RSA-OAEP A192GCM',
    );
  });

  it.each<[string, object, string, RegExp]>([
    [
      'an algorithm that there is not',
      { alg: 'RSA1_5' },
      'encryption_alg_unknown',
      /There are: RSA-OAEP-256, /,
    ],
    ['a symmetric algorithm', { alg: 'dir' }, 'encryption_alg_unknown', /There are: /],
    ['an enc that there is not', { enc: 'A512GCM' }, 'encryption_alg_unknown', /There are: A128CBC-HS256, /],
    [
      'a server that lists only others',
      { supportedAlgs: ['RSA1_5'] },
      'encryption_alg_unfit',
      /lists RSA1_5/,
    ],
    ['a server that lists nothing', { supportedAlgs: [] }, 'encryption_alg_unfit', /It lists none/],
    ['a server that lists only other encs', { supportedEncs: ['X'] }, 'encryption_alg_unfit', /lists X/],
    ['a server that lists no encs', { supportedEncs: [] }, 'encryption_alg_unfit', /It lists none/],
  ])('is refused for %s', async (_what, changes, code, hint) => {
    await expect(encryptedFor(await buildJwks(keyFor('RSA-OAEP')), changes)).rejects.toMatchObject({
      code,
      exitCode: 2,
      hint: expect.stringMatching(hint),
    });
  });

  it('is refused where the server has no key for it, with what its keys are for', async () => {
    const missing = { code: 'encryption_key_missing', exitCode: 4 };
    await expect(encryptedFor(await buildJwks(keyFor('RSA-OAEP')), { alg: 'ECDH-ES' })).rejects.toMatchObject(
      {
        ...missing,
        message: "the server's JWKS has no key to encrypt with ECDH-ES",
        hint: 'Its keys are for RSA-OAEP.',
      },
    );
    for (const keys of [
      [],
      [pickPublicPart(await keyFor('RS256'))],
      [null, 1, 'x', { kty: 'oct', k: 'AA' }],
    ]) {
      await expect(encryptedFor({ keys: keys as JWK[] })).rejects.toMatchObject({
        ...missing,
        hint: 'None of its keys is for encryption ("use": "enc").',
      });
      await expect(encryptedFor({ keys: keys as JWK[] }, { isKeycloak: true })).rejects.toMatchObject({
        ...missing,
        hint: expect.stringContaining('rsa-enc-generated'),
      });
    }
  });

  it('is refused where the key of the server is broken', async () => {
    const jwks = { keys: [{ kty: 'RSA', kid: 'broken', use: 'enc', n: 'AQAB', e: 'AQAB' }] };
    await expect(encryptedFor(jwks)).rejects.toMatchObject({
      code: 'encryption_key_invalid',
      exitCode: 4,
      message: expect.stringContaining('"broken"'),
    });
  });
});

describe('what oauth4webapi makes of the same parameters', () => {
  it.each<[string, FormParameters]>([
    ['the usual ones', PARAMETERS],
    ['none', []],
    [
      'every kind of them',
      [
        ...PARAMETERS,
        ['resource', 'https://a.example'],
        ['resource', 'https://b.example'],
        ['max_age', '300'],
        ['claims', '{"userinfo":{"email":null}}'],
        ['authorization_details', '[{"type":"x"}]'],
        ['iss', 'of the person'],
        ['exp', '0'],
      ],
    ],
    ['one resource', [['resource', 'https://a.example']]],
  ])('is the same for %s', async (_what, parameters) => {
    const key = await keyFor('ES256');
    const privateKey = (await importJWK(key, 'ES256')) as oauth.CryptoKey;
    const theirs = await oauth.issueRequestObject(
      { issuer: ISSUER },
      { client_id: CLIENT_ID },
      new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])),
      { key: privateKey, kid: String(key.kid) },
    );
    const { jti, iat = 0, nbf, exp, ...others } = decodeJwt(theirs);
    const jwt = await build(parameters, { now: iat * 1000, jti: String(jti), lifetime: 60 });
    expect(decodeJwt(jwt)).toEqual({ ...others, jti, iat, nbf, exp });
    expect(decodeProtectedHeader(jwt)).toEqual(decodeProtectedHeader(theirs));
  });
});
