import type { Context, HttpAnswer } from '../../context.ts';
import { NetworkError, RefusedError, TimeoutError } from '../../errors.ts';
import type { DefinedHeaders } from '../../protocol/definitions/answers.ts';
import {
  classifyPreflight,
  type PreflightVerdict,
  pickPreflightParameters,
} from '../../protocol/oauth/authorization-preflight.ts';
import type { DeclaredParameters } from '../../protocol/oauth/form.ts';
import type { Target } from '../server/target.ts';
import { type AuthorizationDelivery, makeAuthorizationUrl } from './authorization-request.ts';

export type PreflightEvent =
  | { readonly type: 'preflight_request'; readonly url: string; readonly parameters: DeclaredParameters }
  | {
      readonly type: 'preflight_response';
      readonly verdict: PreflightVerdict;
      /** Undefined where no answer came. */
      readonly answer: Pick<HttpAnswer, 'status' | 'ms'> | undefined;
    };

/** As a browser: servers choose by it between a login page and an error for programs. English is what can be explained. */
const HEADERS: DefinedHeaders = {
  accept: 'text/html, application/xhtml+xml, */*;q=0.8',
  'accept-language': 'en',
};

/**
 * Requests the authorization address without a session and without following redirects, so that a request that the
 * server refuses does not leave the user on an error page. It carries client, redirect URI, response type, scope and PKCE
 * alone. Where the answer decides nothing, the flow goes on.
 * @param parameters those of the authorization request
 * @throws RefusedError; ValidationError `endpoint_missing`; UsageError as makeAuthorizationUrl
 */
export async function preflightAuthorization(
  ctx: Context,
  target: Target,
  parameters: DeclaredParameters,
  { requestObject }: Pick<AuthorizationDelivery, 'requestObject'>,
  onEvent: (event: PreflightEvent) => void,
): Promise<void> {
  const picked = pickPreflightParameters(parameters);
  const url = await makeAuthorizationUrl(ctx, target, picked, { pushed: false, requestObject }, () => {});
  onEvent({ type: 'preflight_request', url, parameters: picked });
  let answer: HttpAnswer;
  try {
    const http = await ctx.http();
    answer = await http.send({ method: 'GET', url, endpoint: 'authorization', headers: HEADERS }, ctx.signal);
  } catch (error) {
    if (!(error instanceof NetworkError || error instanceof TimeoutError)) throw error;
    const verdict = { kind: 'unclear', reason: error.message } as const;
    onEvent({ type: 'preflight_response', verdict, answer: undefined });
    return;
  }
  const verdict = classifyPreflight(answer, { url, parameters });
  onEvent({ type: 'preflight_response', verdict, answer });
  if (verdict.kind === 'refused') throw new RefusedError(verdict.oauth);
}
