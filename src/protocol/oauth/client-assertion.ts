import { isSecretAlg, type JwtSigner, signJwt } from '../jose/sign-jwt.ts';

/** Lifetime of an assertion in seconds. */
const LIFETIME = 60;

/**
 * The contents and the key of an assertion; `supportedAlgs` is the metadata's
 * `token_endpoint_auth_signing_alg_values_supported`.
 */
export interface ClientAssertion extends JwtSigner {
  readonly client_id: string;
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Must not have been used before: the server refuses a second use. */
  readonly jti: string;
}

/**
 * Makes the JWT that authenticates a client.
 * @throws UsageError `signing_alg_unknown`, `signing_alg_unfit`, `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
 */
export async function buildClientAssertion(assertion: ClientAssertion): Promise<string> {
  const { client_id, audience, jti, key, alg, supportedAlgs } = assertion;
  const iat = Math.floor(assertion.now / 1000);
  // The list is for both methods: without an HS algorithm it says nothing about client_secret_jwt.
  const isListed = typeof key !== 'string' || supportedAlgs?.some(isSecretAlg);
  return signJwt(
    { iss: client_id, sub: client_id, aud: audience, jti, iat, exp: iat + LIFETIME },
    { key, alg, supportedAlgs: isListed ? supportedAlgs : undefined },
    { name: 'the client assertion' },
  );
}
