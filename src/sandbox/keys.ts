import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
} from 'jose';

/** The sandbox's one signing key, fresh in each run. */
export interface SandboxKeys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly kid: string;
  readonly privateJwk: JWK;
  /** The public key as base64 of its DER, as Keycloak shows it in the description of a realm. */
  readonly publicDer: string;
}

/** Makes an RS256 key pair. */
export async function generateSandboxKeys(): Promise<SandboxKeys> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const pem = await exportSPKI(publicKey);
  return {
    privateKey,
    publicKey,
    kid,
    privateJwk: { ...jwk, kid, alg: 'RS256', use: 'sig' },
    publicDer: pem.replaceAll(/-----[^-]+-----|\s/g, ''),
  };
}
