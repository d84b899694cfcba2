import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import {
  buildIssuerCallbackUrl,
  type CallbackStatus,
  readBearer,
} from '../../protocol/ciba/keycloak-ciba.ts';
import { type CibaCallbackEvent, sendResult, wasCertainlyNotSent } from './callback.ts';

export interface SendHeldOptions {
  readonly status: CallbackStatus;
  /** The bearer token of a delegation; undefined for the last one that is held. */
  readonly bearer?: string | undefined;
}

/**
 * Sends the result of a held delegation, or of the delegation that a bearer token belongs to. The delegation is no longer
 * held afterwards, unless the result was certainly not sent.
 * @throws UsageError `nothing_held`, `bearer_unreadable`; as sendResult
 */
export async function sendHeldResult(
  ctx: Context,
  { status, bearer }: SendHeldOptions,
  onEvent: (event: CibaCallbackEvent) => void,
): Promise<void> {
  const { pending } = await ctx.store();
  if (bearer !== undefined) {
    const url = findCallbackUrl(bearer);
    // No second result may be sent for this bearer token, whatever the outcome of this one.
    await pending.releaseHeld(bearer);
    return sendResult(ctx, { url, bearer, status }, onEvent);
  }
  const held = await pending.takeHeld();
  if (held === undefined) {
    throw new UsageError('nothing_held', 'no delegation is held', {
      hint: 'Receive one with "oauthctl ciba device --hold", or give its bearer token with --bearer REF.',
    });
  }
  ctx.redactor.know(held.bearer);
  try {
    await sendResult(ctx, { url: held.callback_url, bearer: held.bearer, status }, onEvent);
  } catch (error) {
    if (wasCertainlyNotSent(error)) await pending.hold(held);
    throw error;
  }
}

function findCallbackUrl(bearer: string): string {
  const issuer = readBearer(bearer)?.iss;
  if (issuer === undefined || !URL.canParse(issuer)) {
    throw new UsageError('bearer_unreadable', 'the bearer token is not a JWT with an issuer', {
      hint: 'Give the bearer token of the delegation unchanged.',
    });
  }
  return buildIssuerCallbackUrl(issuer);
}
