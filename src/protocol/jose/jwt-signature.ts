import { compactVerify, errors, type JWK } from 'jose';
import { isJsonObject, type JsonObject } from '../json.ts';
import {
  type Check,
  failed,
  type JwtExpectations,
  passed,
  shown,
  skipped,
  type VerificationKeys,
} from './jwt-verdict.ts';
import { listSigningAlgs, pickPublicPart, SIGNING_ALGS } from './key.ts';
import type { KeySet } from './key-set.ts';

export const HMAC_ALGS = ['HS256', 'HS384', 'HS512'] as const;

/** The parameters in which a token offers a key of its own, which is never used. */
const OFFERED_KEYS = ['jwk', 'jku', 'x5u', 'x5c'] as const;

/** Without a `kid` several keys may be meant; the limit keeps an attacker from causing much work. */
const MOST_KEYS_TRIED = 8;

/** The most keys that a message lists. */
const MOST_KEYS_LISTED = 10;

/** Bytes of a signature, where the algorithm alone decides. */
const SIGNATURE_LENGTHS: Readonly<Record<string, number>> = {
  ES256: 64,
  ES384: 96,
  ES512: 132,
  EdDSA: 64,
  Ed25519: 64,
  'ML-DSA-44': 2420,
  'ML-DSA-65': 3309,
  'ML-DSA-87': 4627,
};

/** What is needed of a token to check its signature. */
export interface SignedParts {
  readonly token: string;
  readonly header: JsonObject;
  /** Undefined where it cannot be read. */
  readonly signature: Uint8Array | undefined;
}

/**
 * Checks `crit`, `alg`, which key is meant, and the signature. Keys in the token itself (`jwk`, `jku`, `x5u`,
 * `x5c`) are never used, and no key is looked for where the header alone is a reason to refuse the token.
 * @returns a check for each of the four; nothing is thrown but what finding the keys throws
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5.2
 */
export async function checkSignature(
  parts: SignedParts,
  expected: Pick<JwtExpectations, 'keys' | 'algs'>,
): Promise<readonly Check[]> {
  const { header } = parts;
  const crit = checkCritical(header);
  const refused = refuseAlg(header.alg);
  if (crit.outcome === 'failed' || refused !== undefined) {
    const alg = refused ?? skipped('alg', `${shown(header.alg)}; not checked because of crit`);
    return [crit, alg, ...unchecked(refused ? 'alg' : 'crit')];
  }
  const alg = header.alg as string;
  const keys = typeof expected.keys === 'function' ? await expected.keys(header) : expected.keys;
  if (keys === undefined) return [crit, skipped('alg', alg), noKey(header), unsigned()];
  const isHmac = (HMAC_ALGS as readonly string[]).includes(alg);
  if (!('secret' in keys) && !isHmac && usableKeys(keys).length === 0) {
    const why = describeUnusable(keys).join('; ') || 'the set is empty';
    return [
      crit,
      skipped('alg', alg),
      failed('key', 'key_unknown', `there is no usable key: ${why}`),
      unsigned(),
    ];
  }
  const algCheck = checkAlg(alg, keys, expected.algs);
  if (algCheck.outcome === 'failed') return [crit, algCheck, ...unchecked('alg')];
  if ('secret' in keys) return [crit, algCheck, ...(await checkHmac(parts, alg, keys.secret))];
  return [crit, algCheck, ...(await checkByKeys(parts, alg, keys))];
}

/** @see https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11 @see https://www.rfc-editor.org/rfc/rfc7797#section-7 */
function checkCritical({ crit, b64 }: JsonObject): Check {
  if (b64 === false)
    return failed('crit', 'b64_false', 'its payload is not encoded (b64 false), which no JWT may have');
  if (crit === undefined) return passed('crit', 'no critical extensions');
  if (!Array.isArray(crit) || crit.length === 0 || crit.some((name) => typeof name !== 'string'))
    return failed('crit', 'crit_malformed', `crit is ${shown(crit)}, and must be a list of names`);
  return failed('crit', 'crit_unknown', `${shown(crit)} must be understood, and is not supported here`);
}

function refuseAlg(alg: unknown): Check | undefined {
  if (typeof alg !== 'string' || alg.trim() === '')
    return failed('alg', 'alg_missing', `alg is ${shown(alg)}; nothing says how it is signed`);
  if (alg.trim().toLowerCase() === 'none')
    return failed(
      'alg',
      'alg_none',
      `alg is ${shown(alg)}: it is not signed at all, and anyone could have made it`,
    );
  if (![...HMAC_ALGS, ...SIGNING_ALGS].includes(alg as (typeof SIGNING_ALGS)[number]))
    return failed('alg', 'alg_unknown', `alg is ${shown(alg)}, which is no signature algorithm known here`);
  return undefined;
}

