import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
} from 'jose';

/** The sandbox's keys, fresh in each run. */
export interface SandboxKeys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly kid: string;
  readonly privateJwk: JWK;
  /** The public key as base64 of its DER, as Keycloak shows it in the description of a realm. */
  readonly publicDer: string;
  /** The private key of those that clients encrypt request objects for. */
  readonly encryptionJwk: JWK;
}

/** Makes an RS256 key pair for signatures and one on P-256, which costs no time, for encryption. */
export async function generateSandboxKeys(): Promise<SandboxKeys> {
  const [{ privateKey, publicKey }, encryptionJwk] = await Promise.all([
    generateKeyPair('RS256', { extractable: true }),
    generateEncryptionJwk(),
  ]);
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const pem = await exportSPKI(publicKey);
  return {
    privateKey,
    publicKey,
    kid,
    privateJwk: { ...jwk, kid, alg: 'RS256', use: 'sig' },
    publicDer: pem.replaceAll(/-----[^-]+-----|\s/g, ''),
    encryptionJwk,
  };
}

async function generateEncryptionJwk(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'enc' };
}
