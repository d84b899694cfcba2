import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifyJwt } from '../../../src/protocol/jose/jwt-verification.ts';
import { pickPublicPart } from '../../../src/protocol/jose/key.ts';
import { parseKeys } from '../../../src/protocol/jose/key-file.ts';
import { readKeySet } from '../../../src/protocol/jose/key-set.ts';
import { describeShortKey, findKeyFlaw } from '../../../src/protocol/jose/key-weakness.ts';
import { rsaKey } from '../../helpers/keys.ts';
import { NOW, sign } from '../server-jwts.ts';

const encode = (value: bigint) => {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
};
const decode = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);

/** A modulus as the faulty generator makes them: a power of 65537 by the product of the small primes. */
function makeRocaModulus(): bigint {
  const primes = Array.from({ length: 166 }, (_, at) => at + 2).filter((one) =>
    Array.from({ length: one - 2 }, (_, at) => at + 2).every((other) => one % other !== 0),
  );
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  let power = 1n;
  for (let exponent = 0; exponent < 1234; exponent += 1) power = (power * 65_537n) % product;
  const most = (1n << 2047n) / product;
  return power + (most + 2n) * product;
}

async function listFlawed(): Promise<readonly (readonly [string, JWK, RegExp])[]> {
  const good = pickPublicPart(await rsaKey('weakness'));
  return [
    ['an exponent of 1', { ...good, e: encode(1n) }, /exponent \(e\) is 1: anyone/],
    ['an exponent of 0', { ...good, e: 'AA' }, /exponent \(e\) is 0/],
    ['an even exponent', { ...good, e: encode(65_536n) }, /exponent \(e\) is even/],
    ['an even modulus', { ...good, n: encode(decode(String(good.n)) - 1n) }, /modulus \(n\) is even/],
    ['the weakness ROCA', { ...good, n: encode(makeRocaModulus()) }, /ROCA, CVE-2017-15361/],
  ];
}

describe('an RSA key', () => {
  it('with a flaw is used for nothing: not of a set, not of a file', async () => {
    for (const [what, key, why] of await listFlawed()) {
      expect(findKeyFlaw(key), what).toMatch(why);
      const set = await readKeySet({ keys: [key] });
      expect(set?.keys, what).toEqual([]);
      expect(set?.passedOver[0], what).toMatch(why);
      await expect(parseKeys(JSON.stringify(key), 'key.json'), what).rejects.toMatchObject({
        code: 'key_invalid',
        message: expect.stringMatching(why),
      });
    }
  });

  it('with an exponent of 1 is refused as PEM', async () => {
    const key = { ...pickPublicPart(await rsaKey('weakness')), e: 'AQ' };
    const pem = createPublicKey({ key, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
    await expect(parseKeys(String(pem), 'key.pem')).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('anyone can make its signatures'),
    });
  });

  it('with a flaw verifies nothing, and the verdict says why', async () => {
    const signing = await rsaKey('weakness');
    const set = await readKeySet({ keys: [{ ...pickPublicPart(signing), kid: 'k', e: 'AQ' }] });
    if (set === undefined) throw new Error('there is no key set');
    const token = await sign({ sub: 'a' }, { alg: 'RS256', key: { ...signing, kid: 'k' } });
    const { valid, checks } = await verifyJwt(token, { keys: set, now: NOW });
    expect(valid).toBe(false);
    expect(checks.find(({ name }) => name === 'key')).toMatchObject({
      reason: 'key_unknown',
      detail: expect.stringContaining('anyone can make its signatures'),
    });
  });

  it('without a flaw has none', async () => {
    for (const name of ['one', 'two', 'three']) expect(findKeyFlaw(await rsaKey(name))).toBeUndefined();
    expect(findKeyFlaw({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })).toBeUndefined();
    expect(findKeyFlaw({ kty: 'RSA' })).toBeUndefined();
  });

  it('that is short is described with its size', async () => {
    const good = await rsaKey('weakness');
    expect(describeShortKey(good)).toBeUndefined();
    expect(describeShortKey({ ...good, n: encode((1n << 1023n) + 1n) })).toMatch(/has 1024 bits.*2048/);
    expect(describeShortKey({ kty: 'oct', k: 'AA' })).toBeUndefined();
  });
});
