import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import type { Target } from '../../flows/server/target.ts';
import { mayAnimate } from '../../output/style.ts';
import { DEVICE_GRANT } from '../../protocol/definitions/grants/device.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { connect } from '../../session/connect.ts';
import { parseSeconds } from '../../session/option-values.ts';
import { readReuse, reuseOrRequest } from '../../session/reuse.ts';
import { openSession, type Session } from '../../session/session.ts';
import type { TokenFlags } from '../../session/token-request.ts';
import { TokenSteps } from '../../steps/token-steps.ts';

interface DeviceGrantFlags extends TokenFlags {
  readonly qr: boolean;
  readonly interval?: string;
  readonly deadline?: string;
}

/** `oauthctl token device` */
export function defineDeviceGrant(command: Command, ctx: Context): void {
  command
    .option('--no-qr', 'do not draw a QR code of the URL on a terminal')
    .option('--interval <seconds>', "between polls, in place of the server's")
    .option('--deadline <seconds>', 'give up after this time, exit 6 (default: when the code expires)')
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
  const minTtl = readReuse(session, command);
  const [{ authorizeDevice }, { DeviceGrantSteps }, { printTokens }] = await Promise.all([
    import('../../flows/token/device-authorization.ts'),
    import('../../steps/device-authorization-steps.ts'),
    import('../../session/token-output.ts'),
  ]);
  const connected = () => connect(session, { keepTokens: flags.keep });
  const steps = new DeviceGrantSteps(reporter, (text) => ctx.io.err(text), await qrCodes(session, flags.qr));
  const request = { scope: session.settings.get('scope') };
  const authorize = (target: Target) =>
    authorizeDevice(
      ctx,
      { target, request, interval, deadlineMs: deadline === undefined ? undefined : deadline * 1000 },
      steps.report,
    );
  try {
    const { tokens, idToken } =
      minTtl === undefined
        ? await authorize(await connected())
        : await reuseOrRequest(
            session,
            {
              minTtl,
              grantType: DEVICE_GRANT.grantType,
              definitions: REQUESTS.device_authorization,
              values: request,
              connect: connected,
              request: authorize,
            },
            new TokenSteps(reporter).report,
          );
    await printTokens(session, tokens, idToken);
  } catch (error) {
    steps.failed(error);
    throw error;
  } finally {
    reporter.settle();
  }
}

/** Returns a function that draws QR codes, if stderr is a terminal and neither --quiet nor --no-qr is given. */
async function qrCodes({ ctx, globals, reporter }: Session, wanted: boolean) {
  const { io, env } = ctx;
  if (!wanted || globals.quiet || !mayAnimate(env, io.stderrIsTerminal)) return undefined;
  const { renderQrCode } = await import('../../output/qr-code.ts');
  return (url: string) => renderQrCode(url, reporter.paint, io.terminal.columns ?? 80);
}
