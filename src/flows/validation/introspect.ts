import type { Context } from '../../context.ts';
import { RefusedError, ValidationError } from '../../errors.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import { listInactiveReasons } from '../../protocol/oauth/inactive-token.ts';
import {
  buildIntrospectionRequest,
  type Introspection,
  parseIntrospectionAnswer,
  SIGNED_INTROSPECTION,
} from '../../protocol/oauth/introspection.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { isKeycloak } from '../../protocol/oauth/server-product.ts';
import { prepareVerification } from '../server/jwks.ts';
import { postForm, type Target } from '../server/target.ts';

export type IntrospectEvent =
  | {
      readonly type: 'introspection_request';
      readonly url: string;
      readonly target: Target;
      readonly values: { readonly token: string; readonly token_type_hint?: string | undefined };
    }
  | { readonly type: 'introspection_response'; readonly introspection: Introspection; readonly ms: number };

export interface IntrospectOptions {
  readonly target: Target;
  readonly token: string;
  readonly tokenTypeHint?: string | undefined;
  /** Requests a signed response, and accepts no other. */
  readonly signed?: boolean | undefined;
  /** The media type of the Accept header otherwise. */
  readonly accept?: string | undefined;
}

/**
 * Introspects a token.
 * @throws RefusedError; NetworkError; ValidationError `introspection_response_invalid`, `introspection_not_signed`,
 *   `endpoint_missing`
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2
 * @see https://www.rfc-editor.org/rfc/rfc9701
 */
export async function introspect(
  ctx: Context,
  options: IntrospectOptions,
  onEvent: (event: IntrospectEvent) => void,
): Promise<Introspection> {
  const { target, token, tokenTypeHint: token_type_hint, signed = false } = options;
  const url = requireEndpoint(target.metadata, 'introspection_endpoint');
  const values = { token, token_type_hint };
  onEvent({ type: 'introspection_request', url, target, values });
  const answer = await postForm(ctx, target, {
    url,
    endpoint: 'introspection',
    parameters: buildIntrospectionRequest(values),
    headers: { accept: signed ? SIGNED_INTROSPECTION : (options.accept ?? 'application/json') },
  });
  const parsed = parseIntrospectionAnswer(answer);
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw buildForeignAnswer(parsed.reason, url);
  if (parsed.kind === 'introspected' && signed) throw notSigned(target);
  const introspection =
    parsed.kind === 'introspected' ? parsed.introspection : await openSigned(ctx, target, parsed.jwt);
  ctx.redactor.knowMembers(introspection.json);
  onEvent({ type: 'introspection_response', introspection, ms: answer.ms });
  return introspection;
}

/** Builds the error of an inactive token, with its possible causes. */
export function inactive(ctx: Context, { target, token, tokenTypeHint }: IntrospectOptions): ValidationError {
  const reasons = listInactiveReasons(token, {
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    isKeycloak: isKeycloak(target.metadata),
    now: ctx.clock.now(),
    token_type_hint: tokenTypeHint,
  });
  return new ValidationError('token_inactive', 'the server says that the token is not active', {
    hint: reasons.join(' '),
  });
}

async function openSigned(ctx: Context, target: Target, jwt: string): Promise<Introspection> {
  ctx.redactor.know(jwt);
  const { readIntrospectionJwt } = await import('../../protocol/oauth/introspection-jwt.ts');
  return readIntrospectionJwt(
    jwt,
    await prepareVerification(ctx, target, 'introspection_signing_alg_values_supported'),
  );
}

function notSigned({ metadata }: Target): ValidationError {
  const keycloak = isKeycloak(metadata)
    ? ' Keycloak does not sign them; with --accept application/jwt it adds the member jwt where the client allows it.'
    : '';
  return new ValidationError(
    'introspection_not_signed',
    'a signed introspection response was requested, but the server answered with an unsigned one',
    {
      hint: `The server does not sign introspection responses (RFC 9701), or not for this client: omit --jwt.${keycloak}`,
    },
  );
}
