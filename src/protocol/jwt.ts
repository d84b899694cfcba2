import type { JWTPayload } from 'jose';
import { parseJsonObject } from './answer.ts';

export interface DecodedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
}

/**
 * Reads a JWS without checking anything; jose, which checks, takes its time to load.
 * @returns undefined for an opaque token, a JWE or anything else that is no readable JWS
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export function decodeUnverified(token: string): DecodedJwt | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [header, claims] = parts.map((part) =>
    parseJsonObject(Buffer.from(part, 'base64url').toString('utf8')),
  );
  return header && claims ? { header, claims: claims as JWTPayload } : undefined;
}
