import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { REFRESH_GRANT } from '../../protocol/definitions/grants/refresh.ts';
import { connect } from '../../session/connect.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { readReuse, reuseOrRequest } from '../../session/reuse.ts';
import { openSession } from '../../session/session.ts';
import { runTokenFlow, type TokenFlags } from '../../session/token-request.ts';

/** The same as no argument. */
const KEPT = '@last.refresh_token';

/** `oauthctl token refresh` */
export function defineRefresh(command: Command, ctx: Context): void {
  command
    .addArgument(
      createReferenceArgument('[refresh_token]', 'the token, @FILE, - or @last.refresh_token (the default)'),
    )
    .action((token: string | undefined) => runRefresh(ctx, command, token));
}

async function runRefresh(base: Context, command: Command, argument: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, settings, reporter } = session;
  const { keep } = command.opts<TokenFlags>();
  const minTtl = readReuse(session, command);
  const given = argument === KEPT ? undefined : argument;
  if (minTtl !== undefined && given !== undefined) {
    throw new UsageError(
      'reuse_of_given',
      '--reuse works with kept tokens, and excludes the refresh token argument',
      {
        hint: 'Omit one of the two.',
      },
    );
  }
  if (!keep && given === undefined) {
    reporter.warning(
      'the server may invalidate the kept refresh token, and with --no-keep the new one is not kept',
    );
  }
  const scope = settings.get('scope');
  const { refreshTokens } = await import('../../flows/token/token.ts');
  await runTokenFlow(session, async (onEvent) => {
    const connected = () => connect(session, { keepTokens: keep });
    if (minTtl !== undefined) {
      const reused = { minTtl, definitions: REFRESH_GRANT.parameters, values: { scope }, connect: connected };
      return reuseOrRequest(session, reused, onEvent);
    }
    const target = await connected();
    const { readTokenArgument } = await import('../../session/token-argument.ts');
    const refreshToken =
      given === undefined ? undefined : await readTokenArgument(session, given, ['refresh_token']);
    return refreshTokens(ctx, { target, refreshToken, scope }, onEvent);
  });
}
