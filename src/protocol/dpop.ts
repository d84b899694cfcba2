import type { JWK } from 'jose';

/** The key pair that tokens are bound to by DPoP. @see https://www.rfc-editor.org/rfc/rfc9449 */
export interface DpopKey {
  /** The private key. */
  readonly jwk: JWK;
  readonly alg: string;
  /** The RFC 7638 thumbprint of the public key: what the tokens carry in `cnf.jkt`. */
  readonly jkt: string;
}
