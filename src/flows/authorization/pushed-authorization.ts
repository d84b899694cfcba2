import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import { type PushedAuthorization, parsePushedAuthorization } from '../../protocol/oauth/authorization.ts';
import { type DeclaredParameters, withoutParameters } from '../../protocol/oauth/form.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { postForm, type Target } from '../server/target.ts';

export type PushedAuthorizationEvent =
  | {
      readonly type: 'pushed_authorization_request';
      readonly url: string;
      readonly target: Target;
      readonly parameters: DeclaredParameters;
    }
  | {
      readonly type: 'pushed_authorization_response';
      readonly pushed: PushedAuthorization;
      readonly status: number;
      readonly ms: number;
    };

/**
 * Pushes an authorization request to the server.
 * @param parameters those of the authorization request, or the one `request` that holds them
 * @throws RefusedError; NetworkError; ValidationError `endpoint_missing`, `pushed_authorization_response_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc9126#section-2
 */
export async function pushAuthorization(
  ctx: Context,
  target: Target,
  parameters: DeclaredParameters,
  onEvent: (event: PushedAuthorizationEvent) => void,
): Promise<PushedAuthorization> {
  const url = requireEndpoint(target.metadata, 'pushed_authorization_request_endpoint');
  onEvent({ type: 'pushed_authorization_request', url, target, parameters });
  const endpoint = 'pushed_authorization_request';
  // With every other method, client_id is a parameter of the client authentication.
  const isNamed = target.client.token_endpoint_auth_method !== 'client_secret_basic';
  const sent = withoutParameters(parameters, isNamed ? ['client_id'] : []);
  const answer = await postForm(ctx, target, { url, endpoint, parameters: sent });
  const classified = classifyAnswer(answer, endpoint);
  if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
  if (classified.kind === 'foreign') throw buildForeignAnswer(classified.reason, url);
  const pushed = parsePushedAuthorization(classified.json);
  onEvent({ type: 'pushed_authorization_response', pushed, status: answer.status, ms: answer.ms });
  return pushed;
}
