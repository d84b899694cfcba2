import type { JWTPayload } from 'jose';
import { copyNumberTexts } from '../../exact-json.ts';
import { type JwtSigner, signJwt } from '../jose/sign-jwt.ts';

/** The contents and the key of an assertion. */
export interface JwtBearerAssertion extends JwtSigner {
  readonly issuer: string;
  /** The subject of the requested tokens. */
  readonly subject: string | undefined;
  /** The authorization server. */
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds. */
  readonly lifetime: number;
  /** Must not have been used before. */
  readonly jti: string;
  /** Claims that are added or replace the usual ones; null omits a claim. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Makes the JWT that is an authorization grant.
 * @throws UsageError `signing_alg_unknown`, `signing_alg_unfit`, `key_unfit`
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-3
 */
export function buildJwtBearerAssertion(assertion: JwtBearerAssertion): Promise<string> {
  const { issuer, subject, audience, now, lifetime, jti, claims: own, ...signer } = assertion;
  const iat = Math.floor(now / 1000);
  const usual = { iss: issuer, sub: subject, aud: audience, jti, iat, exp: iat + Math.ceil(lifetime) };
  const entries = Object.entries({ ...usual, ...own }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  const claims: JWTPayload = copyNumberTexts(own, Object.fromEntries(entries));
  return signJwt(claims, signer, {
    name: 'the assertion',
    algFlag: '--assertion-alg',
  });
}
