import type { HttpAnswer } from '../../context.ts';
import {
  NetworkError,
  type OAuthRefusal,
  type OauthctlError,
  RefusedError,
  TimeoutError,
} from '../../errors.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import { parseRetryAfter } from '../../protocol/oauth/retry-after.ts';
import { parseTokenAnswer, type TokenResponse } from '../../protocol/oauth/token.ts';

/** What an answer to a poll means for the next one; `notBefore` in milliseconds since the epoch. */
export type PollVerdict =
  | { readonly again: 'pending' | 'slow_down'; readonly refusal: OAuthRefusal; readonly notBefore: number }
  | {
      readonly again: 'failure';
      readonly reason: string;
      readonly error: OauthctlError;
      readonly notBefore: number;
    }
  | { readonly again: false; readonly tokens: TokenResponse };

/**
 * Decides by the JSON `error` first; the status counts only where there is none that settles it.
 * @param now milliseconds since the epoch
 * @throws RefusedError where polling has to stop; NetworkError, ValidationError for an answer that is not the protocol's
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.11
 */
export function classifyPollAnswer(
  answer: HttpAnswer,
  options: { readonly tokenEndpoint: string; readonly pendingErrors?: readonly string[] | undefined },
  now: number,
): PollVerdict {
  const parsed = parseTokenAnswer(answer);
  if (parsed.kind === 'tokens') return { again: false, tokens: parsed.tokens };
  if (parsed.kind === 'unusable') throw parsed.response.error;
  const retryAfter = parseRetryAfter(answer.headers['retry-after'], now);
  const notBefore = retryAfter === undefined ? 0 : now + retryAfter;
  if (parsed.kind === 'refused') {
    const { oauth } = parsed;
    if (oauth.error === 'slow_down') return { again: 'slow_down', refusal: oauth, notBefore };
    if (oauth.error === 'authorization_pending' || options.pendingErrors?.includes(oauth.error)) {
      return { again: 'pending', refusal: oauth, notBefore };
    }
    if (!isPassing(answer.status, oauth.error))
      throw new RefusedError(oauth, { personDecides: isPersonsAnswer(oauth) });
    return {
      again: 'failure',
      reason: `${answer.status} ${oauth.error}`,
      error: new RefusedError(oauth),
      notBefore,
    };
  }
  const error = buildForeignAnswer(parsed.reason, options.tokenEndpoint);
  if (answer.status < 500 && answer.status !== 429) throw error;
  return { again: 'failure', reason: `the server answered with ${parsed.reason}`, error, notBefore };
}

/** These blame the client or the id, whatever the status; anything else on 5xx or 429 is the server's own trouble. */
const FINAL_ERRORS = new Set([
  'access_denied',
  'expired_token',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_grant_type',
]);

/** `access_denied` is the person's answer, unless the server says that something is switched off. */
function isPersonsAnswer({ error_description: description = '' }: OAuthRefusal): boolean {
  return !/\b(?:not enabled|disabled)\b/i.test(description);
}

function isPassing(status: number, error: string): boolean {
  return (status >= 500 || status === 429) && !FINAL_ERRORS.has(error);
}

/** These blame the client or its request, not the lifetime of the id; `access_denied` is the answer of a person. */
const NO_EXPIRY = new Set([
  'access_denied',
  'insufficient_scope',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'use_dpop_nonce',
]);

/** Says whether a refusal may mean that the lifetime of the id is over: servers use different errors for that. */
export function mayMeanExpiry({ error, status }: OAuthRefusal): boolean {
  return !NO_EXPIRY.has(error) && status !== 401;
}

/** Says whether the same poll may succeed later although no answer came. */
export function isTransient(error: unknown): error is OauthctlError {
  // "network" is what broke off in some way of its own, an answer cut short for example.
  if (error instanceof NetworkError)
    return ['connection_reset', 'connect_timeout', 'network'].includes(error.code);
  return error instanceof TimeoutError && error.code === 'answer_timeout';
}
