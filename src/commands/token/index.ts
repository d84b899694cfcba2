import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { findGrant } from '../../protocol/definitions/grants/index.ts';
import { REFRESH_GRANT } from '../../protocol/definitions/grants/refresh.ts';
import { warnAboutLiteral } from '../../session/client.ts';
import { connect } from '../../session/connect.ts';
import { addReuseOptions, readReuse, requestOrReuse, reuseOrRequest } from '../../session/reuse.ts';
import { openSession, type Session } from '../../session/session.ts';
import { addTokenOptions, runTokenFlow, type TokenFlags } from '../../session/token-request.ts';
import { defineAuthorizationCode } from './code.ts';
import { defineDeviceGrant } from './device.ts';
import { defineTokenExchange } from './exchange.ts';
import { defineJwtBearer } from './jwt-bearer.ts';

/** The same as no argument. */
const KEPT = '@last.refresh_token';

interface PasswordFlags extends TokenFlags {
  readonly username?: string;
  readonly password?: string;
}

/** `oauthctl token …` */
export function defineToken(command: Command, ctx: Context): void {
  const client = command.command('client-credentials').description('as the client itself (RFC 6749 §4.4)');
  addReuseOptions(addTokenOptions(client)).action(() => runClientCredentials(ctx, client));

  const password = command.command('password').description("with a user's name and password (RFC 6749 §4.3)");
  addReuseOptions(addTokenOptions(password))
    .option('--username <name>', 'the user')
    .option('--password <ref>', 'env:NAME, file:PATH, cmd:COMMAND or - (default: asked for on a terminal)')
    .action(() => runPassword(ctx, password));

  const refresh = command
    .command('refresh')
    .description('with a refresh token (RFC 6749 §6)')
    .argument('[refresh_token]', 'the token, @FILE, - or @last.refresh_token (the default)');
  addReuseOptions(addTokenOptions(refresh)).action((token: string | undefined) =>
    runRefresh(ctx, refresh, token),
  );

  defineAuthorizationCode(command.command('code'), ctx);
  defineDeviceGrant(command.command('device'), ctx);
  defineTokenExchange(command.command('exchange'), ctx);
  defineJwtBearer(command.command('jwt-bearer'), ctx);

  const kept = () => import('./kept.ts');
  const list = command.command('list').description('list the tokens that are kept, one line a profile');
  list.action(async () => (await kept()).runTokenList(ctx, list));

  const show = command
    .command('show')
    .description('show the kept tokens of a profile: claims, lifetimes; raw with --json or --field')
    .argument('[profile]', 'whose tokens, as "token list" names it (default: the profile in use)');
  show.action(async (name: string | undefined) => (await kept()).runTokenShow(ctx, show, name));

  const forget = command
    .command('forget')
    .description('remove the kept tokens of a profile from this machine; the server is not asked')
    .argument('[profile]', 'whose tokens, as "token list" names it (default: the profile in use)')
    .option('--all', 'of every profile');
  forget.action(async (name: string | undefined) => (await kept()).runTokenForget(ctx, forget, name));
}

async function runClientCredentials(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  await request(session, command, { grantType: 'client_credentials' });
}

async function runPassword(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<PasswordFlags>();
  const username = flags.username ?? session.settings.get('loginHint') ?? (await askFor(session, 'username'));
  await request(session, command, {
    grantType: 'password',
    values: { username },
    credentials: async () => ({
      password:
        flags.password === undefined
          ? await askFor(session, 'password')
          : await resolvePassword(session, flags.password),
    }),
  });
}

async function runRefresh(base: Context, command: Command, argument: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, settings, reporter } = session;
  const { keep } = command.opts<TokenFlags>();
  const minTtl = readReuse(session, command);
  const given = argument === KEPT ? undefined : argument;
  if (minTtl !== undefined && given !== undefined) {
    throw new UsageError('reuse_of_given', '--reuse works with what is kept, and takes no refresh token', {
      hint: 'Leave one of the two out.',
    });
  }
  if (!keep && given === undefined) {
    reporter.warning('the refresh may use up the refresh token that is kept, and --no-keep keeps no new one');
  }
  const scope = settings.get('scope');
  const { refreshTokens } = await import('../../flows/token/token.ts');
  await runTokenFlow(session, async (tell) => {
    const connected = () => connect(session, { keepTokens: keep });
    if (minTtl !== undefined)
      return reuseOrRequest(
        session,
        { minTtl, definitions: REFRESH_GRANT.parameters, values: { scope }, connect: connected },
        tell,
      );
    const target = await connected();
    const { readTokenArgument } = await import('../../session/token-argument.ts');
    const refreshToken = given === undefined ? undefined : await readTokenArgument(session, given);
    return refreshTokens(ctx, { target, refreshToken, scope }, tell);
  });
}

/** What a request is made of; credentials are resolved, or asked for, only where it is sent. */
interface Request {
  readonly grantType: 'client_credentials' | 'password';
  readonly values?: Readonly<Record<string, string>>;
  readonly credentials?: () => Promise<Readonly<Record<string, string>>>;
}

async function request(
  session: Session,
  command: Command,
  { grantType, values: own, credentials }: Request,
): Promise<void> {
  const { requestTokens } = await import('../../flows/token/token.ts');
  const values = { ...own, scope: session.settings.get('scope') };
  const { keep } = command.opts<TokenFlags>();
  const isReused = readReuse(session, command) !== undefined;
  // Before the server is asked, unless it may not have to be.
  const secrets = isReused ? undefined : await credentials?.();
  await requestOrReuse(session, command, {
    grantType,
    definitions: findGrant(grantType)?.parameters ?? {},
    values,
    connect: () => connect(session, { keepTokens: keep }),
    request: async (target, tell) =>
      requestTokens(
        session.ctx,
        { target, grantType, values: { ...values, ...(secrets ?? (await credentials?.())) } },
        tell,
      ),
  });
}

function resolvePassword(session: Session, reference: string): Promise<string> {
  warnAboutLiteral(session, reference);
  return session.ctx.secret(reference);
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
