import { type OAuthRefusal, ValidationError } from '../../errors.ts';
import { repairJwt, unwrapToken } from '../jose/jwt-repair.ts';
import type { JsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from './answer.ts';
import { buildParameters, type DeclaredParameters } from './form.ts';

/** The parameters of an introspection request, by their wire names. */
export interface IntrospectionRequest {
  readonly token: string;
  readonly token_type_hint?: string | undefined;
}

/** An introspection response. */
export interface Introspection {
  readonly active: boolean;
  /** All members that describe the token. */
  readonly token: JsonObject;
  /** The response unchanged; of a signed one its claims. */
  readonly json: JsonObject;
  /** The algorithm of a signed response. */
  readonly alg?: string | undefined;
}

export type IntrospectionAnswer =
  | { readonly kind: 'introspected'; readonly introspection: Introspection }
  /** A JWT, to be verified before it is read. */
  | { readonly kind: 'signed'; readonly jwt: string }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/** The media type of signed answers. @see https://www.rfc-editor.org/rfc/rfc9701#section-4 */
export const SIGNED_INTROSPECTION = 'application/token-introspection+jwt';

/**
 * Builds the parameters of an introspection request, without those of the client authentication.
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.1
 */
export function buildIntrospectionRequest({
  token,
  token_type_hint,
}: IntrospectionRequest): DeclaredParameters {
  return buildParameters('introspection', { token, token_type_hint });
}

/**
 * Classifies the answer of an introspection endpoint.
 * @throws ValidationError `introspection_response_invalid` for a success without a boolean `active`
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2
 */
export function parseIntrospectionAnswer(answer: RawAnswer): IntrospectionAnswer {
  // Some servers send a JWT with the type of JSON or text, or in quotes; others send JSON with the type of a JWT.
  const jwt = answer.status === 200 ? repairJwt(unwrapToken(answer.body).text)?.text : undefined;
  if (jwt !== undefined) return { kind: 'signed', jwt };
  const classified = classifyAnswer(answer, 'introspection');
  if (classified.kind !== 'ok') return classified;
  const { json } = classified;
  return { kind: 'introspected', introspection: { active: readActive(json), token: json, json } };
}

/**
 * Reads whether a token is active.
 * @throws ValidationError `introspection_response_invalid`
 */
export function readActive({ active }: JsonObject): boolean {
  if (typeof active === 'boolean') return active;
  throw new ValidationError(
    'introspection_response_invalid',
    `the introspection response does not say whether the token is active: "active" is ${JSON.stringify(active) ?? 'missing'}`,
    { hint: 'The server is at fault (RFC 7662 §2.2): look at the exchange with -v.' },
  );
}
