import type { Command } from 'commander';
import type { JWK } from 'jose';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { addressUrl, parseListenAddress } from '../../servers/listen-address.ts';
import { documentCommand, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { parseCount, parseSeconds, readSecret } from '../../session/option-values.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { runUntilSignal } from '../../session/until-signal.ts';

interface SandboxFlags {
  readonly port: string;
  readonly interval: string;
  readonly expiresIn: string;
  readonly device: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientJwks: readonly string[];
  readonly user: readonly string[];
  readonly password?: string;
  readonly rotateRefreshTokens?: true;
}

/** `oauthctl sandbox` */
export function defineSandbox(command: Command, ctx: Context): void {
  command
    .option('--port <port>', 'of the loopback interface; 0 takes a free one', '0')
    .option('--interval <seconds>', 'between polls', '5')
    .option('--expires-in <seconds>', 'life of an authentication request and of a device code', '120')
    .option(
      '--device <host:port/path>',
      'where the authentication device listens',
      '127.0.0.1:3000/api/v1/auth',
    )
    .option('--client-id <id>', 'its client', 'sandbox-client')
    .option('--client-secret <ref>', 'the secret of its clients (default: a new one, stored in the profile)')
    .option(
      '--client-jwks <file...>',
      'keys of its clients, public or private: PEM, JWK or JWKS; they open private_key_jwt, signed request objects, encrypted answers and assertions',
      [],
    )
    .option('--user <name...>', 'its users', ['cl-taro'])
    .option('--password <ref>', 'the password of its users (default: a new one each, printed)')
    .option('--rotate-refresh-tokens', 'a refresh token is good for one use; a second one ends its grant')
    .action(() => runUntilSignal('sandbox', () => runSandbox(ctx, command)));
  documentCommand(command, {
    globals: [...OFFLINE_GLOBALS, 'verbose', 'trace'],
    notes:
      'Its clients share one secret, and may redirect to any port and path of this machine. Assertions for ' +
      '"token jwt-bearer" come from the issuer "sandbox-issuer". It writes a profile "sandbox", so that other terminals ' +
      'reach it with "-p sandbox", and removes the profile when it ends.',
    examples: [
      'oauthctl sandbox',
      'oauthctl sandbox --port 9000 --user cl-taro cl-hanako --password env:PASSWORD',
    ],
  });
}

async function runSandbox(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command, { withoutProfile: true });
  const { ctx } = session;
  const flags = command.opts<SandboxFlags>();
  const device = parseListenAddress(flags.device, '/api/v1/auth');
  const clientSecret = await readSecret(session, flags.clientSecret);
  const password = await readSecret(session, flags.password);
  const { startSandbox } = await import('../../sandbox/index.ts');
  const port = parseCount(flags.port, '--port', { min: 0, max: 65_535, code: 'port_invalid' });
  const sandbox = await startSandbox({
    port,
    interval: parseSeconds(flags.interval, '--interval'),
    expiresIn: parseSeconds(flags.expiresIn, '--expires-in'),
    device: addressUrl(device),
    clientId: flags.clientId,
    clientKeys: await readPublicKeys(ctx, flags.clientJwks),
    users: flags.user,
    rotateRefreshTokens: flags.rotateRefreshTokens === true,
    ...(password !== undefined && {
      passwords: Object.fromEntries(flags.user.map((name) => [name, password])),
    }),
    ...(clientSecret !== undefined && { clientSecret }),
  }).catch((error: NodeJS.ErrnoException) => {
    throw asUsageError(error, port);
  });
  for (const secret of [sandbox.clientSecret, ...Object.values(sandbox.passwords)]) ctx.redactor.know(secret);
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
    printAccess(session, sandbox, flags);
    await new Promise<never>((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true });
    });
  } finally {
    await sandbox.close();
    // Another sandbox may have written the profile anew since.
    const { profiles: kept } = await profiles.list();
    if (kept.sandbox?.issuer === sandbox.issuer) await profiles.remove('sandbox');
  }
}

/** @throws UsageError as parseKeys */
async function readPublicKeys(ctx: Context, files: readonly string[]): Promise<JWK[]> {
  if (files.length === 0) return [];
  const { computeKid, pickPublicPart } = await import('../../protocol/jose/key.ts');
  const found = await Promise.all(files.map(async (file) => readKeyFile(ctx, file)));
  return Promise.all(
    found
      .flatMap(({ keys }) => keys)
      .map(async (key) => ({ ...pickPublicPart(key), kid: await computeKid(key) })),
  );
}

function printAccess(session: Session, sandbox: Sandbox, flags: SandboxFlags): void {
  const { issuer, clientId, clients, users, passwords } = sandbox;
  // Who gave a password knows it.
  const shown = flags.password === undefined ? passwords : undefined;
  const result = {
    ...{ issuer, client_id: clientId, users, profile: 'sandbox', device: flags.device, clients },
    ...(shown && { passwords: shown }),
  };
  printResult(session, result, () =>
    [
      `issuer     ${issuer}`,
      `client     ${clientId} (client_secret_basic or client_secret_post; the secret is in the profile)`,
      `users      ${users.map((name) => (shown ? `${name} (password ${shown[name]})` : name)).join(', ')}`,
      `device     expected on http://${flags.device}`,
      '',
      'Clients, the secret of all that have one being the same:',
      ...clients.map(
        ({ client_id: id, token_endpoint_auth_method: method, purpose }) =>
          `  ${id.padEnd(24)} ${method.padEnd(20)} ${purpose}`,
      ),
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
