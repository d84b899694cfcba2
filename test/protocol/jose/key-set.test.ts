import { type createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifyJwt } from '../../../src/protocol/jose/jwt-verification.ts';
import { pickPublicPart } from '../../../src/protocol/jose/key.ts';
import { parseKeys } from '../../../src/protocol/jose/key-file.ts';
import { readKeySet } from '../../../src/protocol/jose/key-set.ts';
import { repairPem } from '../../../src/protocol/jose/pem-repair.ts';
import { verifyIdToken } from '../../../src/protocol/oidc/id-token.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { CLIENT_ID, ISSUER, keyFor, NOW, SECONDS, sign } from '../server-jwts.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const good = pickPublicPart(await keyFor('ES256'));
const STRANGE: readonly unknown[] = [
  null,
  'a string',
  {},
  { kty: 'XYZ', kid: 'unknown' },
  { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'bitcoin' },
  { kty: 'OKP', crv: 'Ed448', x: 'AA' },
  { kty: 'RSA', kid: 'bare' },
  { kty: 'RSA', x5u: 'https://as.example/cert' },
  { kid: 'cert', x5c: ['AAAA'] },
];

describe('a JWK Set', () => {
  it('is used though keys in it are not, and says why of each', async () => {
    const set = await readKeySet({ keys: [...STRANGE, good] });
    expect(set?.keys).toEqual([good]);
    expect(set?.passedOver).toEqual([
      'key 1: it is null',
      'key 2: it is no JSON object',
      'key 3: it has no "kty"',
      'key 4 ("unknown"): its kind "XYZ" is not known here',
      'key 5 ("bitcoin"): its curve "secp256k1" is not known here',
      'key 6: its curve "Ed448" is not known here',
      expect.stringMatching(/^key 7 \("bare"\): ./),
      'key 8: its certificate is at an address (x5u), which is not fetched',
      'key 9 ("cert"): its certificate cannot be read',
    ]);
  });

  it('without a usable key is refused as a file, key by key', async () => {
    await expect(parseKeys(JSON.stringify({ keys: STRANGE }), 'keys.json')).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('key 1: it is null; key 2: it is no JSON object'),
    });
  });

  it('may have keys in certificates only', async () => {
    const { cert } = makeCertificate('a');
    const x5c = [cert.replace(/-----[A-Z ]+-----|\s/g, '')];
    const expected = new X509Certificate(cert).publicKey.export({ format: 'jwk' });
    for (const value of [
      { keys: [{ kid: 'k', use: 'sig', x5c }] },
      { keys: [{ kty: 'EC', kid: 'k', use: 'sig', x5c }] },
    ])
      expect((await readKeySet(value))?.keys).toEqual([
        expect.objectContaining({ ...expected, kid: 'k', use: 'sig' }),
      ]);
    expect((await readKeySet({ k: cert }))?.keys).toEqual([{ ...expected, kid: 'k' }]);
  });

  it('may be a list of keys or one key', async () => {
    expect((await readKeySet([good]))?.keys).toEqual([good]);
    expect((await readKeySet(good))?.keys).toEqual([good]);
    expect(await readKeySet({ issuer: 'x' })).toBeUndefined();
  });

  it('verifies a JWT and an ID token by the key that is good', async () => {
    const jwks = (await readKeySet({ keys: [...STRANGE, good] })) ?? { keys: [], passedOver: [] };
    const jwt = await sign({ iss: ISSUER, aud: CLIENT_ID, sub: 'a', iat: SECONDS, exp: SECONDS + 60 });
    expect(await verifyJwt(jwt, { keys: jwks, now: NOW })).toMatchObject({ valid: true });
    const expected = { issuer: ISSUER, client_id: CLIENT_ID, now: NOW };
    expect((await verifyIdToken(jwt, { ...expected, jwks })).claims.sub).toBe('a');
    const none = (await readKeySet({ keys: STRANGE })) ?? { keys: [], passedOver: [] };
    await expect(verifyIdToken(jwt, { ...expected, jwks: none })).rejects.toMatchObject({
      message: expect.stringContaining('key 5 ("bitcoin"): its curve "secp256k1" is not known here'),
    });
    const { checks } = await verifyJwt(jwt, { keys: none, now: NOW });
    expect(checks.find(({ name }) => name === 'key')).toMatchObject({
      reason: 'key_unknown',
      detail: expect.stringContaining('there is no usable key: key 1: it is null'),
    });
  });

  it('without the kid of a token says which keys there are', async () => {
    const other = { ...good, kid: 'other' };
    const { checks } = await verifyJwt(await sign({}), {
      keys: { keys: [other, { ...good, kid: 'e', use: 'enc' }] },
      now: NOW,
    });
    expect(checks.find(({ name }) => name === 'key')?.detail).toBe(
      'no key has the kid "ES256"; there are the EC P-256 key "other"; key 2 ("e"): it is for another use ("enc")',
    );
  });
});

