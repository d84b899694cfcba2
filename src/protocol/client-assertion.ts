import { importJWK, type JWK, SignJWT } from 'jose';
import { UsageError } from '../errors.ts';
import { chooseSigningAlg } from './key.ts';

/** Seconds that an assertion of ours lives. */
const LIFETIME = 60;

const SECRET_ALGS = ['HS256', 'HS384', 'HS512'];

/** What an assertion says, and what it is signed with. */
export interface ClientAssertion {
  readonly client_id: string;
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Never used before: a server refuses a second one. */
  readonly jti: string;
  /** A private key, or the client secret. */
  readonly key: JWK | string;
  /** The person's own choice of an algorithm. */
  readonly alg?: string | undefined;
  /** What the metadata lists in `token_endpoint_auth_signing_alg_values_supported`. */
  readonly supportedAlgs?: readonly string[] | undefined;
}

/**
 * Makes the JWT by which a client says who it is.
 * @throws UsageError `signing_alg_unknown`, `signing_alg_unfit`, `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
 */
export async function buildClientAssertion(assertion: ClientAssertion): Promise<string> {
  const { client_id, audience, jti, key, alg: wanted, supportedAlgs } = assertion;
  const issuedAt = Math.floor(assertion.now / 1000);
  const alg =
    typeof key === 'string'
      ? chooseSecretAlg(wanted, supportedAlgs)
      : chooseSigningAlg(key, wanted, supportedAlgs);
  const kid = typeof key === 'string' ? undefined : key.kid;
  try {
    return await new SignJWT()
      .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(audience)
      .setJti(jti)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + LIFETIME)
      .sign(typeof key === 'string' ? new TextEncoder().encode(key) : await importJWK({ ...key, alg }, alg));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('key_unfit', `the client assertion cannot be signed with ${alg}: ${why}`, {
      hint: 'Make a key that can with "oauthctl key generate".',
      cause,
    });
  }
}

function chooseSecretAlg(wanted: string | undefined, supported: readonly string[] | undefined): string {
  if (wanted !== undefined) {
    if (SECRET_ALGS.includes(wanted)) return wanted;
    throw new UsageError('signing_alg_unfit', `a client secret cannot sign with ${wanted}`, {
      hint: `It can with ${SECRET_ALGS.join(', ')}.`,
    });
  }
  // The list is of both methods: one without any HS algorithm says nothing of this one.
  return SECRET_ALGS.find((alg) => supported?.includes(alg)) ?? 'HS256';
}
