import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UsageError } from '../errors.ts';
import { addServerOptions, connect, openSession, type Session } from './session.ts';

interface TokenFlags {
  readonly username?: string;
  readonly password?: string;
  readonly keep: boolean;
}

/** `oauthctl token …` */
export function defineToken(command: Command, ctx: Context): void {
  const client = command.command('client-credentials').description('as the client itself (RFC 6749 §4.4)');
  addTokenOptions(client).action(() => runClientCredentials(ctx, client));

  const password = command.command('password').description("with a user's name and password (RFC 6749 §4.3)");
  addTokenOptions(password)
    .option('--username <name>', 'the user')
    .option('--password <ref>', 'env:NAME, file:PATH, cmd:COMMAND or - (default: asked for on a terminal)')
    .action(() => runPassword(ctx, password));

  const refresh = command
    .command('refresh')
    .description('with a refresh token (RFC 6749 §6)')
    .argument('[refresh_token]', 'the token, @FILE, - or @last.refresh_token (the default)');
  addTokenOptions(refresh).action((token: string | undefined) => runRefresh(ctx, refresh, token));
}

function addTokenOptions(command: Command): Command {
  return addServerOptions(command)
    .option('--scope <scopes>', 'space-separated')
    .option('--id-token-alg <alg>', "the client's registered id_token_signed_response_alg")
    .option('--no-keep', 'keep no tokens on disk');
}

async function runClientCredentials(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  await request(session, command, 'client_credentials', {});
}

async function runPassword(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<TokenFlags>();
  const username = flags.username ?? session.settings.get('loginHint') ?? (await askFor(session, 'username'));
  const password =
    flags.password === undefined
      ? await askFor(session, 'password')
      : await session.ctx.secret(flags.password);
  await request(session, command, 'password', { username, password });
}

async function runRefresh(base: Context, command: Command, argument: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { refreshTokens } = await import('../flows/token.ts');
  const { readTokenArgument } = await import('./token-argument.ts');
  const target = await connect(session, { keepTokens: command.opts<TokenFlags>().keep });
  const refreshToken = argument === undefined ? undefined : await readTokenArgument(session, argument);
  await telling(session, (tell) =>
    refreshTokens(session.ctx, { target, refreshToken, scope: session.settings.get('scope') }, tell),
  );
}

async function request(
  session: Session,
  command: Command,
  grantType: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const { requestTokens } = await import('../flows/token.ts');
  const target = await connect(session, { keepTokens: command.opts<TokenFlags>().keep });
  await telling(session, (tell) =>
    requestTokens(
      session.ctx,
      { target, grantType, values: { ...values, scope: session.settings.get('scope') } },
      tell,
    ),
  );
}

async function telling(
  session: Session,
  flow: (
    tell: (event: import('../flows/token.ts').TokenEvent) => void,
  ) => Promise<import('../flows/token.ts').GrantedTokens>,
): Promise<void> {
  const [{ TokenSteps }, { printTokens }] = await Promise.all([
    import('./token-steps.ts'),
    import('./token-output.ts'),
  ]);
  const steps = new TokenSteps(session.reporter);
  try {
    const { tokens, idToken } = await flow(steps.tell);
    await printTokens(session, tokens, idToken !== undefined);
  } catch (error) {
    steps.failed(error);
    throw error;
  }
}

async function askFor(session: Session, what: 'username' | 'password'): Promise<string> {
  if (!session.mayAsk) {
    throw new UsageError('setting_missing', `the ${what} is not known`, {
      hint:
        what === 'password'
          ? 'Give --password env:NAME, file:PATH, cmd:COMMAND or -.'
          : 'Give --username NAME.',
    });
  }
  const prompt = await session.ctx.prompt();
  if (what === 'username') return prompt.text('User name:');
  const password = await prompt.secret('Password:');
  session.ctx.redactor.know(password);
  return password;
}
