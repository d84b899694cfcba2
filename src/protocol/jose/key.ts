import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { UsageError } from '../../errors.ts';

/** Every asymmetric algorithm that jose signs with, for each kind of key the most widely understood first. */
export const SIGNING_ALGS = [
  ...['RS256', 'PS256', 'RS384', 'RS512', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
] as const;

/** Every asymmetric algorithm that jose encrypts keys with. */
export const ENCRYPTION_ALGS = [
  ...['RSA-OAEP-256', 'RSA-OAEP', 'RSA-OAEP-384', 'RSA-OAEP-512'],
  ...['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
] as const;

export type KeyUse = 'sig' | 'enc';

const CURVE_ALGS: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

/** What a file of keys holds. */
export interface KeyFile {
  readonly keys: readonly JWK[];
  /** Whether it is a JWK Set, whose keys are chosen by `kid`. */
  readonly isSet: boolean;
  /** Why keys in it were passed over. */
  readonly passedOver?: readonly string[];
  /** What was repaired to read it, in a few words each. */
  readonly repairs?: readonly string[];
}

/** The secret members of a JWK. @see https://www.rfc-editor.org/rfc/rfc7518#section-6 */
export const PRIVATE_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']);

/** Says whether a JWK holds a private key. */
export function isPrivate(jwk: JWK): boolean {
  return typeof jwk.d === 'string' || typeof jwk.priv === 'string';
}

/** The public part of a key. @throws UsageError `key_symmetric` for a key that has none */
export function pickPublicPart(jwk: JWK): JWK {
  if (jwk.kty === 'oct') {
    throw new UsageError('key_symmetric', 'a symmetric key has no public part', {
      hint: 'It is shared with the server like a client secret, not published.',
    });
  }
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => !PRIVATE_MEMBERS.has(member))) as JWK;
}

/** A key's `kid`, or else its thumbprint. @see https://www.rfc-editor.org/rfc/rfc7638 */
export async function computeKid(jwk: JWK): Promise<string> {
  return jwk.kid ?? calculateJwkThumbprint(jwk);
}

/** The algorithms that a key can sign with, by its kind and curve; those of SIGNING_ALGS. */
export function listSigningAlgs({ kty, crv, alg }: JWK): readonly string[] {
  if (kty === 'RSA') return SIGNING_ALGS.filter((name) => /^[RP]S/.test(name));
  if (kty === 'AKP') return SIGNING_ALGS.filter((name) => name === alg);
  return CURVE_ALGS[crv ?? ''] ?? [];
}

/** The algorithms that a key can encrypt or decrypt content keys with, by its kind, curve, `use` and `alg`. */
export function listEncryptionAlgs({ kty, crv, use, alg }: JWK): readonly string[] {
  if (use !== undefined && use !== 'enc') return [];
  const isCurve = kty === 'EC' || (kty === 'OKP' && crv === 'X25519');
  const able = ENCRYPTION_ALGS.filter((name) => (name.startsWith('RSA') ? kty === 'RSA' : isCurve));
  return alg === undefined ? able : able.filter((name) => name === alg);
}

/**
 * Picks the private keys to decrypt with: every one that can.
 * @throws UsageError `key_public_only`, `key_unfit`
 */
export function selectDecryptionKeys({ keys, passedOver }: KeyFile, name: string): readonly JWK[] {
  const fitting = keys.filter((key) => listEncryptionAlgs(key).length > 0);
  if (fitting.length === 0) {
    throw new UsageError('key_unfit', `no key in ${name} can decrypt`, {
      hint: `${listPassedOver(passedOver)}Give an RSA, EC or X25519 key whose "use" is not "sig"; make one with "oauthctl key generate".`,
    });
  }
  const usable = fitting.filter(isPrivate);
  if (usable.length > 0) return usable;
  throw new UsageError('key_public_only', `${name} holds a public key only`, {
    hint: 'Give the file of the private key that belongs to it.',
  });
}

/**
 * Picks the private key to sign with.
 * @param kid names one of a JWK Set; for a single key it is the `kid` to send
 * @param kidFlag the option by which the user names it
 * @throws UsageError `kid_unknown`, `key_public_only`, `key_unfit`, `key_ambiguous`
 */
