import { generateKeyPair as generateNodeKeyPair, randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CryptoKey, generateKeyPair, importJWK, type JWK } from 'jose';
import { inject } from 'vitest';
import './key-folder.ts';

const made = new Map<string, Promise<JWK>>();

/**
 * A private RSA key of 2048 bits, without kid, alg and use. The same name gives the same key in all files of a run:
 * making one takes more time than most tests.
 */
export function rsaKey(name: string): Promise<JWK> {
  const key = made.get(name) ?? readOrMake(name);
  made.set(name, key);
  return key;
}

export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/**
 * A key pair that can be exported. One of RSA is that of its name, see rsaKey; any other is made anew.
 * @param alg of JWA
 * @param name the algorithm by default
 */
export async function keyPair(alg: string, name = alg): Promise<KeyPair> {
  if (!/^(RS|PS)/.test(alg)) return generateKeyPair(alg, { extractable: true });
  const jwk = await rsaKey(name);
  const { kty = '', n = '', e = '' } = jwk;
  const load = async (key: JWK) => (await importJWK(key, alg, { extractable: true })) as CryptoKey;
  return { privateKey: await load(jwk), publicKey: await load({ kty, n, e }) };
}

async function readOrMake(name: string): Promise<JWK> {
  const path = join(inject('keyFolder'), `${encodeURIComponent(name)}.json`);
  const existing = await readFile(path, 'utf8').catch(() => undefined);
  if (existing !== undefined) return JSON.parse(existing);
  const { privateKey } = await promisify(generateNodeKeyPair)('rsa', { modulusLength: 2048 });
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
  // Whole, and only if no other file was faster; that one's key counts then.
  await link(own, path).catch(() => {});
  await rm(own);
  return JSON.parse(await readFile(path, 'utf8'));
}
