// What is Keycloak's alone in a CIBA flow: the delegation to the authentication device, and the callback.
// No specification covers it. @see https://www.keycloak.org/docs/latest/server_admin/#_client_initiated_backchannel_authentication_grant

import type { OAuthRefusal } from '../../errors.ts';
import { trimTrailing } from '../../trim-trailing.ts';
import { decodeUnverified } from '../jose/jwt.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from '../oauth/answer.ts';

/** The results that Keycloak knows. */
export const CALLBACK_STATUS = {
  succeed: 'SUCCEED',
  unauthorized: 'UNAUTHORIZED',
  cancelled: 'CANCELLED',
} as const;

export type CallbackStatus = (typeof CALLBACK_STATUS)[keyof typeof CALLBACK_STATUS];

/** What the server asks the authentication device, without the bearer. */
export interface Delegation {
  readonly login_hint: string | undefined;
  readonly scope: string | undefined;
  readonly binding_message: string | undefined;
  readonly acr_values: string | undefined;
  readonly is_consent_required: boolean | undefined;
}

/**
 * Reads the body of a delegation, JSON or form. Members that are not known are left alone: Keycloak 15 to 17
 * put the client's secret there.
 * @param contentType the header's value, as it came
 * @returns undefined when the body is neither
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

/** The callback's address: it stands beside the authentication endpoint, and no metadata lists it. */
export function callbackUrl(backchannelAuthenticationEndpoint: string): string {
  return `${trimTrailing(backchannelAuthenticationEndpoint, '/')}/callback`;
}

/** The callback's address below an issuer, where its metadata is not at hand. */
export function callbackUrlOfIssuer(issuer: string): string {
  return callbackUrl(`${trimTrailing(issuer, '/')}/protocol/openid-connect/ext/ciba/auth`);
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

/** What a delegation's bearer says, read only. */
export interface BearerClaims {
  readonly iss: string | undefined;
  readonly sub: string | undefined;
  /** The client. */
  readonly azp: string | undefined;
}

/** Reads a bearer without checking it. @returns undefined for a bearer that is no JWT */
export function readBearer(bearer: string): BearerClaims | undefined {
  const claims = decodeUnverified(bearer)?.claims;
  if (claims === undefined) return undefined;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { iss: text(claims.iss), sub: text(claims.sub), azp: text(claims.azp) };
}
