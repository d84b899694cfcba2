import type { Context, HttpAnswer } from '../../context.ts';
import { InterruptedError, NetworkError, OauthctlError, RefusedError, RequestShown } from '../../errors.ts';
import {
  buildCallback,
  type CallbackStatus,
  parseCallbackAnswer,
} from '../../protocol/ciba/keycloak-ciba.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';

export type CibaCallbackEvent =
  | { readonly type: 'result_sent'; readonly status: CallbackStatus; readonly url: string }
  | { readonly type: 'result_accepted'; readonly httpStatus: number; readonly ms: number };

export interface CibaCallbackOptions {
  readonly url: string;
  readonly bearer: string;
  readonly status: CallbackStatus;
}

/**
 * Steps 7 and 8 of CIBA on Keycloak: sends the decision of the user exactly once. After a time-out or a reset it is not
 * known whether the server processed the result; a second result would invalidate an accepted one, so none is sent.
 * @throws RefusedError; NetworkError `callback_fate_unknown`, or the transport's own when nothing was sent;
 *   InterruptedError
 */
export async function sendResult(
  ctx: Context,
  options: CibaCallbackOptions,
  onEvent: (event: CibaCallbackEvent) => void,
): Promise<void> {
  const { url, bearer, status } = options;
  ctx.redactor.know(bearer);
  const http = await ctx.http();
  onEvent({ type: 'result_sent', status, url });
  let answer: HttpAnswer;
  try {
    answer = await http.send(
      {
        method: 'POST',
        url,
        endpoint: 'ciba_callback',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: buildCallback(status),
      },
      ctx.signal,
    );
  } catch (error) {
    throw wasCertainlyNotSent(error) ? error : fateUnknown(error);
  }
  const result = parseCallbackAnswer(answer);
  if (result.kind === 'refused') throw new RefusedError(result.oauth);
  if (result.kind === 'foreign') throw buildForeignAnswer(result.reason, url);
  onEvent({ type: 'result_accepted', httpStatus: answer.status, ms: answer.ms });
}

/** Whether the request failed before there was a connection, so that sending it again is safe. */
export function wasCertainlyNotSent(error: unknown): boolean {
  if (error instanceof RequestShown) return true;
  return (
    error instanceof NetworkError &&
    ['connection_refused', 'proxy_refused', 'dns', 'tls', 'unreachable', 'connect_timeout'].includes(
      error.code,
    )
  );
}

const NOT_REPEATED =
  'It is not repeated, because a second result destroys an accepted one. Polling shows what became of it: "oauthctl ciba poll".';

function fateUnknown(error: unknown): unknown {
  if (error instanceof InterruptedError) {
    return error.withHint(`Nobody knows whether the server took the result. ${NOT_REPEATED}`);
  }
  if (!(error instanceof OauthctlError)) return error;
  return new NetworkError(
    'callback_fate_unknown',
    `the result was sent, and nobody knows whether the server took it: ${error.message}`,
    {
      hint: NOT_REPEATED,
      cause: error,
      maybeHandled: true,
    },
  );
}
