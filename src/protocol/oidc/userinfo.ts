import { type OAuthRefusal, ValidationError } from '../../errors.ts';
import { repairJwt, unwrapToken } from '../jose/jwt-repair.ts';
import type { JsonObject } from '../json.ts';
import { classifyAnswer, type RawAnswer } from '../oauth/answer.ts';

/** The claims about the user of an access token. */
export interface Userinfo {
  /** The response unchanged; of a JWT its claims. */
  readonly json: JsonObject;
  /** The algorithm of a signed response. */
  readonly alg?: string | undefined;
  /** The algorithms of an encrypted response. */
  readonly encryption?: { readonly alg: string; readonly enc: string } | undefined;
  /** Deviations that are not a reason to refuse it. */
  readonly remarks?: readonly string[];
}

export type UserinfoAnswer =
  | { readonly kind: 'claims'; readonly json: JsonObject }
  /** A JWT, to be verified before it is read. */
  | { readonly kind: 'jwt'; readonly jwt: string }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Classifies the answer of a UserInfo endpoint with a status below 400; others are handled as those of any resource.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
 */
export function parseUserinfoAnswer(answer: RawAnswer): UserinfoAnswer {
  const { status, body } = answer;
  // Some servers send a JWT with the type of JSON or text, or in quotes; others send JSON with the type of a JWT.
  const jwt = status === 200 ? repairJwt(unwrapToken(body).text)?.text : undefined;
  if (jwt !== undefined) return { kind: 'jwt', jwt };
  const classified = classifyAnswer(answer, 'userinfo');
  return classified.kind === 'ok' ? { kind: 'claims', json: classified.json } : classified;
}

/**
 * Checks that the claims are about a user, and about the one that is meant.
 * @param sub of the ID token that came with the access token, where it is known
 * @throws ValidationError `userinfo_invalid`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
 */
export function checkSubject(json: JsonObject, sub: string | undefined): void {
  if (typeof json.sub !== 'string' || json.sub === '') throw invalidUserinfo('it has no "sub"');
  if (sub !== undefined && json.sub !== sub) {
    throw invalidUserinfo(
      `its sub is ${JSON.stringify(json.sub)}, and that of the ID token that came with the access token is ${JSON.stringify(sub)}`,
    );
  }
}

/** The failure of an answer that must not be used. */
export function invalidUserinfo(what: string, details?: { readonly cause?: unknown }): ValidationError {
  return new ValidationError('userinfo_invalid', `the UserInfo response must not be used: ${what}`, {
    hint: 'The server or the client registration is at fault (OpenID Connect Core §5.3.2): look at the exchange with -v --show-secrets.',
    ...details,
  });
}