describe('a key in PEM', () => {
  it.each<[string, string, Promise<string>]>([
    ['PKCS#1', rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }) as string, thumbprint(rsa.publicKey)],
    ['PKCS#8', rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, thumbprint(rsa.publicKey)],
    [
      'PKCS#1, public',
      rsa.publicKey.export({ format: 'pem', type: 'pkcs1' }) as string,
      thumbprint(rsa.publicKey),
    ],
    ['SPKI', ec.publicKey.export({ format: 'pem', type: 'spki' }) as string, thumbprint(ec.publicKey)],
    ['SEC1', ec.privateKey.export({ format: 'pem', type: 'sec1' }) as string, thumbprint(ec.publicKey)],
  ])('of the form %s is read, however its line ends were written', async (_form, pem, expected) => {
    const body = pem.trim();
    for (const text of [
      pem,
      pem.replaceAll('\n', '\r\n'),
      body.replaceAll('\n', '\\n'),
      `"${pem.replaceAll('\n', '\\n')}"`,
      body.replaceAll('\n', ' '),
      Buffer.from(pem).toString('base64'),
    ]) {
      const { keys, repairs = [] } = await parseKeys(text, 'key.pem');
      expect(await calculateJwkThumbprint(keys[0] as JWK)).toBe(await expected);
      expect(repairs.length).toBe(text === pem || text.includes('\r\n') ? 0 : 1);
    }
  });

  it('with the parameters of the curve before it is read', async () => {
    const text = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${ec.privateKey.export({ format: 'pem', type: 'sec1' })}`;
    expect((await parseKeys(text, 'key.pem')).keys).toMatchObject([{ kty: 'EC', d: expect.any(String) }]);
  });

  it('is found in the file of a service account', async () => {
    const text = JSON.stringify({
      type: 'service_account',
      private_key_id: 'the-kid',
      private_key: rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    });
    expect((await parseKeys(text, 'account.json')).keys).toMatchObject([
      { kid: 'the-kid', kty: 'RSA', d: expect.any(String) },
    ]);
  });

  it('of a kind that is not used is named, and the hint asks for no private key', async () => {
    const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    await expect(parseKeys(pem, 'key.pem')).rejects.toMatchObject({
      message: 'key.pem holds no key that can be used: keys of the kind "dsa" are not supported',
    });
    await expect(parseKeys('nothing', 'key.pem')).rejects.toMatchObject({
      hint: 'It takes PEM (PKCS#8, PKCS#1, SEC1, SPKI or X.509), a JWK or a JWK Set.',
    });
  });

  it('is a certificate that TLS takes after the repair', () => {
    const { cert } = makeCertificate('a');
    const { text, repairs } = repairPem(cert.replaceAll('\n', '\\n'));
    expect(new X509Certificate(text).fingerprint256).toBe(new X509Certificate(cert).fingerprint256);
    expect(repairs).toHaveLength(1);
    expect(repairPem(cert)).toEqual({ text: cert, repairs: [] });
    expect(repairPem('no PEM \\n')).toEqual({ text: 'no PEM \\n', repairs: [] });
  });
});

describe('a signature that no key made', () => {
  it('is not called altered where not every key was tried', async () => {
    const keys = await Promise.all(
      Array.from({ length: 12 }, async (_unused, index) => {
        const { kid: _kid, ...key } = pickPublicPart(await keyFor('ES256', `-${index}`));
        return key as JWK;
      }),
    );
    const { kid: _none, ...stranger } = await keyFor('ES256', '-stranger');
    const { checks } = await verifyJwt(await sign({}, { key: stranger as JWK }), {
      keys: { keys },
      now: NOW,
    });
    const check = checks.find(({ name }) => name === 'signature');
    expect(check).toMatchObject({ reason: 'keys_not_all_tried' });
    expect(check?.detail).toContain('not made with the first 8 of 12 possible keys');
    expect(check?.detail).not.toContain('altered');
  });
});

async function thumbprint(key: ReturnType<typeof createPublicKey>): Promise<string> {
  return calculateJwkThumbprint(key.export({ format: 'jwk' }) as JWK);
}
