import { type OAuthRefusal, ValidationError } from '../../errors.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import {
  buildParameters,
  type DeclaredParameters,
  encodeForm,
  type FormParameters,
  joinParameters,
  withoutParameters,
} from './form.ts';
import type { ProofKey } from './pkce.ts';
import { parseLifetime } from './response-members.ts';

/** The parts of a response type. @see https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html */
export const RESPONSE_TYPE_WORDS = ['code', 'id_token', 'token'] as const;

/** The parameters of an authorization request that the user chooses, by their wire names. */
export interface AuthorizationRequest {
  readonly response_type: string;
  readonly response_mode?: string | undefined;
  readonly scope?: string | undefined;
  readonly login_hint?: string | undefined;
  readonly prompt?: string | undefined;
  /** Seconds. */
  readonly max_age?: string | undefined;
  readonly acr_values?: string | undefined;
  /** A JSON object. */
  readonly claims?: string | undefined;
  readonly ui_locales?: string | undefined;
  readonly display?: string | undefined;
  /** Of Keycloak: the identity provider to use. */
  readonly kc_idp_hint?: string | undefined;
  /** A JSON array. @see https://www.rfc-editor.org/rfc/rfc9396 */
  readonly authorization_details?: string | undefined;
  /** @see https://www.rfc-editor.org/rfc/rfc8707 */
  readonly resource?: readonly string[] | undefined;
}

/** The parameters that bind the response to the request. */
export interface AuthorizationBinding {
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly state: string;
  readonly nonce?: string | undefined;
  readonly proofKey?: Pick<ProofKey, 'code_challenge' | 'code_challenge_method'> | undefined;
  /** @see https://www.rfc-editor.org/rfc/rfc9449#section-10 */
  readonly dpop_jkt?: string | undefined;
}

/**
 * Builds the parameters of an authorization request.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
 */
export function buildAuthorizationRequest(
  request: AuthorizationRequest,
  { client_id, redirect_uri, state, nonce, proofKey, dpop_jkt }: AuthorizationBinding,
): DeclaredParameters {
  const { response_type, response_mode, scope, ...others } = request;
  return buildParameters('authorization', {
    client_id,
    response_type,
    response_mode,
    redirect_uri,
    scope,
    state,
    nonce,
    code_challenge: proofKey?.code_challenge,
    code_challenge_method: proofKey?.code_challenge_method,
    ...others,
    dpop_jkt,
  });
}

/**
 * Builds the URL to open in a browser. A query of the endpoint is kept.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.1
 */
export function buildAuthorizationUrl(endpoint: string, parameters: DeclaredParameters): string {
  const [base = ''] = endpoint.split('#');
  const mark = !base.includes('?') ? '?' : /[?&]$/.test(base) ? '' : '&';
  return `${base}${mark}${encodeForm(parameters)}`;
}

/**
 * Builds the parameters that are sent beside a request object: RFC 9101 requires the client id, OpenID Connect also the
 * response type and the scope. The server uses the values in the object.
 * @see https://www.rfc-editor.org/rfc/rfc9101#section-5
 * @see https://openid.net/specs/openid-connect-core-1_0.html#RequestObject
 */
export function buildBesideRequestObject(
  parameters: DeclaredParameters,
  request: string,
): DeclaredParameters {
  const beside = ['client_id', 'response_type', 'scope'];
  const others = parameters.map(([name]) => name).filter((name) => !beside.includes(name));
  return joinParameters(withoutParameters(parameters, others), buildParameters('authorization', { request }));
}

/** Returns the value of a parameter that occurs once; undefined if it is missing or repeated. */
export function readSingleValue(parameters: FormParameters, name: string): string | undefined {
  const values = parameters.filter(([one]) => one === name);
  return values.length === 1 ? values[0]?.[1] : undefined;
}

/** Splits a response type into its parts. */
export function splitResponseType(responseType: string | undefined): readonly string[] {
  return responseType?.split(' ').filter(Boolean) ?? [];
}

/**
 * Finds the part of the redirect that holds the response.
 * @param mode `response_mode`, if it was sent
 * @see https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
 */
export function responsePlace(
  responseType: string | undefined,
  mode: string | undefined,
): 'query' | 'fragment' | 'form_post' {
  const named = mode?.replace(/\.jwt$/, '');
  if (named === 'query' || named === 'fragment' || named === 'form_post') return named;
  return splitResponseType(responseType).some((word) => word !== 'code') ? 'fragment' : 'query';
}

