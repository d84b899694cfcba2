// The parts of a CIBA flow that only Keycloak defines: the delegation to the authentication device, and the callback.
// No specification covers them. @see https://www.keycloak.org/docs/latest/server_admin/#_client_initiated_backchannel_authentication_grant

import type { OAuthRefusal } from '../../errors.ts';
import { trimTrailing } from '../../trim-trailing.ts';
import { decodeUnverified } from '../jose/jwt.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from '../oauth/answer.ts';

/** The results that Keycloak accepts. */
export const CALLBACK_STATUS = {
  succeed: 'SUCCEED',
  unauthorized: 'UNAUTHORIZED',
  cancelled: 'CANCELLED',
} as const;

export type CallbackStatus = (typeof CALLBACK_STATUS)[keyof typeof CALLBACK_STATUS];

/** The request of the server to the authentication device, without the bearer token. */
export interface Delegation {
  readonly login_hint: string | undefined;
  readonly scope: string | undefined;
  readonly binding_message: string | undefined;
  readonly acr_values: string | undefined;
  readonly is_consent_required: boolean | undefined;
}

/**
 * Reads the body of a delegation, JSON or form. Unknown members are ignored: Keycloak 15 to 17
 * send the secret of the client.
 * @param contentType the value of the header
 * @returns undefined for other bodies
 */
export function parseDelegation(contentType: string | undefined, body: string): Delegation | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const members: JsonObject | undefined =
    type === 'application/x-www-form-urlencoded'
      ? Object.fromEntries(new URLSearchParams(body))
      : parseJsonObject(body);
  if (members === undefined) return undefined;
  const text = (name: string) => {
    const value = members[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const consent = members.is_consent_required;
  return {
    login_hint: text('login_hint'),
    scope: text('scope'),
    binding_message: text('binding_message'),
    acr_values: text('acr_values'),
    is_consent_required: consent === undefined ? undefined : consent === true || consent === 'true',
  };
}

/** Builds the URL of the callback: it is below the authentication endpoint, and not in the metadata. */
export function buildCallbackUrl(backchannelAuthenticationEndpoint: string): string {
  return `${trimTrailing(backchannelAuthenticationEndpoint, '/')}/callback`;
}

/** Builds the URL of the callback from the issuer, without its metadata. */
export function buildIssuerCallbackUrl(issuer: string): string {
  return buildCallbackUrl(`${trimTrailing(issuer, '/')}/protocol/openid-connect/ext/ciba/auth`);
}

/** Builds the body of a result callback. */
export function buildCallback(status: CallbackStatus): string {
  return JSON.stringify({ status });
}

/** The answer to a result callback. */
export type CallbackAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/** Reads the answer to a result callback; the body of a success is not used. */
export function parseCallbackAnswer(answer: RawAnswer): CallbackAnswer {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };
  const classified = classifyAnswer(answer, 'ciba_callback');
  return classified.kind === 'ok' ? { kind: 'foreign', reason: `status ${answer.status}` } : classified;
}

/** Claims of the bearer token of a delegation, unverified. */
export interface BearerClaims {
  readonly iss: string | undefined;
  readonly sub: string | undefined;
  /** The client. */
  readonly azp: string | undefined;
}

/** Reads a bearer token without checking it. @returns undefined unless it is a JWT */
export function readBearer(bearer: string): BearerClaims | undefined {
  const claims = decodeUnverified(bearer)?.claims;
  if (claims === undefined) return undefined;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { iss: text(claims.iss), sub: text(claims.sub), azp: text(claims.azp) };
}
