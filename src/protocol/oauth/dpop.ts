import { CompactSign, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { UsageError } from '../../errors.ts';
import {
  chooseSigningAlg,
  generateKey,
  type KeyFile,
  pickPublicPart,
  SIGNING_ALGS,
  selectSigningKey,
} from '../jose/key.ts';
import { encodeClaims } from '../jose/sign-jwt.ts';
import { sha256 } from '../jose/token-hash.ts';

/** The key pair that tokens are bound to by DPoP. @see https://www.rfc-editor.org/rfc/rfc9449 */
export interface DpopKey {
  /** The private key. */
  readonly jwk: JWK;
  readonly alg: string;
  /** The RFC 7638 thumbprint of the public key: what the tokens carry in `cnf.jkt`. */
  readonly jkt: string;
  /** Whether it is from a file of the user, and is therefore not kept in the store. */
  readonly isOwn?: boolean | undefined;
}

/** Claims that the user sets: each replaces the usual one; undefined omits it. */
export type DpopClaims = Readonly<Record<string, unknown>>;

/** The request that a proof is made for, and the key. */
export interface DpopProof {
  readonly key: DpopKey;
  readonly method: string;
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Must not have been used before. */
  readonly jti: string;
  /** The nonce that the server has sent, if any. */
  readonly nonce?: string | undefined;
  /** The access token that the request carries, if any. */
  readonly accessToken?: string | undefined;
  readonly claims?: DpopClaims | undefined;
}

/**
 * Makes the proof that the sender of a request has the key.
 * @throws UsageError `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.2
 */
export async function buildDpopProof(proof: DpopProof): Promise<string> {
  const { key, method, url, now, jti, nonce, accessToken, claims } = proof;
  const payload = {
    jti,
    htm: method,
    htu: targetUri(url),
    iat: Math.floor(now / 1000),
    ...(nonce !== undefined && { nonce }),
    ...(accessToken !== undefined && { ath: await sha256(accessToken) }),
    ...claims,
  };
  try {
    // JSON omits undefined claims.
    return await new CompactSign(encodeClaims(payload))
      .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: bareKey(key.jwk) })
      .sign(await importJWK({ ...key.jwk, alg: key.alg }, key.alg));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('key_unfit', `the DPoP proof cannot be signed with ${key.alg}: ${why}`, {
      hint: 'Make a suitable key with "oauthctl key generate".',
      cause,
    });
  }
}

/**
 * Makes the key pair for one run.
 * @param wanted the user's own choice of an algorithm
 * @param supported what the metadata lists in `dpop_signing_alg_values_supported`
 * @throws UsageError as generateKey; `dpop_alg_unfit`
 */
export async function generateDpopKey(wanted?: string, supported?: readonly string[]): Promise<DpopKey> {
  const able: readonly string[] = SIGNING_ALGS;
  const alg =
    wanted ??
    (supported?.includes('ES256') === false ? supported.find((one) => able.includes(one)) : 'ES256');
  if (alg === undefined || !able.includes(alg)) {
    throw new UsageError(
      'dpop_alg_unfit',
      `no DPoP proof can be signed with ${alg ?? supported?.join(', ')}`,
      {
        hint: `--dpop-alg takes one of ${able.join(', ')}.`,
      },
    );
  }
  const { kid: _kid, use: _use, ...jwk } = (await generateKey(alg)).jwk;
  return { jwk, alg, jkt: await calculateJwkThumbprint(jwk) };
}

/**
 * Selects the key pair from a file of the user.
 * @param name of the file, for errors
 * @throws UsageError `key_ambiguous`; as selectSigningKey and chooseSigningAlg
 */
export async function selectDpopKey(
  file: KeyFile,
  name: string,
  wanted?: string,
  supported?: readonly string[],
): Promise<DpopKey> {
  if (file.keys.length > 1) {
    throw new UsageError('key_ambiguous', `${name} holds ${file.keys.length} keys`, {
      hint: 'Give --dpop-key a file with one key.',
    });
  }
  const jwk = selectSigningKey(file, name);
  const alg = chooseSigningAlg(jwk, wanted, supported, '--dpop-alg');
  return { jwk, alg, jkt: await calculateJwkThumbprint(jwk), isOwn: true };
}

/** The members of a public key that are sent; `kid`, `use` and others are not. */
const KEY_MEMBERS = ['kty', 'crv', 'x', 'y', 'e', 'n', 'pub'];

function bareKey(jwk: JWK): JWK {
  const members = jwk.kty === 'AKP' ? [...KEY_MEMBERS, 'alg'] : KEY_MEMBERS;
  return Object.fromEntries(
    Object.entries(pickPublicPart(jwk)).filter(([name]) => members.includes(name)),
  ) as JWK;
}

/** The URL of the request without query and fragment. */
function targetUri(url: string): string {
  const uri = new URL(url);
  uri.search = '';
  uri.hash = '';
  return uri.href;
}