function checkAlg(alg: string, keys: VerificationKeys, algs: readonly string[] | undefined): Check {
  const isHmac = (HMAC_ALGS as readonly string[]).includes(alg);
  if (isHmac && !('secret' in keys)) {
    return failed(
      'alg',
      'alg_confusion',
      `alg is ${alg}, which requires a shared secret, and there are public keys: anyone can make an HMAC with a public key`,
    );
  }
  const able =
    'secret' in keys ? HMAC_ALGS.filter((one) => keys.alg === undefined || keys.alg === one) : listAlgs(keys);
  if (!(able as readonly string[]).includes(alg)) {
    const what = 'secret' in keys ? 'the shared secret is' : 'the keys are';
    return failed('alg', 'alg_unfit', `alg is ${alg}, and ${what} for ${able.join(', ') || 'no signature'}`);
  }
  if (algs !== undefined && !algs.includes(alg))
    return failed('alg', 'alg_not_allowed', `alg is ${alg}; allowed: ${algs.join(', ')}`);
  return passed('alg', `${alg} is allowed`);
}

async function checkHmac(
  { token, header, signature }: SignedParts,
  alg: string,
  secret: string | Uint8Array,
): Promise<readonly Check[]> {
  const key = passed('key', 'the shared secret');
  if (signature === undefined || signature.length === 0) return [key, noSignature()];
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  return [key, buildSignatureCheck(await verify(token, alg, bytes), header)];
}

async function checkByKeys(
  { token, header, signature }: SignedParts,
  alg: string,
  keys: Exclude<VerificationKeys, { secret: unknown }>,
): Promise<readonly Check[]> {
  const usable = usableKeys(keys);
  const named = 'key' in keys ? usable : filterByKid(usable, header.kid);
  if (named.length === 0)
    return [noKey(header, [...usable.map(describeKey), ...describeUnusable(keys)]), unsigned()];
  const fitting = named.filter((key) => listKeyAlgs(key).includes(alg));
  if (fitting.length === 0) {
    const which = named.map(describeKey).join(', ');
    return [failed('key', 'key_unfit', `${which} cannot have made an ${alg} signature`), unsigned()];
  }
  const key = passed('key', keyDetail(fitting, header));
  if (signature === undefined || signature.length === 0) return [key, noSignature()];
  if (isZero(alg, signature)) {
    return [
      key,
      failed('signature', 'signature_zero', 'the signature holds zeros where none can be: a known forgery'),
    ];
  }
  const asLong = fitting.filter((one) => signatureLength(alg, one) === signature.length);
  if (asLong.length === 0) {
    const lengths = [...new Set(fitting.flatMap((one) => signatureLength(alg, one) ?? []))];
    if (lengths.length === 0)
      return [
        key,
        failed('signature', 'key_unusable', 'it cannot be checked: the key has no modulus (n) to read'),
      ];
    const keysSaid = fitting.length === 1 ? 'this key' : 'these keys';
    const detail = `the signature has ${signature.length} bytes; ${alg} with ${keysSaid} has ${lengths.join(' or ')}`;
    return [key, failed('signature', 'signature_length', detail)];
  }
  let verified: Verified = 'wrong';
  for (const one of asLong.slice(0, MOST_KEYS_TRIED)) {
    verified = await verify(token, alg, one);
    if (verified === 'right') break;
  }
  const left = asLong.length - MOST_KEYS_TRIED;
  if (verified === 'wrong' && left > 0) {
    const detail = `it was not made with the first ${MOST_KEYS_TRIED} of ${asLong.length} possible keys; the other ${left} were not tried, because ${header.kid === undefined ? 'the token has no kid' : 'all of them have its kid'}`;
    return [key, failed('signature', 'keys_not_all_tried', detail)];
  }
  return [key, buildSignatureCheck(verified, header)];
}

/** `right`, `wrong`, or why the signature could not be verified. */
type Verified = 'right' | 'wrong' | { readonly why: string };

async function verify(token: string, alg: string, key: JWK | Uint8Array): Promise<Verified> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return 'right';
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'wrong';
    // jose's own, or of the runtime for a key that it will not take.
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

function buildSignatureCheck(verified: Verified, header: JsonObject): Check {
  if (verified === 'right') return passed('signature', `a valid ${header.alg} signature`);
  if (verified !== 'wrong')
    return failed('signature', 'key_unusable', `it cannot be checked: ${verified.why}`);
  return (
    offeredKey('signature', header, 'no trusted key verifies the signature') ??
    failed(
      'signature',
      'signature_wrong',
      'the signature is wrong: the token was altered, or signed with another key',
    )
  );
}

/** @param others the keys that are there, and those that were passed over */
function noKey(header: JsonObject, others: readonly string[] = []): Check {
  const { kid } = header;
  const there = others.length === 0 ? '' : `; there are ${others.slice(0, MOST_KEYS_LISTED).join('; ')}`;
  const why =
    kid === undefined ? 'it has no kid, and there is no key' : `no key has the kid ${shown(kid)}${there}`;
  return offeredKey('key', header, why) ?? failed('key', 'key_unknown', why);
}

