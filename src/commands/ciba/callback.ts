import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { sendHeldResult } from '../../flows/ciba/held-delegation.ts';
import { CALLBACK_STATUS } from '../../protocol/ciba/keycloak-ciba.ts';
import { openSession, printResult } from '../../session/session.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { CibaSteps } from '../../steps/ciba-steps.ts';
import { reportFlow } from './report-flow.ts';

/** `oauthctl ciba callback`: in a file of its own, so that it loads no more than its one request needs. */
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
  const bearer =
    reference === undefined ? undefined : await readTokenArgument(session, reference, ['access_token']);
  const steps = new CibaSteps(session.reporter);
  await reportFlow(session, steps, () => sendHeldResult(ctx, { status, bearer }, steps.report));
  printResult(session, { status }, () => '');
}
