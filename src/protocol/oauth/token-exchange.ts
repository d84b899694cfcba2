import { UsageError } from '../../errors.ts';
import { type EXCHANGE_GRANT, TOKEN_TYPES } from '../definitions/grants/exchange.ts';
import type { TokenRequestValues } from '../definitions/grants/index.ts';

/** The parameters of a token exchange; the names are the wire's. */
export interface TokenExchangeRequest {
  readonly subject_token: string;
  readonly subject_token_type: string;
  readonly actor_token?: string | undefined;
  /** Sent only with an actor token, as the specification requires. */
  readonly actor_token_type?: string | undefined;
  readonly requested_token_type?: string | undefined;
  readonly audience?: readonly string[] | undefined;
  readonly resource?: readonly string[] | undefined;
  readonly scope?: string | undefined;
}

/**
 * Reads a token type: a short name, or an absolute URI as it is.
 * @param flag the option that gave it, for the error
 * @throws UsageError `token_type_unknown`
 */
export function readTokenType(text: string, flag: string): string {
  if (Object.hasOwn(TOKEN_TYPES, text)) return TOKEN_TYPES[text as keyof typeof TOKEN_TYPES];
  if (URL.canParse(text)) return text;
  throw new UsageError('token_type_unknown', `${flag} takes a token type; "${text}" is invalid`, {
    hint: `There are: ${Object.keys(TOKEN_TYPES).join(', ')}; any other type is given by its full URI.`,
  });
}

/**
 * Builds the values of a token exchange; `audience` and `resource` may repeat.
 * @throws UsageError `actor_token_missing` for an actor token type without an actor token
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 */
export function buildTokenExchange(
  request: TokenExchangeRequest,
): TokenRequestValues<(typeof EXCHANGE_GRANT)['grantType']> {
  const { actor_token, actor_token_type } = request;
  if (actor_token === undefined && actor_token_type !== undefined) {
    throw new UsageError('actor_token_missing', '--actor-token-type was given without --actor-token', {
      hint: 'Give both or neither (RFC 8693 §2.1).',
    });
  }
  return {
    resource: request.resource,
    audience: request.audience,
    scope: request.scope,
    requested_token_type: request.requested_token_type,
    subject_token: request.subject_token,
    subject_token_type: request.subject_token_type,
    actor_token,
    actor_token_type: actor_token === undefined ? undefined : (actor_token_type ?? TOKEN_TYPES.access_token),
  };
}
