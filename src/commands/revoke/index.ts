import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { type RevokeEvent, revoke } from '../../flows/token/revoke.ts';
import { printable } from '../../output/printable.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { openSession, printResult, type Session, storageName } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { readToken, readTypeHint } from '../../session/token-argument.ts';
import { reportAnswer, reportRefusal, reportRequest } from '../../steps/request-steps.ts';

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
  documentCommand(command, { examples: ['oauthctl revoke', 'oauthctl revoke @last.access_token'] });
}

async function runRevoke(base: Context, command: Command, given: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { tokenTypeHint } = command.opts<{ tokenTypeHint?: string }>();
  const argument = given ?? (await findStrongestKept(session));
  // A hint says which of a token response is meant.
  const wanted = NAMES.filter((name) => tokenTypeHint === undefined || name === tokenTypeHint);
  const picked = await readToken(session, argument, wanted.length > 0 ? wanted : NAMES);
  const options = {
    target: await connect(session),
    token: picked.token,
    tokenTypeHint: tokenTypeHint ?? readTypeHint(picked),
  };
  try {
    const { forgotten } = await revoke(session.ctx, options, (event) => reportEvent(session, event));
    printResult(session, { accepted: true, forgotten }, () =>
      [
        'the server accepted the revocation; whether it knew the token, it does not say (RFC 7009, section 2.2)\n',
        ...forgotten.map((owner) => `the kept token of "${printable(owner)}" is forgotten\n`),
      ].join(''),
    );
  } catch (error) {
    reportRefusal(session.reporter, error, 'revocation');
    throw error;
  }
}

/** What a server can revoke; the refresh token before the access token. */
const NAMES = ['refresh_token', 'access_token'] as const;

/**
 * With a refresh token, a server revokes the access tokens of the same grant as well (RFC 7009, section 2.1).
 * @throws UsageError `nothing_kept`
 */
async function findStrongestKept(session: Session): Promise<string> {
  const kept = await (await session.ctx.store()).tokens.last(storageName(session));
  const name = NAMES.find((one) => typeof kept?.response[one] === 'string');
  if (name !== undefined) return `@last.${name}`;
  throw new UsageError(
    'nothing_kept',
    'there is nothing to revoke: neither a refresh token nor an access token is kept for this profile',
    { hint: 'Give a token. "oauthctl token list" shows what is kept.' },
  );
}

function reportEvent({ reporter }: Session, event: RevokeEvent): void {
  if (event.type === 'revocation_request') {
    reportRequest(reporter, { url: event.url, as: event.target.client, values: event.values });
  } else {
    reportAnswer(reporter, { status: event.status, text: 'revoked, or not known', ms: event.ms });
  }
}
