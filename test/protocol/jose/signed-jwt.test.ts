import {
  exportJWK,
  exportSPKI,
  FlattenedSign,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { describe, expect, it } from 'vitest';
import { ValidationError } from '../../../src/errors.ts';
import { generateKey, pickPublicPart } from '../../../src/protocol/jose/key.ts';
import { readAuthorizationJwt } from '../../../src/protocol/oauth/jarm.ts';
import { type IdTokenExpectations, verifyIdToken } from '../../../src/protocol/oidc/id-token.ts';
import {
  buildJwks,
  CLIENT_ID,
  type Claims,
  encrypt,
  ISSUER,
  keyFor,
  NOW,
  SECONDS,
  SECRET,
  type Signing,
  sign,
  signText,
  unsigned,
} from '../server-jwts.ts';

const CLAIMS: Claims = {
  iss: ISSUER,
  aud: CLIENT_ID,
  sub: 'user-1',
  iat: SECONDS,
  exp: SECONDS + 300,
  code: 'the-code',
};

const expectations = async (changes: Partial<IdTokenExpectations> = {}): Promise<IdTokenExpectations> => ({
  issuer: ISSUER,
  client_id: CLIENT_ID,
  client_secret: SECRET,
  jwks: await buildJwks(keyFor('ES256'), keyFor('RS256')),
  decryptionKeys: [await keyFor('RSA-OAEP')],
  now: NOW,
  ...changes,
});

/** Both that read a JWT from the server. */
const READERS = {
  'an ID token': {
    code: 'id_token_invalid',
    read: async (jwt: string, expected: IdTokenExpectations) => (await verifyIdToken(jwt, expected)).claims,
  },
  'an authorization response': { code: 'authorization_response_invalid', read: readAuthorizationJwt },
} as const;

const upToDate = async () => encrypt(await sign(CLAIMS), await keyFor('RSA-OAEP'));
const spki = async () =>
  exportSPKI((await importJWK(pickPublicPart(await keyFor('RS256')), 'RS256')) as never);

describe.each(Object.entries(READERS))('%s', (_what, { code, read }) => {
  const refusal = async (jwt: string, changes?: Partial<IdTokenExpectations>): Promise<ValidationError> => {
    const outcome = await read(jwt, await expectations(changes)).then(
      (claims) => claims,
      (error: unknown) => error,
    );
    if (!(outcome instanceof ValidationError)) expect.fail(`it was not refused: ${JSON.stringify(outcome)}`);
    expect(outcome).toMatchObject({ code, exitCode: 4 });
    return outcome;
  };

  describe('is read when it is', () => {
    it.each<[string, Signing, Partial<IdTokenExpectations>]>([
      ['signed by a key of the JWKS', {}, {}],
      ['signed by the client secret', { alg: 'HS256', key: SECRET }, {}],
      ['signed with what the client is registered for', {}, { alg: 'ES256', supportedAlgs: ['RS256'] }],
      ['signed with what the metadata lists', {}, { supportedAlgs: ['RS256', 'ES256'] }],
      ['of a type that says nothing', { header: { typ: 'whatever' } }, {}],
    ])('%s', async (_name, signing, changes) => {
      expect(await read(await sign(CLAIMS, signing), await expectations(changes))).toEqual(CLAIMS);
    });

    it('signed by one of several keys that its header does not tell apart', async () => {
      const others = ['-1', '-2'].map((distinction) => keyFor('ES256', distinction));
      const { kid: _kid, ...key } = await keyFor('ES256');
      const jwks = await buildJwks(...others, keyFor('ES256'));
      expect(await read(await sign(CLAIMS, { key }), await expectations({ jwks }))).toEqual(CLAIMS);
      const foreign = await buildJwks(...others);
      expect((await refusal(await sign(CLAIMS, { key }), { jwks: foreign })).message).toMatch(
        /its signature is wrong/,
      );
    });

    it.each(['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'])(
      'signed, then encrypted with %s',
      async (alg) => {
        const key = await keyFor(alg);
        for (const enc of ['A128CBC-HS256', 'A256GCM']) {
          const jwe = await encrypt(await sign(CLAIMS), key, { enc });
          expect(await read(jwe, await expectations({ decryptionKeys: [key] }))).toEqual(CLAIMS);
        }
      },
    );

    it('encrypted for a key that the file calls by another kid, or by none', async () => {
      const { kid: _kid, use: _use, alg: _alg, ...bare } = await keyFor('RSA-OAEP');
      const jwe = await upToDate();
      for (const key of [bare, { ...bare, kid: 'another' }]) {
        expect(await read(jwe, await expectations({ decryptionKeys: [key] }))).toEqual(CLAIMS);
      }
    });

    it('encrypted for a key on one of several curves', async () => {
      const key = await keyFor('ECDH-ES');
      const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-384', extractable: true });
      const decryptionKeys = [await exportJWK(privateKey), key];
      for (const keys of [decryptionKeys, decryptionKeys.toReversed()]) {
        const jwe = await encrypt(await sign(CLAIMS), key, { header: { kid: undefined } });
        expect(await read(jwe, await expectations({ decryptionKeys: keys }))).toEqual(CLAIMS);
      }
    });

    it('encrypted for one of several keys', async () => {
      const decryptionKeys = await Promise.all([
        keyFor('ECDH-ES'),
        keyFor('RSA-OAEP', '-old'),
        keyFor('RSA-OAEP'),
      ]);
      expect(await read(await upToDate(), await expectations({ decryptionKeys }))).toEqual(CLAIMS);
      const withoutKid = await encrypt(await sign(CLAIMS), await keyFor('RSA-OAEP'), {
        header: { kid: undefined },
      });
      expect(await read(withoutKid, await expectations({ decryptionKeys }))).toEqual(CLAIMS);
    });
  });

  describe('is refused for its signature:', () => {
    it.each(['none', 'None', 'NONE', 'nOnE', ' none', 'none\n'])('alg %j', async (alg) => {
      for (const signature of ['', 'c2lnbmF0dXJl']) {
        const jwt = unsigned({ alg }, CLAIMS, signature);
        expect((await refusal(jwt)).message).toMatch(/it is not signed \(alg none\)/);
        expect((await refusal(jwt, { alg, supportedAlgs: [alg] })).message).toMatch(/it is not signed/);
      }
    });

    it.each([undefined, null, 256, '', ['RS256'], { alg: 'RS256' }])('alg %j', async (alg) => {
      const { message } = await refusal(unsigned({ alg }, CLAIMS, 'c2ln'));
      expect(message).toMatch(/it is not signed|cannot be checked/);
    });

    it.each(['rs256', 'RS257', 'HS1', 'RS256 ', 'dir', 'RSA-OAEP', '__proto__', 'constructor', 'ES256K'])(
      'alg %j, which there is not',
      async (alg) => {
        const { message } = await refusal(unsigned({ alg, kid: 'RS256' }, CLAIMS, 'c2ln'));
        expect(message).toMatch(/cannot be checked/);
      },
    );

    it('HS256 with the public key as the secret, in any of its forms', async () => {
      const jwk = pickPublicPart(await keyFor('RS256'));
      const pem = await spki();
      for (const secret of [pem, pem.trim(), `${pem}\n`, JSON.stringify(jwk), String(jwk.n)]) {
        const jwt = await sign(CLAIMS, { alg: 'HS256', key: secret, header: { kid: 'RS256' } });
        expect((await refusal(jwt)).message).toMatch(/its signature is wrong/);
        expect((await refusal(jwt, { client_secret: undefined })).message).toMatch(/no client secret/);
        expect((await refusal(jwt, { alg: 'RS256' })).message).toMatch(/registered for RS256/);
      }
    });

    it('HS256 with an empty secret', async () => {
      const jwt = await sign(CLAIMS, { alg: 'HS256', key: SECRET });
      expect((await refusal(jwt, { client_secret: '' })).message).toMatch(/cannot be checked|is wrong/);
    });

    it.each(['jwk', 'jku', 'x5c', 'x5u'])('by a key that it brings along in %s', async (member) => {
      const own = await keyFor('ES256', '-attacker');
      const brought = {
        jwk: pickPublicPart(own),
        jku: 'https://evil.example',
        x5c: ['MII='],
        x5u: 'https://evil.example',
      }[member];
      for (const kid of ['ES256', undefined]) {
        const jwt = await sign(CLAIMS, { key: own, header: { [member]: brought, kid } });
        expect((await refusal(jwt)).message).toMatch(/its signature is wrong/);
      }
    });

    it('by a key of another curve', async () => {
      const own = { ...(await keyFor('ES384')), kid: 'ES256' };
      const jwt = await sign(CLAIMS, { alg: 'ES384', key: own });
      expect((await refusal(jwt)).message).toMatch(/no key in the JWKS matches/);
      const jwks: JSONWebKeySet = { keys: [{ ...pickPublicPart(own), alg: 'ES256' }] };
      expect((await refusal(await sign(CLAIMS), { jwks })).message).toMatch(/no key in the JWKS matches/);
    });

    it('by a key of the server that is not for signatures', async () => {
      const { use: _use, ...key } = await keyFor('RS256');
      const jwks: JSONWebKeySet = { keys: [{ ...pickPublicPart(key), use: 'enc' }] };
      expect((await refusal(await sign(CLAIMS, { alg: 'RS256', key }), { jwks })).message).toMatch(
        /no key in the JWKS matches/,
      );
    });

    it('an algorithm that is neither registered nor listed', async () => {
      const jwt = await sign(CLAIMS);
      expect((await refusal(jwt, { supportedAlgs: ['RS256'] })).message).toMatch(/does not list/);
      expect((await refusal(jwt, { supportedAlgs: [] })).message).toMatch(/does not list/);
      expect((await refusal(jwt, { alg: 'PS256' })).message).toMatch(/registered for PS256/);
    });

    it('an extension that must be understood and is not', async () => {
      const [, payload, signature] = (await sign(CLAIMS)).split('.');
      const header = { alg: 'ES256', kid: 'ES256', crit: ['exp-extension'], 'exp-extension': 1 };
      const jwt = `${unsigned(header, {}).split('.')[0]}.${payload}.${signature}`;
      expect((await refusal(jwt)).message).toMatch(/exp-extension/);
    });

    it('a payload that is not encoded', async () => {
      const key = await keyFor('ES256');
      // What is signed is the same as with an encoded payload.
      const payload = Buffer.from(JSON.stringify(CLAIMS)).toString('base64url');
      const jws = await new FlattenedSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ alg: 'ES256', kid: String(key.kid), b64: false, crit: ['b64'] })
        .sign(await importJWK(key, 'ES256'));
      expect((await refusal(`${jws.protected}.${payload}.${jws.signature}`)).message).toMatch(
        /its crit is .*b64.* no extension is supported/,
      );
    });

    it('a changed byte, in any of its parts', async () => {
      const jwt = await sign(CLAIMS);
      const ends = [...jwt.matchAll(/\.|$/g)].map(({ index }) => index);
      for (const end of ends) {
        const at = end - 5;
        const changed = `${jwt.slice(0, at)}${jwt[at] === 'A' ? 'B' : 'A'}${jwt.slice(at + 1)}`;
        expect((await refusal(changed)).message).toMatch(/must not be trusted/);
      }
    });

    it('a JWKS that is none, or holds what is no key', async () => {
      const jwt = await sign(CLAIMS);
      for (const keys of [undefined, null, 'x', [null], [1], [[]]]) {
        expect((await refusal(jwt, { jwks: { keys } as never })).message).toMatch(/cannot be checked/);
      }
      expect((await refusal(jwt, { jwks: { keys: [{} as JWK] } })).message).toMatch(/no key in the JWKS/);
    });

    it('a JWKS that gives its private key away', async () => {
      const jwks = { keys: [await keyFor('ES256')] };
      expect((await refusal(await sign(CLAIMS), { jwks })).message).toMatch(/cannot be checked/);
    });
  });

  describe('is refused for what it is:', () => {
    it.each(['', '.', '..', '...', '....', 'a.b.c', 'a.b.c.d', 'null', '{}', 'é.é.é', 'eyJ.eyJ.'])(
      '%j',
      async (text) => {
        expect((await refusal(text)).message).toMatch(/cannot be read|can be read|not decrypted/);
      },
    );

    it.each(['not JSON', '[]', 'null', '"text"', '1', ''])('a payload that is %j', async (text) => {
      expect((await refusal(await signText(text))).message).toMatch(/can be read|no JSON object/);
    });

    it('a payload that is not UTF-8 all through', async () => {
      const bytes = Buffer.concat([Buffer.from('{"iss":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
      expect((await refusal(await signText(bytes))).message).toMatch(/is not UTF-8/);
    });

    it('one that is far too long, before anything is made of it', async () => {
      const { message } = await refusal(`${'A'.repeat(300_000)}.A.A`);
      expect(message).toMatch(/it has 300004 characters, which is too long/);
      expect(message.length).toBeLessThan(200);
    });

    it('a claim twice, whichever of them is right, though its signature covers both', async () => {
      const twice = (iss: string, last: string) =>
        signText(
          JSON.stringify(CLAIMS)
            .replace(/"iss":"[^"]+"/, `"iss":${JSON.stringify(iss)}`)
            .replace(/\}$/, `,"iss":"${last}"}`),
        );
      for (const token of [
        await twice(ISSUER, 'https://evil.example'),
        await twice('https://evil.example', ISSUER),
      ])
        expect((await refusal(token)).message).toMatch(/"iss" occurs twice in the claims/);
    });

    it('an alg twice', async () => {
      const [, payload, signature] = (await sign(CLAIMS)).split('.');
      const header = Buffer.from('{"alg":"ES256","kid":"ES256","alg":"none"}').toString('base64url');
      expect((await refusal(`${header}.${payload}.${signature}`)).message).toMatch(/"alg" occurs twice/);
      expect((await refusal(`${header}.${payload}.`)).message).toMatch(/"alg" occurs twice/);
    });

    it.each<[string, Claims, RegExp]>([
      ['another iss', { iss: `${ISSUER}/` }, /iss is "https:\/\/as\.example\/realms\/R\/", expected/],
      ['no iss', { iss: undefined }, /iss is missing/],
      ['another aud', { aud: 'another' }, /aud is "another", expected test-client/],
      ['no aud', { aud: undefined }, /aud is missing/],
      ['an aud that is no text', { aud: { [CLIENT_ID]: true } as never }, /aud is \{/],
      ['an exp that has passed', { exp: SECONDS - 10 }, /it expired 11 s ago/],
      ['no exp', { exp: undefined }, /exp is missing/],
      ['an exp that is text', { exp: '9999999999' as never }, /exp is missing or not a number/],
      ['an nbf to come', { nbf: SECONDS + 600 }, /not valid for another 599 s/],
      ['an nbf that is text', { nbf: '0' as never }, /nbf is not a number/],
    ])('%s', async (_name, changes, message) => {
      const jwt = await signText(JSON.stringify({ ...CLAIMS, ...changes }));
      expect((await refusal(jwt)).message).toMatch(message);
    });

    it('several wrong claims, which it names all', async () => {
      const jwt = await sign({ ...CLAIMS, iss: 'x', aud: 'y', exp: SECONDS - 10 });
      expect((await refusal(jwt)).message).toMatch(/iss is "x".*; aud is "y".*; it expired/);
    });
  });

  describe('is refused for its encryption:', () => {
    it('where there is no key, with the option that gives one', async () => {
      for (const decryptionKeys of [undefined, []]) {
        const error = await refusal(await upToDate(), { decryptionKeys });
        expect(error.message).toMatch(/encrypted with RSA-OAEP, and there is no key to decrypt it with/);
        expect(error.hint).toMatch(/--decryption-key FILE/);
      }
    });

    it('where no key opens it', async () => {
      for (const key of [
        await keyFor('RSA-OAEP', '-old'),
        await keyFor('ECDH-ES'),
        await keyFor('RSA-OAEP-256'),
      ]) {
        const error = await refusal(await upToDate(), { decryptionKeys: [key] });
        expect(error.message).toMatch(/for the key "RSA-OAEP", and no decryption key of the client opens it/);
        expect(error.hint).toMatch(/Compare the file of --decryption-key/);
      }
    });

    it.each(['RSA1_5', 'dir', 'A128KW', 'PBES2-HS256+A128KW', 'none', '', 'HS256'])('alg %j', async (alg) => {
      const [, ...rest] = (await upToDate()).split('.');
      const header = Buffer.from(JSON.stringify({ alg, enc: 'A128GCM', p2c: 1e9, p2s: 'AA' })).toString(
        'base64url',
      );
      expect((await refusal([header, ...rest].join('.'))).message).toMatch(/which is not decrypted here/);
    });

    it('an extension that must be understood and is not', async () => {
      const [, ...rest] = (await upToDate()).split('.');
      const header = { alg: 'RSA-OAEP', enc: 'A128GCM', crit: ['strange'], strange: 1 };
      const jwe = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
      expect((await refusal(jwe)).message).toMatch(/cannot be decrypted.*strange/);
    });

    it('a changed byte, in any of its parts', async () => {
      const jwe = await upToDate();
      for (const { index } of jwe.matchAll(/\.|$/g)) {
        const at = index - 5;
        const changed = `${jwe.slice(0, at)}${jwe[at] === 'A' ? 'B' : 'A'}${jwe.slice(at + 1)}`;
        expect((await refusal(changed)).message).toMatch(/must not be trusted/);
      }
    });

    it('a bomb: what is small and inflates beyond all measure', async () => {
      const key = await keyFor('RSA-OAEP');
      const bomb = await encrypt('A'.repeat(50_000_000), key, { header: { zip: 'DEF' } });
      expect(bomb.length).toBeLessThan(100_000);
      expect((await refusal(bomb)).message).toMatch(/cannot be decrypted: .*limit/);
    });

    it('content that is encrypted only, and signed by nobody', async () => {
      const key = await keyFor('RSA-OAEP');
      expect((await refusal(await encrypt(JSON.stringify(CLAIMS), key))).message).toMatch(/not a signed JWT/);
      const none = unsigned({ alg: 'none' }, CLAIMS);
      expect((await refusal(await encrypt(none, key))).message).toMatch(/it is not signed/);
    });

    it('content that is encrypted once more, or garbage', async () => {
      const key = await keyFor('RSA-OAEP');
      for (const content of [await upToDate(), 'a.b.c', '....', '\0'.repeat(1000), '']) {
        expect((await refusal(await encrypt(content, key))).message).toMatch(
          /its encrypted content is not a signed JWT/,
        );
      }
    });

    it('content that another than the server has signed', async () => {
      const jws = await sign(CLAIMS, { key: { ...(await generateKey('ES256', 'ES256')).jwk } });
      expect((await refusal(await encrypt(jws, await keyFor('RSA-OAEP')))).message).toMatch(
        /its signature is wrong/,
      );
    });
  });
});
