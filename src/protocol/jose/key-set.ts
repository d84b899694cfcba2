import { calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK } from 'jose';
import { isJsonObject } from '../json.ts';
import { listSigningAlgs, PRIVATE_MEMBERS } from './key.ts';
import { findKeyFlaw } from './key-weakness.ts';

/** The usable keys of a JWK Set. */
export interface KeySet extends JSONWebKeySet {
  keys: JWK[];
  /** Why each of the other keys was passed over. */
  readonly passedOver: readonly string[];
}

/**
 * Reads keys out of JSON: a JWK Set, a list of JWKs, one JWK, or an object whose members are certificates in PEM by
 * `kid`. A key that cannot be used is skipped, and the reason is kept.
 * @returns undefined for JSON that holds nothing like keys
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export async function readKeySet(value: unknown): Promise<KeySet | undefined> {
  const entries = listEntries(value);
  if (entries === undefined) return undefined;
  const keys: JWK[] = [];
  const passedOver: string[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      keys.push(await readKey(entry));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      passedOver.push(`key ${index + 1}${describeEntry(entry)}: ${why}`);
    }
  }
  return { keys, passedOver };
}

function listEntries(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value)) return undefined;
  if (Array.isArray(value.keys)) return value.keys;
  if (value.kty !== undefined || value.x5c !== undefined) return [value];
  const named = Object.entries(value).filter(
    ([, text]) => typeof text === 'string' && text.includes('-----BEGIN '),
  );
  if (named.length === 0) return undefined;
  // In a Google service account file, another member names the key.
  if (typeof value.private_key === 'string') return [{ kid: value.private_key_id, pem: value.private_key }];
  return named.map(([kid, pem]) => ({ kid, pem }));
}

/** @throws Error whose message says why the key is skipped */
async function readKey(entry: unknown): Promise<JWK> {
  if (!isJsonObject(entry)) throw new Error(`it is ${entry === null ? 'null' : 'no JSON object'}`);
  const jwk = await withMaterial(entry);
  const { kty, crv } = jwk;
  if (typeof kty !== 'string') throw new Error('it has no "kty"');
  if (!KINDS.includes(kty)) throw new Error(`its kind "${kty}" is not known here`);
  if (kty !== 'RSA' && kty !== 'oct' && kty !== 'AKP' && !CURVES.includes(String(crv)))
    throw new Error(`its curve "${String(crv)}" is not known here`);
  // `use` and `key_ops` do not decide whether it is a valid key.
  const { use: _use, key_ops: _ops, ...bare } = jwk;
  const alg = listSigningAlgs(jwk)[0] ?? (kty === 'oct' ? 'HS256' : 'ECDH-ES');
  try {
    await calculateJwkThumbprint(jwk);
    await importJWK(bare as JWK, alg);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`its members are no valid key (${why})`, { cause });
  }
  const flaw = findKeyFlaw(jwk);
  if (flaw !== undefined) throw new Error(flaw);
  return jwk;
}

const KINDS = ['RSA', 'EC', 'OKP', 'AKP', 'oct'];
const CURVES = ['P-256', 'P-384', 'P-521', 'Ed25519', 'X25519'];

/** Completes a key whose parts are in its certificate only. */
async function withMaterial({ pem, ...entry }: Record<string, unknown>): Promise<JWK> {
  const hasParts = ['n', 'x', 'k', 'pub', ...PRIVATE_MEMBERS].some((name) => entry[name] !== undefined);
  if (hasParts) return entry as unknown as JWK;
  const [certificate] = Array.isArray(entry.x5c) ? entry.x5c : [];
  const text = pem ?? (typeof certificate === 'string' ? toPem(certificate) : undefined);
  if (text !== undefined) {
    // It loads node:crypto, which is slow to load.
    const { readPemKey } = await import('./pem.ts');
    const key = await readPemKey(String(text), 'its certificate').catch(() => {
      throw new Error('its certificate cannot be read');
    });
    return { ...entry, ...key };
  }
  if (entry.x5u !== undefined)
    throw new Error('its certificate is at an address (x5u), which is not fetched');
  return entry as unknown as JWK;
}

function toPem(base64: string): string {
  const lines = base64.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
}

function describeEntry(entry: unknown): string {
  const kid = isJsonObject(entry) ? entry.kid : undefined;
  return typeof kid === 'string' ? ` (${JSON.stringify(kid.slice(0, 60))})` : '';
}