export function selectSigningKey(
  { keys, isSet, passedOver }: KeyFile,
  name: string,
  kid?: string,
  kidFlag = '--kid',
): JWK {
  const named = isSet && kid !== undefined ? keys.filter((key) => key.kid === kid) : keys;
  if (named.length === 0) {
    const kids = keys.flatMap((key) => key.kid ?? []).join(', ');
    throw new UsageError('kid_unknown', `no key in ${name} has the kid "${kid}"`, {
      hint: `${listPassedOver(passedOver)}${kids ? `There are: ${kids}.` : 'None of its keys has a kid.'}`,
    });
  }
  const signing = named.filter((key) => listSigningAlgs(key).length > 0 && key.use !== 'enc');
  if (signing.length === 0) {
    throw new UsageError('key_unfit', `no key in ${name} can sign`, {
      hint: `${listPassedOver(passedOver)}Give an RSA, EC or Ed25519 key whose "use" is not "enc"; make one with "oauthctl key generate".`,
    });
  }
  const usable = signing.filter(isPrivate);
  const [key] = usable;
  if (key === undefined) {
    throw new UsageError('key_public_only', `${name} holds a public key only`, {
      hint: 'Give the file of the private key that belongs to it.',
    });
  }
  if (usable.length > 1) {
    throw new UsageError('key_ambiguous', `${name} holds ${usable.length} keys to sign with`, {
      hint: `Name one with ${kidFlag}: ${usable.map((one) => one.kid ?? '(without a kid)').join(', ')}.`,
    });
  }
  return kid === undefined ? key : { ...key, kid };
}

/**
 * Chooses the algorithm of a signature: the one that was asked for, else the key's own, else the first that the key
 * can do and the server lists.
 * @param wanted the user's own choice, which the server need not list
 * @param supported what the server's metadata lists, where it lists any
 * @param flag the option by which the user names the algorithm
 * @throws UsageError `signing_alg_unknown`, `signing_alg_unfit`
 */
export function chooseSigningAlg(
  jwk: JWK,
  wanted?: string,
  supported?: readonly string[],
  flag = '--signing-alg',
): string {
  const able = listSigningAlgs(jwk);
  if (wanted !== undefined) {
    if (!(SIGNING_ALGS as readonly string[]).includes(wanted)) {
      throw new UsageError(
        'signing_alg_unknown',
        `"${wanted}" is not an algorithm to sign with a private key`,
        {
          hint: `There are: ${SIGNING_ALGS.join(', ')}.`,
        },
      );
    }
    if (able.includes(wanted)) return wanted;
    throw new UsageError('signing_alg_unfit', `${describeKind(jwk)} cannot sign with ${wanted}`, {
      hint: `It can with ${able.join(', ')}.`,
    });
  }
  const own = able.filter((alg) => jwk.alg === undefined || jwk.alg === alg);
  const chosen = own.find((alg) => supported === undefined || supported.includes(alg));
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    'signing_alg_unfit',
    `the key signs with ${own.join(', ') || jwk.alg}, none of which the server lists`,
    { hint: `The server lists ${supported?.join(', ')}. ${flag} ALG uses another one anyway.` },
  );
}

function describeKind({ kty, crv }: JWK): string {
  return crv === undefined ? `this ${kty} key` : `this ${kty} key on ${crv}`;
}

/** A new key pair. */
export interface GeneratedKey {
  /** The private key with `kid`, `alg` and `use`. */
  readonly jwk: JWK;
  /** The private key in PKCS#8. */
  readonly pem: string;
}

/**
 * Makes a key pair.
 * @param kid its RFC 7638 thumbprint where none is given
 * @throws UsageError `alg_unknown`, `alg_unsupported`
 */
export async function generateKey(alg: string, kid?: string): Promise<GeneratedKey> {
  const use = chooseKeyUse(alg);
  if (use === undefined) {
    throw new UsageError('alg_unknown', `"${alg}" is not an algorithm that takes a key pair`, {
      hint: `There are: ${[...SIGNING_ALGS, ...ENCRYPTION_ALGS].join(', ')}.`,
    });
  }
  try {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const bare = await exportJWK(privateKey);
    const jwk = { ...bare, kid: kid ?? (await calculateJwkThumbprint(bare)), alg, use };
    return { jwk, pem: await exportPKCS8(privateKey) };
  } catch (cause) {
    throw new UsageError('alg_unsupported', `this version of Node makes no keys for ${alg}`, {
      hint: 'Newer versions of Node support more algorithms.',
      cause,
    });
  }
}

/** Finds what keys of an algorithm are used for; undefined for an unknown algorithm. */
export function chooseKeyUse(alg: string): KeyUse | undefined {
  if ((SIGNING_ALGS as readonly string[]).includes(alg)) return 'sig';
  return (ENCRYPTION_ALGS as readonly string[]).includes(alg) ? 'enc' : undefined;
}

function listPassedOver(passedOver: readonly string[] = []): string {
  return passedOver.length === 0 ? '' : `Passed over: ${passedOver.join('; ')}. `;
}
