import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, exportSPKI, importJWK, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  chooseSigningAlg,
  computeKid,
  generateKey,
  isPrivate,
  listSigningAlgs,
  pickPublicPart,
  selectSigningKey,
} from '../../../src/protocol/jose/key.ts';
import { parseKeys } from '../../../src/protocol/jose/key-file.ts';
import { makeCertificate } from '../../helpers/certificates.ts';

const parse = (keys: unknown) => parseKeys(JSON.stringify(keys), 'keys.json');
const select = async (keys: unknown, kid?: string) => selectSigningKey(await parse(keys), 'keys.json', kid);

const ec = await generateKey('ES256', 'ec');
const ed = await generateKey('EdDSA', 'ed');

describe('a file of keys', () => {
  it.each(['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'in PKCS#8 is the key for %s that it was',
    async (alg) => {
      const { jwk, pem } = await generateKey(alg);
      const { keys, isSet } = await parseKeys(pem, 'key.pem');
      const { kid: _kid, alg: _alg, use: _use, ...bare } = jwk;
      expect({ keys, isSet }).toEqual({ keys: [bare], isSet: false });
    },
  );

  it('in SPKI or X.509 is a public key', async () => {
    const spki = await exportSPKI(
      (await importJWK(pickPublicPart(ec.jwk), 'ES256', { extractable: true })) as never,
    );
    const { keys } = await parseKeys(spki, 'key.pem');
    expect(await computeKid(keys[0] as JWK)).toBe(await calculateJwkThumbprint(ec.jwk));
    const certificate = await parseKeys(makeCertificate('a').cert, 'cert.pem');
    expect(certificate.keys).toMatchObject([{ kty: 'EC', crv: 'P-256' }]);
    expect(certificate.keys.some(isPrivate)).toBe(false);
  });

  it('in PEM beside its certificate is the private key', async () => {
    const { cert, key } = makeCertificate('a');
    expect((await parseKeys(`${cert}${key}`, 'both.pem')).keys.map(isPrivate)).toEqual([true]);
  });

  it('that is encrypted says how to decrypt it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret' };
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString();
    const sec1 = privateKey.export({ type: 'sec1', format: 'pem', ...cipher }).toString();
    for (const pem of [pkcs8, sec1]) {
      await expect(parseKeys(pem, 'key.pem')).rejects.toMatchObject({
        code: 'key_encrypted',
        exitCode: 2,
        hint: expect.stringContaining('openssl pkcs8'),
      });
    }
  });

  it('is the only private one', async () => {
    expect(await select({ keys: [pickPublicPart(ed.jwk), ec.jwk] })).toEqual(ec.jwk);
    expect(await select({ keys: [{ ...ed.jwk, use: 'enc' }, ec.jwk] })).toEqual(ec.jwk);
  });

  it('is told by its kid, where there are several', async () => {
    const keys = [ec.jwk, ed.jwk];
    expect(await select({ keys }, 'ed')).toEqual(ed.jwk);
    await expect(select({ keys })).rejects.toMatchObject({
      code: 'key_ambiguous',
      hint: expect.stringContaining('ec, ed'),
    });
    await expect(select({ keys }, 'x')).rejects.toMatchObject({
      code: 'kid_unknown',
      hint: expect.stringContaining('ec, ed'),
    });
  });

  it('takes another kid by hand, where it is the only one', async () => {
    expect(await select(ec.jwk, 'mine')).toEqual({ ...ec.jwk, kid: 'mine' });
  });

  it.each([
    ['a public key', pickPublicPart(ec.jwk), 'key_public_only'],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }, 'key_unfit'],
    ['a key for encryption', { ...ec.jwk, use: 'enc' }, 'key_unfit'],
  ])('cannot be %s', async (_what, jwk, code) => {
    await expect(select(jwk)).rejects.toMatchObject({ code, exitCode: 2, hint: expect.any(String) });
  });
});

describe('a key', () => {
  it.each([
    ['ES256', 'sig', 'EC'],
    ['Ed25519', 'sig', 'OKP'],
    ['RSA-OAEP-256', 'enc', 'RSA'],
    ['ECDH-ES+A256KW', 'enc', 'EC'],
  ])('made for %s is for "%s" and named by its thumbprint', async (alg, use, kty) => {
    const { jwk } = await generateKey(alg);
    expect(jwk).toMatchObject({ alg, use, kty, kid: await calculateJwkThumbprint(jwk) });
    expect(isPrivate(jwk)).toBe(true);
  });

  it.each(['HS256', 'none', 'rs256', '__proto__'])('is not made for %s', async (alg) => {
    await expect(generateKey(alg)).rejects.toMatchObject({ code: 'alg_unknown', exitCode: 2 });
  });

  it('has a public part without any private member', async () => {
    const { jwk } = await generateKey('RS256');
    expect(Object.keys(pickPublicPart(jwk)).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(Object.keys(pickPublicPart(ed.jwk)).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    expect(() => pickPublicPart({ kty: 'oct', k: 'x' })).toThrow(
      expect.objectContaining({ code: 'key_symmetric' }),
    );
  });

  it('that jose does not sign with has no algorithm', async () => {
    const { keys } = await parse(await exportJWK(generateKeyPairSync('x25519').publicKey as never));
    expect(listSigningAlgs(keys[0] as JWK)).toEqual([]);
    expect(() => chooseSigningAlg(keys[0] as JWK, 'ES256')).toThrow(
      expect.objectContaining({ code: 'signing_alg_unfit' }),
    );
  });
});
