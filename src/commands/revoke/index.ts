import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type RevokeEvent, revoke } from '../../flows/token/revoke.ts';
import { printable } from '../../output/printable.ts';
import { connect } from '../../session/connect.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { openSession, printResult, type Session, storageName } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { readTokenArgument, readTypeHint } from '../../session/token-argument.ts';
import { tellAnswer, tellRefusal, tellRequest } from '../../steps/request-steps.ts';

/** `oauthctl revoke` */
export function defineRevoke(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(
      createReferenceArgument(
        '[token]',
        'the token, -, @FILE or @last.access_token (default: the kept refresh token, else the access token)',
      ),
    )
    .option('--token-type-hint <type>', 'access_token or refresh_token (default: what @last names)')
    .action((token: string | undefined) => runRevoke(ctx, command, token));
}

async function runRevoke(base: Context, command: Command, given: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { tokenTypeHint } = command.opts<{ tokenTypeHint?: string }>();
  const argument = given ?? (await strongestKept(session));
  const token = await readTokenArgument(session, argument);
  const options = {
    target: await connect(session),
    token,
    tokenTypeHint: tokenTypeHint ?? readTypeHint(argument),
  };
  try {
    const { forgotten } = await revoke(session.ctx, options, (event) => tell(session, event));
    printResult(session, { accepted: true, forgotten }, () =>
      [
        'the token is good no more; whether it ever was, the server does not say\n',
        ...forgotten.map((owner) => `the kept token of "${printable(owner)}" is forgotten\n`),
      ].join(''),
    );
  } catch (error) {
    tellRefusal(session.reporter, error, 'revocation');
    throw error;
  }
}

/** With a refresh token, a server revokes the access tokens of the same grant as well (RFC 7009, section 2.1). */
async function strongestKept(session: Session): Promise<string> {
  const kept = await (await session.ctx.store()).tokens.last(storageName(session));
  return typeof kept?.response.refresh_token === 'string' ? '@last.refresh_token' : '@last.access_token';
}

function tell({ reporter }: Session, event: RevokeEvent): void {
  if (event.type === 'revocation_request') {
    tellRequest(reporter, { url: event.url, as: event.target.client, values: event.values });
  } else {
    tellAnswer(reporter, { status: event.status, text: 'revoked, or not known', ms: event.ms });
  }
}
