import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { parseSeconds } from '../settings.ts';
import { connect, openSession } from './session.ts';
import { addTokenOptions, type TokenFlags } from './token-flow.ts';

interface DeviceGrantFlags extends TokenFlags {
  readonly interval?: string;
  readonly deadline?: string;
}

/** `oauthctl token device` */
export function defineDeviceGrant(command: Command, ctx: Context): void {
  command.description('a person enters a code in a browser, anywhere (RFC 8628)');
  addTokenOptions(command)
    .option('--interval <seconds>', "between polls, in place of the server's")
    .option('--deadline <seconds>', 'give up after so long, exit 6 (default: when the code expires)')
    .action(() => runDeviceGrant(ctx, command));
}

async function runDeviceGrant(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, reporter } = session;
  const flags = command.opts<DeviceGrantFlags>();
  const seconds = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : parseSeconds(text, flag);
  const interval = seconds(flags.interval, '--interval');
  const deadline = seconds(flags.deadline, '--deadline');
  const [{ authorizeDevice }, { DeviceGrantSteps }, { printTokens }] = await Promise.all([
    import('../flows/device-authorization.ts'),
    import('./device-grant-steps.ts'),
    import('./token-output.ts'),
  ]);
  const target = await connect(session, { keepTokens: flags.keep });
  const steps = new DeviceGrantSteps(reporter, (text) => ctx.io.err(text));
  try {
    const { tokens, idToken } = await authorizeDevice(
      ctx,
      {
        target,
        request: { scope: session.settings.get('scope') },
        interval,
        deadlineMs: deadline === undefined ? undefined : deadline * 1000,
      },
      steps.tell,
    );
    await printTokens(session, tokens, idToken !== undefined);
  } catch (error) {
    steps.failed(error);
    throw error;
  } finally {
    reporter.settle();
  }
}
