import { compactDecrypt, importJWK, type JWK } from 'jose';
import { ValidationError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import { parseStrictJson } from '../strict-json.ts';
import { decodeBase64url, readCompactJws } from './compact-jws.ts';
import { isPrivate } from './key.ts';

/** A decoded JWT; nothing of it is verified. */
export interface DecodedToken {
  readonly header: JsonObject;
  /** Undefined where there are none, or none that can be read. */
  readonly claims?: JsonObject;
  /** The payload, where it is text other than claims. */
  readonly payload?: string;
  /** Headers of the JWTs inside this one, the outermost first. */
  readonly nestedHeaders: readonly JsonObject[];
  readonly isEncrypted: boolean;
  /** What is unusual about it, in sentences for users. */
  readonly warnings: readonly string[];
}

/** The keys to decrypt a JWT with. */
export interface DecryptionKeys {
  readonly keys?: readonly JWK[] | undefined;
  readonly secret?: string | undefined;
}

/** Levels of nested JWTs. */
const DEEPEST_NESTING = 4;
const LONGEST_PAYLOAD = 4096;

/**
 * Reads a JWT without verifying anything: a JWS, or a JWE, whose content is decrypted where there are keys for it.
 * @returns undefined for what is no JWT
 * @throws ValidationError `jwt_truncated`, `jwt_too_large`; `jwe_compressed`, `jwe_not_decrypted` where there are keys and none opens it
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export async function decodeToken(
  token: string,
  keys: DecryptionKeys = {},
  depth = 0,
): Promise<DecodedToken | undefined> {
  const { header, claims, signature, flaws } = readCompactJws(token);
  const [flaw] = flaws;
  if (flaw?.reason === 'truncated' || flaw?.reason === 'too_large')
    throw new ValidationError(`jwt_${flaw.reason}`, `the token cannot be decoded: ${flaw.detail}`, {
      hint: flaw.reason === 'truncated' ? 'Copy the whole token: header, claims and signature.' : undefined,
    });
  if (header === undefined) return undefined;
  if (token.split('.', 6).length === 5) return decodeEncrypted(token, header, keys, depth);
  const warnings = flaws.map(({ detail }) => detail);
  if (typeof header.alg === 'string' && header.alg.trim().toLowerCase() === 'none') {
    warnings.push('alg is none: it is not signed at all');
  } else if (signature?.length === 0) warnings.push('its signature is missing');
  const base = { header, isEncrypted: false };
  if (claims !== undefined) return { ...base, claims, nestedHeaders: [], warnings };
  const payload = decodeText(token.split('.', 2)[1] ?? '');
  return { ...base, ...(await decodePayload(payload, keys, depth, warnings)) };
}

async function decodeEncrypted(
  token: string,
  header: JsonObject,
  keys: DecryptionKeys,
  depth: number,
): Promise<DecodedToken> {
  const base = { header, isEncrypted: true };
  if (keys.keys === undefined && keys.secret === undefined) {
    const warning =
      'its content is encrypted: decrypt it with --key FILE, the private key, or with --secret REF';
    return { ...base, nestedHeaders: [], warnings: [warning] };
  }
  const text = await decrypt(token, header, keys);
  const { json: claims, flaw } = parseStrictJson(text);
  if (claims === undefined) return { ...base, ...(await decodePayload(text, keys, depth, [])) };
  const warnings = flaw?.kind === 'duplicate_member' ? [`"${flaw.member}" occurs twice in the claims`] : [];
  return { ...base, claims, nestedHeaders: [], warnings };
}

/** A payload other than claims may be another JWT, or text. */
async function decodePayload(
  payload: string | undefined,
  keys: DecryptionKeys,
  depth: number,
  warnings: readonly string[],
): Promise<Pick<DecodedToken, 'claims' | 'payload' | 'nestedHeaders' | 'warnings'>> {
  if (payload === undefined) return { nestedHeaders: [], warnings };
  const mayNest = depth < DEEPEST_NESTING && /^eyJ[\w-]*(?:\.[\w-]*){2,4}$/.test(payload);
  const inner = mayNest ? await decodeToken(payload, keys, depth + 1) : undefined;
  if (inner === undefined) return { payload: payload.slice(0, LONGEST_PAYLOAD), nestedHeaders: [], warnings };
  const { header, claims, nestedHeaders } = inner;
  return {
    ...(claims && { claims }),
    ...(inner.payload !== undefined && { payload: inner.payload }),
    nestedHeaders: [header, ...nestedHeaders],
    warnings: inner.warnings,
  };
}

function decodeText(part: string): string | undefined {
  const bytes = decodeBase64url(part);
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

async function decrypt(
  token: string,
  header: JsonObject,
  { keys = [], secret }: DecryptionKeys,
): Promise<string> {
  if (header.zip !== undefined) {
    throw new ValidationError(
      'jwe_compressed',
      'the content of the JWE is compressed, and is not decompressed',
      {
        hint: 'A few bytes may become gigabytes. Let the issuer make tokens without "zip".',
      },
    );
  }
  const alg = String(header.alg);
  const secrets = secret === undefined ? [] : [new TextEncoder().encode(secret)];
  const named = keys.filter(({ kid }) => kid !== undefined && kid === header.kid);
  const candidates = [
    ...secrets,
    ...(named.length > 0 ? named : keys).filter((key) => isPrivate(key) || key.kty === 'oct'),
  ];
  let cause: unknown;
  for (const candidate of candidates) {
    try {
      const key = candidate instanceof Uint8Array ? candidate : await importForDecryption(candidate, alg);
      const { plaintext } = await compactDecrypt(token, key, { keyManagementAlgorithms: [alg] });
      return new TextDecoder().decode(plaintext);
    } catch (error) {
      cause = error;
    }
  }
  const why = cause instanceof Error ? cause.message : 'there is no private key and no secret among them';
  throw new ValidationError(
    'jwe_not_decrypted',
    `the JWE (${alg}) cannot be decrypted with the given key: ${why}`,
    {
      hint: 'Give the private key that belongs to the public key it was encrypted with; "kid" in its header may name it.',
      cause,
    },
  );
}

/** The declared use of a key is ignored: the content is only shown, not trusted. */
function importForDecryption({ use: _use, key_ops: _ops, alg: _alg, ...jwk }: JWK, alg: string) {
  return importJWK(jwk as JWK, alg);
}
