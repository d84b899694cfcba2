/** The whole SHA-256 hash in base64url, as `ath` and `code_challenge` hold it. */
export async function sha256(value: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value));
  return Buffer.from(digest).toString('base64url');
}

/** The hash in the name of a JWS algorithm (RS256, PS384, HS512 …); for EdDSA the hash that Ed25519 uses. */
function hashForAlg(alg: string): string | undefined {
  if (alg === 'EdDSA' || alg === 'Ed25519') return 'SHA-512';
  const bits = /^(?:[RPEH]S)(256|384|512)$/.exec(alg)?.[1];
  return bits && `SHA-${bits}`;
}

/**
 * The left half of the hash of a token, code or state, as `at_hash`, `c_hash` and `s_hash` hold it.
 * @param alg of the ID token's signature
 * @returns undefined where no hash is defined for the algorithm
 * @see https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken
 */
export async function computeHalfHash(value: string, alg: string): Promise<string | undefined> {
  const hash = hashForAlg(alg);
  if (hash === undefined) return undefined;
  const digest = await crypto.subtle.digest(hash, new TextEncoder().encode(value));
  return Buffer.from(digest, 0, digest.byteLength / 2).toString('base64url');
}