export interface AuthorizationResponseExpectations {
  readonly issuer: string;
  /** Whether the server's metadata says `authorization_response_iss_parameter_supported`. */
  readonly requiresIss: boolean;
  readonly responseType: string | undefined;
  /** Whether it is a signed JWT whose `iss` has been verified. */
  readonly isJwt?: boolean | undefined;
}

/** A checked authorization response; `json` has every parameter unchanged. */
export type AuthorizationResponse =
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | {
      readonly kind: 'granted';
      readonly code: string | undefined;
      readonly access_token: string | undefined;
      readonly id_token: string | undefined;
      readonly json: JsonObject;
    };

/**
 * Checks an authorization response whose `state` is correct.
 * @throws ValidationError `issuer_mix_up` if it is from another server, `authorization_response_invalid`
 *   for a parameter that is missing or repeated
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
 * @see https://www.rfc-editor.org/rfc/rfc9207#section-2.4
 */
export function parseAuthorizationResponse(
  parameters: FormParameters,
  expected: AuthorizationResponseExpectations,
): AuthorizationResponse {
  const names = parameters.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`"${twice}" occurs more than once`);
  const json: Readonly<Record<string, string>> = Object.fromEntries(parameters);
  checkIssuer(json.iss, expected);
  const { error, error_description, error_uri, code, access_token, id_token } = json;
  if (error !== undefined && error !== '') {
    return { kind: 'refused', oauth: { error, error_description, error_uri, endpoint: 'authorization' } };
  }
  const needed: Readonly<Record<string, readonly string[]>> = {
    code: ['code'],
    token: ['access_token', 'token_type'],
    id_token: ['id_token'],
  };
  for (const name of splitResponseType(expected.responseType).flatMap((word) => needed[word] ?? [])) {
    if (!json[name]) throw invalid(`it has no "${name}"`);
  }
  return { kind: 'granted', code, access_token, id_token, json };
}

function checkIssuer(iss: string | undefined, expected: AuthorizationResponseExpectations): void {
  if (iss === expected.issuer || (iss === undefined && (!expected.requiresIss || expected.isJwt))) return;
  throw new ValidationError(
    'issuer_mix_up',
    iss === undefined
      ? 'the authorization response has no "iss", but the metadata of the server says that it sends it'
      : `the authorization response is from another issuer: expected ${expected.issuer}, got ${iss}`,
    {
      hint: 'This may be a mix-up attack by another server (RFC 9207). The code was not sent anywhere. Start again, and check the address of the login page.',
    },
  );
}

function invalid(what: string): ValidationError {
  return new ValidationError(
    'authorization_response_invalid',
    `the authorization response breaks the protocol: ${what}`,
    { hint: 'The server is at fault (RFC 6749 §4.1.2): look at the exchange with -v.' },
  );
}

/** A checked pushed authorization response. */
export interface PushedAuthorization {
  readonly request_uri: string;
  /** Seconds; undefined if the server does not say. */
  readonly expires_in: number | undefined;
}

/**
 * Checks a pushed authorization response.
 * @throws ValidationError `pushed_authorization_response_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc9126#section-2.2
 */
export function parsePushedAuthorization({ request_uri, expires_in }: JsonObject): PushedAuthorization {
  if (typeof request_uri !== 'string' || request_uri === '') {
    throw new ValidationError(
      'pushed_authorization_response_invalid',
      'the pushed authorization response has no "request_uri"',
      { hint: 'The server is at fault (RFC 9126 §2.2): look at the exchange with -v.' },
    );
  }
  return { request_uri, expires_in: parseLifetime(expires_in) || undefined };
}

/**
 * Reads the values of an `acr` that `claims` makes essential for the ID token; undefined if it makes none essential.
 * @param claims the parameter of the request, which may be invalid JSON
 * @see https://openid.net/specs/openid-connect-core-1_0.html#acrSemantics
 */
export function readEssentialAcr(claims: string | undefined): readonly string[] | undefined {
  const { id_token } = (claims === undefined ? undefined : parseJsonObject(claims)) ?? {};
  const { acr } = (id_token ?? {}) as { acr?: { essential?: unknown; value?: unknown; values?: unknown } };
  if (acr?.essential !== true) return undefined;
  const values = [acr.values ?? acr.value].flat().filter((value) => typeof value === 'string');
  return values.length > 0 ? values : undefined;
}
