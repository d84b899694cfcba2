import { UsageError } from '../../errors.ts';
import { parseJson } from '../../exact-json.ts';
import { isJsonObject } from '../json.ts';
import type { KeyFile } from './key.ts';
import { readKeySet } from './key-set.ts';
import { findKeyFlaw } from './key-weakness.ts';
import { repairPem } from './pem-repair.ts';

/**
 * Reads keys: a JWK, a JWK Set, or PEM (PKCS#8, PKCS#1, SEC1, SPKI, X.509). Keys of a set that cannot be used are
 * skipped.
 * @param name of the file, for errors
 * @throws UsageError `key_encrypted`, `key_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc7517
 * @see https://www.rfc-editor.org/rfc/rfc7468
 */
export async function parseKeys(text: string, name: string): Promise<KeyFile> {
  const { text: repaired, repairs } = repairPem(text);
  if (repaired.includes('-----BEGIN ') && !/^\s*[[{]/.test(repaired)) {
    // It loads node:crypto, which is slow to load.
    const { readPemKey } = await import('./pem.ts');
    try {
      const key = await readPemKey(repaired, name);
      const flaw = findKeyFlaw(key);
      if (flaw !== undefined) throw new Error(flaw);
      return { keys: [key], isSet: false, repairs };
    } catch (cause) {
      if (cause instanceof UsageError) throw cause;
      throw invalid(name, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }
  const json = readJson(repaired, name);
  const set = await readKeySet(json);
  if (set === undefined) throw invalid(name, 'its JSON holds no keys');
  const { keys, passedOver } = set;
  if (keys.length === 0) throw invalid(name, passedOver.join('; ') || 'its JWK Set is empty');
  const isSet = Array.isArray(json) || (isJsonObject(json) && 'keys' in json);
  return { keys, isSet, passedOver, repairs };
}

function readJson(text: string, name: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const isBinary = /^0[\u0080-\uffff]/.test(text);
    if (isBinary)
      throw invalid(name, 'it is binary (DER): "openssl pkey -inform DER -in FILE" makes PEM of it');
    throw invalid(name, 'it is neither PEM nor JSON', cause);
  }
}

function invalid(name: string, why: string, cause?: unknown): UsageError {
  return new UsageError('key_invalid', `${name} holds no key that can be used: ${why}`, {
    hint: 'It takes PEM (PKCS#8, PKCS#1, SEC1, SPKI or X.509), a JWK or a JWK Set.',
    cause,
  });
}
