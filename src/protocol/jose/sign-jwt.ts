import { CompactSign, importJWK, type JWK, type JWTPayload } from 'jose';
import { UsageError } from '../../errors.ts';
import { stringifyJson } from '../../exact-json.ts';
import { chooseSigningAlg } from './key.ts';

const SECRET_ALGS = ['HS256', 'HS384', 'HS512'];

/** The key and algorithm to sign a JWT with. */
export interface JwtSigner {
  /** A private key, or the client secret. */
  readonly key: JWK | string;
  /** The user's own choice of an algorithm. */
  readonly alg?: string | undefined;
  /** What the metadata lists for this kind of JWT. */
  readonly supportedAlgs?: readonly string[] | undefined;
}

/** The names of a JWT in its header and in errors. */
export interface JwtNaming {
  /** Its name in errors, for example "the client assertion". */
  readonly name: string;
  readonly typ?: string | undefined;
  /** The option by which the user names the algorithm. */
  readonly algFlag?: string | undefined;
}

/**
 * Signs a JWT; the `kid` of the key is sent where it has one.
 * @throws UsageError `signing_alg_unknown`, `signing_alg_unfit`, `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7515
 */
export async function signJwt(
  claims: JWTPayload,
  { key, alg: wanted, supportedAlgs }: JwtSigner,
  { name, typ, algFlag }: JwtNaming,
): Promise<string> {
  const alg =
    typeof key === 'string'
      ? chooseSecretAlg(wanted, supportedAlgs, algFlag)
      : chooseSigningAlg(key, wanted, supportedAlgs, algFlag);
  const kid = typeof key === 'string' ? undefined : key.kid;
  try {
    return await new CompactSign(encodeClaims(claims))
      .setProtectedHeader({ alg, ...(typ !== undefined && { typ }), ...(kid !== undefined && { kid }) })
      .sign(typeof key === 'string' ? new TextEncoder().encode(key) : await importJWK({ ...key, alg }, alg));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('key_unfit', `${name} cannot be signed with ${alg}: ${why}`, {
      hint: 'Make a suitable key with "oauthctl key generate".',
      cause,
    });
  }
}

/** The payload of a JWT: claims in JSON, numbers as they were written. */
export function encodeClaims(claims: JWTPayload): Uint8Array {
  return new TextEncoder().encode(stringifyJson(claims));
}

/** Says whether it is an algorithm by which a client secret signs. */
export function isSecretAlg(alg: string): boolean {
  return SECRET_ALGS.includes(alg);
}

function chooseSecretAlg(
  wanted: string | undefined,
  supported: readonly string[] | undefined,
  flag = '--signing-alg',
): string {
  if (wanted !== undefined) {
    if (isSecretAlg(wanted)) return wanted;
    throw new UsageError('signing_alg_unfit', `a client secret cannot sign with ${wanted}`, {
      hint: `It can sign with ${SECRET_ALGS.join(', ')}.`,
    });
  }
  const chosen = SECRET_ALGS.find((alg) => supported === undefined || supported.includes(alg));
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    'signing_alg_unfit',
    `a client secret signs with ${SECRET_ALGS.join(', ')}, none of which the server lists`,
    { hint: `The server lists ${supported?.join(', ')}. ${flag} ALG uses another one anyway.` },
  );
}
