import type { OAuthRefusal } from '../../errors.ts';
import { classifyAnswer, type RawAnswer } from './answer.ts';
import { buildParameters, type DeclaredParameters } from './form.ts';

/** The parameters of a revocation request, by their wire names. */
export interface RevocationRequest {
  readonly token: string;
  readonly token_type_hint?: string | undefined;
}

export type RevocationAnswer =
  /** The token is not valid any more; the server does not say whether it was. */
  | { readonly kind: 'revoked' }
  /** The token is still valid, and the server asks the client to try again later. */
  | { readonly kind: 'unavailable'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Builds the parameters of a revocation request, without those of the client authentication.
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
 */
export function buildRevocationRequest({ token, token_type_hint }: RevocationRequest): DeclaredParameters {
  return buildParameters('revocation', { token, token_type_hint });
}

/**
 * Classifies the answer of a revocation endpoint. The body of a success has no meaning, except for an error in it:
 * Keycloak sends `invalid_token` with 200 if it does not know the token.
 * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.2
 */
export function parseRevocationAnswer(answer: RawAnswer): RevocationAnswer {
  const classified = classifyAnswer(answer, 'revocation');
  const { status } = answer;
  if (status === 503) {
    const oauth =
      classified.kind === 'refused'
        ? classified.oauth
        : { error: 'service_unavailable', status, endpoint: 'revocation' as const };
    return { kind: 'unavailable', oauth };
  }
  if (classified.kind === 'refused') return classified;
  // An HTML page with status 200 is from another program: nothing was revoked.
  const isDone = status >= 200 && status <= 299 && !isPage(answer);
  if (classified.kind === 'foreign' && !isDone) return classified;
  return { kind: 'revoked' };
}

function isPage({ headers, body }: RawAnswer): boolean {
  if (body.trim() === '') return false;
  return /^text\/html\b/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(body);
}
