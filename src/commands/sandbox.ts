import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UsageError } from '../errors.ts';
import { addressUrl, parseListenAddress } from '../servers/listen-address.ts';
import { parseSeconds } from '../settings.ts';
import { warnAboutLiteral } from './client.ts';
import { openSession, printResult, type Session } from './session.ts';

interface SandboxFlags {
  readonly port: string;
  readonly interval: string;
  readonly expiresIn: string;
  readonly device: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly user: readonly string[];
}

/** `oauthctl sandbox` */
export function defineSandbox(command: Command, ctx: Context): void {
  command
    .option('--port <port>', 'of the loopback interface; 0 takes a free one', '0')
    .option('--interval <seconds>', 'between polls', '5')
    .option('--expires-in <seconds>', 'life of an authentication request', '120')
    .option(
      '--device <host:port/path>',
      'where the authentication device listens',
      '127.0.0.1:3000/api/v1/auth',
    )
    .option('--client-id <id>', 'its client', 'sandbox-client')
    .option(
      '--client-secret <ref>',
      'env:NAME, file:PATH, cmd:COMMAND or - (default: a new one, stored in the profile)',
    )
    .option('--user <name...>', 'its users', ['cl-taro'])
    .addHelpText(
      'after',
      '\nIt writes a profile "sandbox", so that other terminals reach it with "-p sandbox", and removes it when it ends.',
    )
    .action(() => runSandbox(ctx, command));
}

async function runSandbox(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command, {}, { withoutProfile: true });
  const { ctx, reporter } = session;
  const flags = command.opts<SandboxFlags>();
  const device = parseListenAddress(flags.device, '/api/v1/auth');
  if (flags.clientSecret !== undefined) warnAboutLiteral(session, flags.clientSecret);
  const clientSecret = flags.clientSecret === undefined ? undefined : await ctx.secret(flags.clientSecret);
  const { startSandbox } = await import('../sandbox/index.ts');
  const port = parsePort(flags.port);
  const sandbox = await startSandbox({
    port,
    interval: parseSeconds(flags.interval, '--interval'),
    expiresIn: parseSeconds(flags.expiresIn, '--expires-in'),
    device: addressUrl(device),
    clientId: flags.clientId,
    users: flags.user,
    ...(clientSecret !== undefined && { clientSecret }),
  }).catch((error: NodeJS.ErrnoException) => {
    throw asUsageError(error, port);
  });
  ctx.redactor.know(sandbox.clientSecret);
  const { profiles } = await ctx.store();
  try {
    await profiles.add(
      'sandbox',
      {
        issuer: sandbox.issuer,
        client_id: sandbox.clientId,
        client_secret: sandbox.clientSecret,
        device_listen: flags.device,
        ...(sandbox.users[0] !== undefined && { login_hint: sandbox.users[0] }),
      },
      { overwrite: true },
    );
    tellHowToReach(session, sandbox, flags);
    await new Promise<never>((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true });
    });
  } finally {
    await sandbox.close();
    // Another sandbox may have written the profile anew since.
    const { profiles: kept } = await profiles.list();
    if (kept.sandbox?.issuer === sandbox.issuer) await profiles.remove('sandbox');
    reporter.note('sandbox ended');
  }
}

function tellHowToReach(
  session: Session,
  sandbox: { issuer: string; clientId: string; users: readonly string[] },
  flags: SandboxFlags,
): void {
  const { issuer, clientId, users } = sandbox;
  printResult(session, { issuer, client_id: clientId, users, profile: 'sandbox', device: flags.device }, () =>
    [
      `issuer     ${issuer}`,
      `client     ${clientId} (client_secret_basic or client_secret_post; the secret is in the profile)`,
      `users      ${users.join(', ')}`,
      `device     expected on http://${flags.device}`,
      '',
      'In another terminal:',
      '  oauthctl -p sandbox ciba device',
      '  oauthctl -p sandbox ciba start',
      '',
      'Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError('port_invalid', `--port takes a number from 0 to 65535, and got "${text}"`);
  }
  return Number(text);
}

function asUsageError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
    return new UsageError('address_in_use', `127.0.0.1:${port} cannot be listened on (${error.code})`, {
      hint: 'Choose another --port, or 0 for a free one.',
      cause: error,
    });
  }
  return error instanceof TypeError
    ? new UsageError('sandbox_option_invalid', error.message, { cause: error })
    : error;
}
