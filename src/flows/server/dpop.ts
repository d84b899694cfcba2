import type { Context, HttpAnswer } from '../../context.ts';
import type { DefinedHeaders } from '../../protocol/definitions/answers.ts';
import type { DpopClaims, DpopKey } from '../../protocol/oauth/dpop.ts';
import { parseDpopNonce, wantsDpopNonce } from '../../protocol/oauth/dpop-nonce.ts';
import { makeJti } from '../../protocol/unguessable.ts';

export type DpopEvent =
  /** A server refused a proof for want of its nonce; the request is sent once more. */
  | { readonly type: 'dpop_nonce_wanted'; readonly url: string; readonly status: number }
  /** A proof was sent, and the token is not bound to its key. */
  | { readonly type: 'dpop_ignored'; readonly token_type: string };

/** What the proofs of one run have in common. */
export interface DpopProofs {
  /** By origin: the last nonce that came from there. */
  readonly nonces: Map<string, string>;
  /** Claims of the person's own, to provoke a refusal. */
  readonly claims?: DpopClaims | undefined;
  readonly onEvent: (event: DpopEvent) => void;
}

/** What a request proves by DPoP. */
export interface ProvenRequest {
  readonly method: string;
  readonly url: string;
  readonly accessToken?: string | undefined;
}

/**
 * Sends a request with a proof of possession: once, and a second time where the server wants its nonce in the proof.
 * @param send sends the request with these headers; each time anew, for nothing in it may be used twice
 * @throws UsageError `key_unfit`; what `send` throws
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
 */
export async function sendWithProof(
  ctx: Context,
  key: DpopKey,
  proofs: DpopProofs,
  request: ProvenRequest,
  send: (headers: DefinedHeaders) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  // jose takes its time to load.
  const { buildDpopProof } = await import('../../protocol/oauth/dpop.ts');
  const { origin } = new URL(request.url);
  const attempt = async () => {
    const dpop = await buildDpopProof({
      ...request,
      key,
      now: ctx.clock.now(),
      jti: makeJti(ctx.random),
      nonce: proofs.nonces.get(origin),
      claims: proofs.claims,
    });
    ctx.redactor.know(dpop);
    const answer = await send({ dpop });
    const nonce = parseDpopNonce(answer);
    if (nonce !== undefined) proofs.nonces.set(origin, nonce);
    return { answer, nonce };
  };
  const { answer, nonce } = await attempt();
  if (nonce === undefined || !wantsDpopNonce(answer)) return answer;
  proofs.onEvent({ type: 'dpop_nonce_wanted', url: request.url, status: answer.status });
  return (await attempt()).answer;
}
