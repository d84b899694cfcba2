import type { JWTPayload } from 'jose';
import { decodeUnverified } from '../jose/jwt.ts';

/** Which client introspected a token at which server, and when. */
export interface Inquiry {
  readonly issuer: string;
  /** Whether the server was recognised as Keycloak. */
  readonly isKeycloak?: boolean | undefined;
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly token_type_hint?: string | undefined;
}

/** What only the server knows, and does not say. @see https://www.rfc-editor.org/rfc/rfc7662#section-4 */
const ENDED =
  'it was revoked, its session was logged out or ended, its user or client was disabled, or all tokens issued before some time were revoked';

/**
 * Lists why a server may have called a token inactive, as far as the token itself shows. Certain reasons exclude possible ones.
 * @returns sentences, at least one
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2
 */
export function listInactiveReasons(token: string, inquiry: Inquiry): readonly string[] {
  const claims = decodeUnverified(token)?.claims;
  if (claims === undefined) {
    return [
      `The token cannot be decoded here (it is opaque or incomplete): either this server never issued it, or it expired, or ${ENDED}.`,
    ];
  }
  const certain = findCertainReasons(claims, inquiry);
  if (certain.length > 0) return certain;
  const possible = findPossibleReasons(claims, inquiry);
  return [...possible, possible.length > 0 ? `Or ${ENDED}.` : `By its claims it is valid, so ${ENDED}.`];
}

function findCertainReasons({ iss, exp, nbf }: JWTPayload, { issuer, now }: Inquiry): string[] {
  const reasons: string[] = [];
  const seconds = now / 1000;
  if (iss !== undefined && iss !== issuer)
    reasons.push(`It is of another issuer: ${JSON.stringify(iss)}, not ${issuer}.`);
  if (typeof exp === 'number' && exp <= seconds)
    reasons.push(`It expired ${Math.round(seconds - exp)} s ago (exp).`);
  if (typeof nbf === 'number' && nbf > seconds)
    reasons.push(`It is not valid for another ${Math.round(nbf - seconds)} s (nbf).`);
  return reasons;
}

function findPossibleReasons(
  claims: JWTPayload,
  { client_id, token_type_hint, isKeycloak }: Inquiry,
): string[] {
  // Keycloak writes the kind of a token into its typ.
  const isRefreshToken = claims.typ === 'Refresh' || claims.typ === 'Offline';
  if (isRefreshToken && token_type_hint !== 'refresh_token')
    return [
      isKeycloak
        ? 'It is a refresh token, which Keycloak 26 finds with --token-type-hint refresh_token only.'
        : 'It is a refresh token, which a server may find with --token-type-hint refresh_token only.',
    ];
  const audiences = [claims.aud ?? []].flat();
  if (isRefreshToken || audiences.includes(client_id)) return [];
  const named = audiences.length === 0 ? 'which is empty' : `which is ${audiences.join(', ')}`;
  const notIn = `${client_id} is not in its aud, ${named}`;
  return [
    isKeycloak
      ? `${notIn}: Keycloak 26 then answers inactive, even for the client's own tokens. ` +
        `Add an audience mapper for ${client_id} to the client that the token was issued to, and get a new one.`
      : `${notIn}: a server may then answer inactive. Get a token whose aud has ${client_id}.`,
  ];
}
