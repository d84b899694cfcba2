import type { JWTPayload } from 'jose';
import { type JsonObject, parseJsonObject } from '../json.ts';

export interface DecodedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
}

/**
 * Reads a JWS without checking anything, and without jose, which is slow to load.
 * @returns undefined for an opaque token, a JWE or anything else that is no readable JWS
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export function decodeUnverified(token: string): DecodedJwt | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [header, claims] = parts.map(decodePart);
  return header && claims ? { header, claims: claims as JWTPayload } : undefined;
}

/**
 * Says how a JWE is encrypted; nothing else of it can be read without the key.
 * @returns undefined for anything else
 * @see https://www.rfc-editor.org/rfc/rfc7516#section-4.1
 */
export function readEncryption(token: string): string | undefined {
  const parts = token.split('.');
  const header = parts.length === 5 ? decodePart(parts[0] ?? '') : undefined;
  return header && `encrypted with ${header.alg}, ${header.enc}`;
}

/** The end of the year 9999, in seconds since 1970: a later time is in milliseconds by mistake, or chosen to overflow. */
export const LATEST_TIME = 253_402_300_799;

/** Every audience that `aud` names. */
export function readAudiences({ aud }: JWTPayload): readonly string[] {
  return typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
}

function decodePart(part: string): JsonObject | undefined {
  return parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'));
}
