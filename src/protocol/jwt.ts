import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';

export interface DecodedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
}

/**
 * Reads a JWS without checking anything.
 * @returns undefined for an opaque token, a JWE or anything else that is no readable JWS
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export function decodeUnverified(token: string): DecodedJwt | undefined {
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
}
