import type { JWTPayload } from 'jose';
import { decodeUnverified } from '../jose/jwt.ts';

/** Who asked whom about a token, and when. */
export interface Inquiry {
  readonly issuer: string;
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly token_type_hint?: string | undefined;
}

/** A server does not say why a token is inactive: RFC 7662, section 4, wants it to keep that to itself. */
const ENDED =
  'it was revoked, its session was logged out or ended, its user or client was disabled, or tokens from before some time were declared void';

/**
 * Why a server may have called a token inactive, as far as the token itself tells: the certain before the possible.
 * @returns sentences; never none
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2
 */
export function reasonsForInactive(token: string, inquiry: Inquiry): readonly string[] {
  const claims = decodeUnverified(token)?.claims;
  if (claims === undefined) {
    return [
      `The token cannot be read here (it is opaque, or no whole token): either this server never issued it, or it expired, or ${ENDED}.`,
    ];
  }
  const certain = certainReasons(claims, inquiry);
  if (certain.length > 0) return certain;
  const possible = possibleReasons(claims, inquiry);
  return [...possible, possible.length > 0 ? `Or ${ENDED}.` : `By its claims it would be good, so ${ENDED}.`];
}

function certainReasons({ iss, exp, nbf }: JWTPayload, { issuer, now }: Inquiry): string[] {
  const reasons: string[] = [];
  const seconds = now / 1000;
  if (iss !== undefined && iss !== issuer)
    reasons.push(`It is of another issuer: ${JSON.stringify(iss)}, and ${issuer} was asked.`);
  if (typeof exp === 'number' && exp <= seconds)
    reasons.push(`It expired ${Math.round(seconds - exp)} s ago (exp).`);
  if (typeof nbf === 'number' && nbf > seconds)
    reasons.push(`It is not valid for another ${Math.round(nbf - seconds)} s (nbf).`);
  return reasons;
}

function possibleReasons(claims: JWTPayload, { client_id, token_type_hint }: Inquiry): string[] {
  // What Keycloak calls its tokens.
  const isRefreshToken = claims.typ === 'Refresh' || claims.typ === 'Offline';
  if (isRefreshToken && token_type_hint !== 'refresh_token')
    return ['It is a refresh token: Keycloak 26 knows one by --token-type-hint refresh_token only.'];
  const audiences = [claims.aud ?? []].flat();
  if (isRefreshToken || audiences.includes(client_id)) return [];
  const named = audiences.length === 0 ? 'which names nobody' : `which is ${audiences.join(', ')}`;
  return [
    `${client_id} is not in its aud, ${named}: Keycloak 26 then says inactive, even of the client's own tokens. ` +
      `Add an audience mapper for ${client_id} to the client that the token was issued to, and get a new one.`,
  ];
}
