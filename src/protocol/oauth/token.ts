import { type OAuthRefusal, ValidationError } from '../../errors.ts';
import type { MemberOf } from '../definitions/answers.ts';
import { findGrant, type GrantType, type TokenRequestValues } from '../definitions/grants/index.ts';
import type { JsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from './answer.ts';
import { type DeclaredParameters, declareParameters, type Exact, type ParameterValues } from './form.ts';

/** A token response, checked; `json` keeps every member as it came. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number | undefined;
  readonly refresh_token: string | undefined;
  readonly id_token: string | undefined;
  readonly scope: string | undefined;
  readonly json: JsonObject;
}

export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokens: TokenResponse }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Builds the parameters of a token request, without those of the client authentication.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4
 */
export function buildTokenRequest<const Type extends GrantType, Values extends TokenRequestValues<Type>>(
  grantType: Type,
  values: Exact<Values, TokenRequestValues<Type>>,
): DeclaredParameters {
  return buildDeclaredTokenRequest(grantType, values);
}

/**
 * Builds the parameters of a token request whose grant is known at run time only.
 * @throws TypeError for a grant or a parameter that is not defined, which is a defect
 */
export function buildDeclaredTokenRequest(grantType: string, values: ParameterValues): DeclaredParameters {
  const grant = findGrant(grantType);
  if (grant === undefined) throw new TypeError(`no grant is defined for ${grantType}`);
  return declareParameters(
    { grant_type: { is: 'plain' }, ...grant.parameters },
    { grant_type: grantType, ...values },
  );
}

/**
 * Classifies the answer of a token endpoint.
 * @throws ValidationError `token_response_invalid` for a success without `access_token` or `token_type`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function parseTokenAnswer(answer: RawAnswer): TokenAnswer {
  const classified = classifyAnswer(answer, 'token');
  if (classified.kind !== 'ok') return classified;
  return { kind: 'tokens', tokens: parseTokenResponse(classified.json) };
}

/**
 * Checks a token response, as it came or as it was kept.
 * @throws ValidationError `token_response_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function parseTokenResponse(json: JsonObject): TokenResponse {
  return {
    access_token: requireText(json, 'access_token'),
    token_type: readTokenType(json),
    expires_in: parseLifetime(json.expires_in),
    refresh_token: optionalText(json, 'refresh_token'),
    id_token: optionalText(json, 'id_token'),
    scope: optionalText(json, 'scope'),
    json,
  };
}

/**
 * Keycloak's legacy exchange for a token of another issuer leaves the type out. What was issued may be something else
 * than an access token, for which RFC 8693 has the type `N_A`.
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1
 */
function readTokenType(json: JsonObject): string {
  const isExchanged = json.token_type === undefined && typeof json.issued_token_type === 'string';
  return isExchanged ? 'N_A' : requireText(json, 'token_type');
}

/** Reads seconds. Some servers send them as a string; anything else is no lifetime. */
export function parseLifetime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function requireText(json: JsonObject, name: MemberOf<'token'>): string {
  const value = optionalText(json, name);
  if (value === undefined || value === '') {
    throw new ValidationError('token_response_invalid', `the token response has no "${name}"`, {
      hint: 'The server is at fault (RFC 6749 §5.1): look at the exchange with -v.',
    });
  }
  return value;
}

function optionalText(json: JsonObject, name: MemberOf<'token'>): string | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    throw new ValidationError('token_response_invalid', `"${name}" in the token response is not a string`, {
      hint: 'The server is at fault (RFC 6749 §5.1): look at the exchange with -v.',
    });
  }
  return value;
}
