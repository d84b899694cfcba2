import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { sendResult, wasCertainlyNotSent } from '../../flows/ciba/callback.ts';
import { CALLBACK_STATUS, callbackUrlOfIssuer, readBearer } from '../../protocol/ciba/keycloak-ciba.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { CibaSteps } from '../../steps/ciba-steps.ts';
import { reportFlow } from './telling.ts';

/** `oauthctl ciba callback`: by itself, so that its one request does not wait for what the others load. */
export async function runCallback(base: Context, command: Command, result: string): Promise<void> {
  const session = await openSession(base, command);
  const { ctx } = session;
  if (!Object.hasOwn(CALLBACK_STATUS, result)) {
    throw new UsageError('result_unknown', `"${result}" is not a result`, {
      hint: `There are: ${Object.keys(CALLBACK_STATUS).join(', ')}.`,
    });
  }
  const status = CALLBACK_STATUS[result as keyof typeof CALLBACK_STATUS];
  const { bearer: reference } = command.opts<{ bearer?: string }>();
  const held = reference === undefined ? await takeHeld(session) : undefined;
  const delegation = held ?? (await readBearerReference(session, reference ?? ''));
  // Whatever becomes of it, nobody is to send a second result for this bearer.
  if (held === undefined) await (await ctx.store()).pending.releaseHeld(delegation.bearer);
  const steps = new CibaSteps(session.reporter);
  try {
    await reportFlow(session, steps, () =>
      sendResult(ctx, { url: delegation.callback_url, bearer: delegation.bearer, status }, steps.tell),
    );
  } catch (error) {
    if (held && wasCertainlyNotSent(error)) await (await ctx.store()).pending.hold(held);
    throw error;
  }
  printResult(session, { status }, () => '');
}

async function takeHeld(session: Session) {
  const held = await (await session.ctx.store()).pending.takeHeld();
  if (held === undefined) {
    throw new UsageError('nothing_held', 'no delegation is held', {
      hint: 'Receive one with "oauthctl ciba device --hold", or give its bearer with --bearer REF.',
    });
  }
  session.ctx.redactor.know(held.bearer);
  return held;
}

async function readBearerReference(session: Session, reference: string) {
  const bearer = await session.ctx.secret(reference);
  const issuer = readBearer(bearer)?.iss;
  if (issuer === undefined || !URL.canParse(issuer)) {
    throw new UsageError('bearer_unreadable', 'the bearer is no JWT that names its issuer', {
      hint: "Give the bearer of Keycloak's delegation, unchanged.",
    });
  }
  return { bearer, callback_url: callbackUrlOfIssuer(issuer) };
}