/** Says that a token offers a key of its own, which is not used. */
function offeredKey(name: string, header: JsonObject, why: string): Check | undefined {
  const offered = OFFERED_KEYS.find((one) => header[one] !== undefined);
  if (offered === undefined) return undefined;
  return failed(
    name,
    `${offered}_not_trusted`,
    `${why}; the key in the token itself (${offered}) is never used`,
  );
}

function keyDetail(fitting: readonly JWK[], header: JsonObject): string {
  const [only] = fitting;
  const which =
    fitting.length === 1 && only !== undefined
      ? describeKey(only)
      : `${fitting.length} possible keys: ${header.kid === undefined ? 'the token has no kid' : 'all of them have its kid'}`;
  const offered = OFFERED_KEYS.filter((one) => header[one] !== undefined);
  return offered.length === 0 ? which : `${which}; its own ${offered.join(', ')} is not used`;
}

const unsigned = (): Check => skipped('signature', 'there is no key to verify it with');
const unchecked = (because: string): readonly Check[] => [
  skipped('key', `not looked for because of ${because}`),
  skipped('signature', `not checked because of ${because}`),
];
const noSignature = (): Check =>
  failed('signature', 'signature_missing', 'there is no signature, or none that can be read');

function isZero(alg: string, signature: Uint8Array): boolean {
  const isZeros = (bytes: Uint8Array) => !bytes.some((byte) => byte !== 0);
  if (!alg.startsWith('ES')) return isZeros(signature);
  // r and s, each of which must be at least 1.
  const half = signature.length / 2;
  return isZeros(signature.subarray(0, half)) || isZeros(signature.subarray(half));
}

function signatureLength(alg: string, { n }: JWK): number | undefined {
  return SIGNATURE_LENGTHS[alg] ?? modulusLength(n);
}

/** Bytes of an RSA modulus, zeros before it not counted. */
function modulusLength(n: string | undefined): number | undefined {
  if (n === undefined) return undefined;
  const bytes = Buffer.from(n, 'base64url');
  return (
    bytes.length -
    Math.max(
      0,
      bytes.findIndex((byte) => byte !== 0),
    )
  );
}

/** jose caches an imported key by its JWK object, so the same objects are passed to it each time. */
const usableKeysByInput = new WeakMap<object, readonly JWK[]>();

/** Lists the public keys that can verify signatures; other entries are left out. */
function usableKeys(keys: Exclude<VerificationKeys, { secret: unknown }>): readonly JWK[] {
  const known = usableKeysByInput.get(keys);
  if (known !== undefined) return known;
  const all: readonly unknown[] = 'key' in keys ? [keys.key] : keys.keys;
  const usable = all.filter(isUsable).map(pickPublicPart);
  usableKeysByInput.set(keys, usable);
  return usable;
}

function isUsable(key: unknown): key is JWK {
  return findKeyDefect(key) === undefined;
}

/** Finds why a key cannot verify signatures; undefined for one that can. */
function findKeyDefect(key: unknown): string | undefined {
  if (!isJsonObject(key)) return 'it is no key';
  const { kty, crv, use, key_ops } = key;
  if (kty === 'oct') return 'it is a shared secret';
  if (use !== undefined && use !== 'sig') return `it is for another use (${shown(use)})`;
  // Of a private key in the set its public part is used.
  if (Array.isArray(key_ops) && !key_ops.includes('verify') && !key_ops.includes('sign'))
    return `it is for other operations (${shown(key_ops)})`;
  if (listSigningAlgs(key as JWK).length > 0) return undefined;
  return `no algorithm known here signs with ${[kty, crv].filter(Boolean).join(' ') || 'it'}`;
}

/** Says of each key that cannot verify signatures why not. */
function describeUnusable(keys: Exclude<VerificationKeys, { secret: unknown }>): readonly string[] {
  const all: readonly unknown[] = 'key' in keys ? [keys.key] : keys.keys;
  const { passedOver = [] } = keys as Partial<KeySet>;
  const unfit = all.flatMap((key, index) => {
    const why = findKeyDefect(key);
    return why === undefined ? [] : [`key ${index + 1}${describeKid(key)}: ${why}`];
  });
  return [...unfit, ...passedOver];
}

function describeKid(key: unknown): string {
  const kid = isJsonObject(key) ? key.kid : undefined;
  return kid === undefined ? '' : ` (${shown(kid)})`;
}

/** Lists the algorithms that a key verifies, by its own `alg` as well. */
function listKeyAlgs(key: JWK): readonly string[] {
  return listSigningAlgs(key).filter((alg) => key.alg === undefined || key.alg === alg);
}

function listAlgs(keys: Exclude<VerificationKeys, { secret: unknown }>): readonly string[] {
  return [...new Set(usableKeys(keys).flatMap(listKeyAlgs))];
}

function filterByKid(keys: readonly JWK[], kid: unknown): readonly JWK[] {
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid);
}

function describeKey({ kid, kty, crv, alg }: JWK): string {
  const kind = [kty, crv ?? alg].filter(Boolean).join(' ');
  return kid === undefined ? `the ${kind} key` : `the ${kind} key ${shown(kid)}`;
}
