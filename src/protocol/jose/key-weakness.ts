// Keys whose signatures prove nothing, because others can make them.
import type { JWK } from 'jose';

/** Bits; RFC 7518 section 3.3 allows no shorter RSA key. */
const SHORTEST_RSA = 2048;

/** The odd primes by which keys of the faulty generator are recognised. */
const ROCA_PRIMES: readonly number[] = [
  ...[3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83],
  ...[89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167],
];
const ROCA_GENERATOR = 65_537;

/**
 * Finds why an RSA key cannot be trusted: its exponent or modulus is invalid, or its private key can be computed.
 * @returns undefined for a key without such a flaw, and for keys of other kinds
 * @see https://www.rfc-editor.org/rfc/rfc8017#section-3.1
 * @see https://crocs.fi.muni.cz/public/papers/rsa_ccs17
 */
export function findKeyFlaw({ kty, n, e }: JWK): string | undefined {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') return undefined;
  const exponent = readInteger(e);
  if (exponent <= 1n) return `its exponent (e) is ${exponent}: anyone can make its signatures`;
  if (exponent % 2n === 0n) return 'its exponent (e) is even, which no RSA key has';
  const modulus = readInteger(n);
  if (modulus % 2n === 0n) return 'its modulus (n) is even, which no RSA key has';
  if (hasRoca(modulus)) return 'its private key can be computed (ROCA, CVE-2017-15361)';
  return undefined;
}

/** Describes an RSA key that is shorter than RFC 7518 allows; undefined for any other key. */
export function describeShortKey({ kty, n }: JWK): string | undefined {
  if (kty !== 'RSA' || typeof n !== 'string') return undefined;
  const bits = readInteger(n).toString(2).length;
  if (bits >= SHORTEST_RSA) return undefined;
  return `its RSA key has ${bits} bits; signatures need ${SHORTEST_RSA} or more (RFC 7518 section 3.3)`;
}

function readInteger(base64url: string): bigint {
  const hex = Buffer.from(base64url, 'base64url').toString('hex');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}

/** In a faulty key, the modulus is a power of the generator by each of the primes. */
function hasRoca(modulus: bigint): boolean {
  return ROCA_PRIMES.every((prime) => {
    const remainder = Number(modulus % BigInt(prime));
    let power = 1;
    for (let exponent = 0; exponent < prime; exponent += 1) {
      if (power === remainder) return true;
      power = (power * (ROCA_GENERATOR % prime)) % prime;
    }
    return false;
  });
}
