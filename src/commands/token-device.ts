import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { mayAnimate } from '../output/style.ts';
import { parseSeconds } from '../settings.ts';
import { connect, openSession, type Session } from './session.ts';
import { addTokenOptions, type TokenFlags } from './token-flow.ts';

interface DeviceGrantFlags extends TokenFlags {
  readonly qr: boolean;
  readonly interval?: string;
  readonly deadline?: string;
}

/** `oauthctl token device` */
export function defineDeviceGrant(command: Command, ctx: Context): void {
  command.description('a person enters a code in a browser, anywhere (RFC 8628)');
  addTokenOptions(command)
    .option('--no-qr', 'draw no QR code of the address, which otherwise appears on a terminal')
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
  const steps = new DeviceGrantSteps(reporter, (text) => ctx.io.err(text), await qrCodes(session, flags.qr));
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

/** Draws QR codes where somebody may see them and nobody minds. */
async function qrCodes({ ctx, globals, reporter }: Session, wanted: boolean) {
  const { io, env } = ctx;
  if (!wanted || globals.quiet || !mayAnimate(env, io.stderrIsTerminal)) return undefined;
  const { renderQrCode } = await import('../output/qr-code.ts');
  return (url: string) => renderQrCode(url, reporter.paint, io.terminal.columns ?? 80);
}
