import { type OAuthRefusal, ValidationError } from '../../errors.ts';
import type { MemberOf } from '../definitions/answers.ts';
import { findGrant, type GrantType, type TokenRequestValues } from '../definitions/grants/index.ts';
import type { JsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from './answer.ts';
import { type DeclaredParameters, declareParameters, type Exact, type ParameterValues } from './form.ts';
import { readSeconds, showMember } from './response-members.ts';

/** A token response; `json` has every member unchanged. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number | undefined;
  /** Never empty. */
  readonly refresh_token: string | undefined;
  /** Never empty. */
  readonly id_token: string | undefined;
  readonly scope: string | undefined;
  /** Members that do not have the specified form, but were understood. */
  readonly remarks: readonly string[];
  readonly json: JsonObject;
}

/** A token response without a usable access token. */
export interface UnusableTokenResponse {
  readonly error: ValidationError;
  /** It replaces the one that was sent, although the response is unusable. */
  readonly refresh_token: string | undefined;
  readonly json: JsonObject;
}

export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokens: TokenResponse }
  | { readonly kind: 'unusable'; readonly response: UnusableTokenResponse }
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
 * Builds the parameters of a token request whose grant is known only at run time.
 * @throws TypeError for an undefined grant or parameter, which is a defect
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
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function parseTokenAnswer(answer: RawAnswer): TokenAnswer {
  const classified = classifyAnswer(answer, 'token');
  if (classified.kind === 'refused') return classified;
  const form = classified.kind === 'ok' ? undefined : readTokenForm(answer);
  if (classified.kind === 'foreign' && form === undefined) return classified;
  const json = classified.kind === 'ok' ? classified.json : (form ?? {});
  const remarks = form === undefined ? [] : ['it is a form, not JSON'];
  try {
    return { kind: 'tokens', tokens: parseTokenResponse(json, { remarks, isForm: form !== undefined }) };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return {
      kind: 'unusable',
      response: { error, refresh_token: readOptionalToken(json, 'refresh_token', []), json },
    };
  }
}

/** Reads a token response that is a form, as GitHub and older servers send it. */
function readTokenForm({ status, headers, body }: RawAnswer): JsonObject | undefined {
  const isText = /^(?:application\/x-www-form-urlencoded|text\/plain)\b/i.test(
    headers['content-type'] ?? 'text/plain',
  );
  if (status >= 300 || !isText || !/^(?:[\w.-]+=[^&\s]*&)*access_token=[^&\s]+/.test(body)) return undefined;
  return Object.fromEntries(new URLSearchParams(body.trim()));
}

export interface TokenResponseReading {
  /** Deviations of the response as a whole. */
  readonly remarks?: readonly string[];
  /** Whether all members are strings, as in a form or a redirect. */
  readonly isForm?: boolean;
}

/**
 * Reads a token response, received or kept. Members whose meaning is clear are accepted in any form.
 * @throws ValidationError `token_response_invalid` where there is no access token
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function parseTokenResponse(json: JsonObject, reading: TokenResponseReading = {}): TokenResponse {
  const access_token = requireAccessToken(json);
  const remarks = [...(reading.remarks ?? [])];
  const token_type = readTokenType(json, remarks);
  const lifetimes = reading.isForm ? [] : remarks;
  const expires_in = readSeconds(json, 'expires_in', lifetimes);
  readSeconds(json, 'refresh_expires_in', lifetimes);
  if (access_token !== json.access_token) remarks.push('"access_token" has white space around it');
  return {
    access_token,
    token_type,
    expires_in,
    refresh_token: readOptionalToken(json, 'refresh_token', remarks),
    id_token: readOptionalToken(json, 'id_token', remarks),
    scope: readScope(json, remarks),
    remarks,
    json,
  };
}

/** Writes the members of a token response in their specified form, for kept tokens. */
export function normalizeTokenResponse(tokens: TokenResponse): JsonObject {
  const { access_token, token_type, refresh_token, id_token, scope } = tokens;
  const read = { access_token, token_type, refresh_token, id_token, scope };
  const json: Record<string, unknown> = { ...tokens.json };
  for (const [name, value] of Object.entries(read)) {
    if (value === undefined) delete json[name];
    else json[name] = value;
  }
  return json;
}

function requireAccessToken(json: JsonObject): string {
  const value = json.access_token;
  const isAbsent = value === undefined || value === null || (typeof value === 'string' && !value.trim());
  if (typeof value === 'string' && !isAbsent) return value.trim();
  throw new ValidationError(
    'token_response_invalid',
    isAbsent
      ? 'the token response has no "access_token"'
      : '"access_token" in the token response is not a string',
    { hint: 'The server is at fault (RFC 6749 §5.1): look at the exchange with -v.' },
  );
}

/**
 * Keycloak's legacy exchange for a token of another issuer omits the type. The issued token may be of another kind than an
 * access token, for which RFC 8693 defines the type `N_A`.
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1
 */
function readTokenType(json: JsonObject, remarks: string[]): string {
  const value = json.token_type;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  if (value === undefined && typeof json.issued_token_type === 'string') return 'N_A';
  const isAbsent = value === undefined || value === null || value === '';
  remarks.push(
    isAbsent
      ? 'it has no "token_type"; Bearer is assumed'
      : `"token_type" is ${showMember(json, 'token_type')}; Bearer is assumed`,
  );
  return 'Bearer';
}

/** Reads an optional token; its value is never shown. */
function readOptionalToken(json: JsonObject, name: MemberOf<'token'>, remarks: string[]): string | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') remarks.push(`"${name}" is not a string, and is ignored`);
  else if (value.trim() === '') remarks.push(`"${name}" is empty`);
  else if (value.trim() !== value) remarks.push(`"${name}" has white space around it`);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
function readScope(json: JsonObject, remarks: string[]): string | undefined {
  const value = json.scope;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
  remarks.push(
    isList
      ? '"scope" is a list instead of a string'
      : `"scope" is ${showMember(json, 'scope')}, which is ignored`,
  );
  return isList ? value.join(' ') : undefined;
}
