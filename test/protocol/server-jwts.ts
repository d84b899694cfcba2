import {
  base64url,
  CompactEncrypt,
  CompactSign,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  SignJWT,
} from 'jose';
import { generateKey, pickPublicPart } from '../../src/protocol/jose/key.ts';
import { rsaKey } from '../helpers/keys.ts';

export const ISSUER = 'https://as.example/realms/R';
export const CLIENT_ID = 'test-client';
export const SECRET = 'a client secret that is long enough for any of the algorithms, 512 bits';
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
/** Seconds since the epoch. */
export const SECONDS = Math.floor(NOW / 1000);

const made = new Map<string, Promise<JWK>>();

/** A private key for an algorithm, the same for all tests of a file; its kid is the algorithm, with what tells it from others. */
export function keyFor(alg: string, distinction = ''): Promise<JWK> {
  const kid = `${alg}${distinction}`;
  const key = made.get(kid) ?? makeKey(alg, kid);
  made.set(kid, key);
  return key;
}

async function makeKey(alg: string, kid: string): Promise<JWK> {
  if (!/^(RS|PS)/.test(alg)) return (await generateKey(alg, kid)).jwk;
  return { ...(await rsaKey(`server-jwts ${kid}`)), kid, alg, use: alg.startsWith('RSA') ? 'enc' : 'sig' };
}

/** What a server publishes. */
export async function buildJwks(...keys: (JWK | Promise<JWK>)[]): Promise<JSONWebKeySet> {
  return { keys: (await Promise.all(keys)).map(pickPublicPart) };
}

/** Claims, right or wrong; one that is undefined is left out. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Signing {
  readonly alg?: string;
  /** A private key, or a secret; the server's by default. */
  readonly key?: JWK | string | Uint8Array;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signs claims as the server would. */
export async function sign(claims: Claims, { alg = 'ES256', key, header }: Signing = {}): Promise<string> {
  const by = key ?? (await keyFor(alg));
  const { kid } = typeof by === 'object' && 'kty' in by ? by : {};
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }), ...header })
    .sign(await material(by, alg));
}

/** Signs any text. */
export async function signText(text: string | Uint8Array, alg = 'ES256'): Promise<string> {
  const key = await keyFor(alg);
  const payload = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return new CompactSign(payload)
    .setProtectedHeader({ alg, kid: String(key.kid) })
    .sign(await material(key, alg));
}

/** Encrypts any text for a key, as the server does for the client. */
export async function encrypt(
  text: string,
  key: JWK,
  { alg = String(key.alg), enc = 'A128GCM', header = {} as Record<string, unknown> } = {},
): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg, enc, kid: String(key.kid), cty: 'JWT', ...header })
    .encrypt(await importJWK(pickPublicPart(key), alg));
}

/** A JWS that nobody signed. */
export function unsigned(header: unknown, claims: unknown, signature = ''): string {
  const encode = (part: unknown) => base64url.encode(typeof part === 'string' ? part : JSON.stringify(part));
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

async function material(key: JWK | string | Uint8Array, alg: string) {
  if (typeof key === 'string') return new TextEncoder().encode(key);
  return key instanceof Uint8Array ? key : importJWK({ ...key, alg }, alg);
}
