import { decodeUnverified } from '../jose/jwt.ts';
import { isJsonObject } from '../json.ts';

/** What an access token is bound to: the thumbprint of a DPoP key, or of a client certificate. */
export interface Confirmation {
  readonly jkt?: string;
  readonly 'x5t#S256'?: string;
}

/**
 * Reads what an access token is bound to, if it is a readable JWT; nothing is verified.
 * @see https://www.rfc-editor.org/rfc/rfc7800#section-3.1
 */
export function readConfirmation(accessToken: unknown): Confirmation {
  const cnf = typeof accessToken === 'string' ? decodeUnverified(accessToken)?.claims.cnf : undefined;
  if (!isJsonObject(cnf)) return {};
  return Object.fromEntries(Object.entries(cnf).filter(([, value]) => typeof value === 'string'));
}

/** Says whether a `token_type` is that of tokens bound by DPoP. @see https://www.rfc-editor.org/rfc/rfc9449#section-5 */
export function isDpopType(tokenType: unknown): boolean {
  return typeof tokenType === 'string' && tokenType.toLowerCase() === 'dpop';
}
