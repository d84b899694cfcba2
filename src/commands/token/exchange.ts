import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { EXCHANGE_GRANT, TOKEN_TYPES } from '../../protocol/definitions/grants/exchange.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { TokenResponse } from '../../protocol/oauth/token.ts';
import { buildTokenExchange, readTokenType } from '../../protocol/oauth/token-exchange.ts';
import { connect } from '../../session/connect.ts';
import { repeatable } from '../../session/repeatable.ts';
import { addReuseOptions, readReuse, requestOrReuse } from '../../session/reuse.ts';
import { openSession, type Session, storageName } from '../../session/session.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { addTokenOptions, type TokenFlags } from '../../session/token-request.ts';

interface ExchangeFlags extends TokenFlags {
  readonly subjectToken: string;
  readonly subjectTokenType?: string;
  readonly actorToken?: string;
  readonly actorTokenType?: string;
  readonly requestedTokenType?: string;
  readonly audience?: readonly string[];
  readonly resource?: readonly string[];
}

/** `oauthctl token exchange` */
export function defineTokenExchange(command: Command, ctx: Context): void {
  const types = Object.keys(TOKEN_TYPES).join(', ');
  command.description('one token for another (RFC 8693)');
  addReuseOptions(addTokenOptions(command))
    .option(
      '--subject-token <ref>',
      'the token, -, @FILE or @last.access_token and its like',
      '@last.access_token',
    )
    .option('--subject-token-type <type>', `${types} or a URI (default: what @last names, else access_token)`)
    .option('--actor-token <ref>', 'the token of the acting party, in the same forms')
    .option('--actor-token-type <type>', 'as --subject-token-type')
    .option('--requested-token-type <type>', `${types} or a URI`)
    .addOption(
      repeatable('--audience <name>', 'the logical name of a service to use the token at; repeatable'),
    )
    .addOption(repeatable('--resource <uri>', 'the address of a service to use the token at; repeatable'))
    .addHelpText(
      'after',
      '\nWhat only some servers know goes by --param: requested_issuer=…, requested_subject=…, subject_issuer=…',
    )
    .action(() => runExchange(ctx, command));
}

async function runExchange(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<ExchangeFlags>();
  const { subjectToken, actorToken } = flags;
  if (subjectToken === '-' && actorToken === '-') {
    throw new UsageError('stdin_twice', 'standard input cannot be both tokens', {
      hint: 'Give one of --subject-token and --actor-token by @FILE.',
    });
  }
  if (subjectToken.startsWith('@last.') && readReuse(session, command) !== undefined) {
    throw new UsageError(
      'reuse_of_last',
      'the new token takes the place of the one that it is exchanged for',
      {
        hint: 'With --reuse give a --subject-token that stays: @FILE or -.',
      },
    );
  }
  const types = readTypes(flags);
  const subject_token = await readTokenArgument(session, subjectToken);
  const values = buildTokenExchange({
    ...types,
    subject_token,
    actor_token: actorToken === undefined ? undefined : await readTokenArgument(session, actorToken),
    audience: flags.audience,
    resource: flags.resource,
    scope: session.settings.get('scope'),
  });
  const [{ requestTokens }, { keptKeyOfToken }, store] = await Promise.all([
    import('../../flows/token/token.ts'),
    import('../../flows/token/kept-tokens.ts'),
    session.ctx.store(),
  ]);
  // A bound token is exchanged by who holds its key.
  const subjectKey = keptKeyOfToken(await store.tokens.last(storageName(session)), subject_token);
  const { grantType, parameters: definitions } = EXCHANGE_GRANT;
  await requestOrReuse(session, command, {
    grantType,
    definitions,
    values: { ...values },
    connect: () => connect(session, { keepTokens: flags.keep }),
    request: async (connected, tell) => {
      const target = connected.dpop?.isOwn ? connected : { ...connected, dpop: subjectKey ?? connected.dpop };
      const expected = { issuedTo: flags.audience };
      const granted = await requestTokens(session.ctx, { target, grantType, values, expected }, tell);
      warnOfOmissions(session, granted.tokens, actorToken !== undefined);
      return granted;
    },
  });
}

function readTypes(flags: ExchangeFlags) {
  const { subjectToken, actorToken } = flags;
  const type = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : readTokenType(text, flag);
  return {
    subject_token_type: readTokenType(
      flags.subjectTokenType ?? typeOfReference(subjectToken),
      '--subject-token-type',
    ),
    actor_token_type: type(
      flags.actorTokenType ?? (actorToken === undefined ? undefined : typeOfReference(actorToken)),
      '--actor-token-type',
    ),
    requested_token_type: type(flags.requestedTokenType, '--requested-token-type'),
  };
}

/** Says what an answer lacks that it should have. */
function warnOfOmissions(
  { reporter }: Session,
  { access_token, json }: TokenResponse,
  hasActor: boolean,
): void {
  for (const name of ['issued_token_type', 'token_type']) {
    if (typeof json[name] !== 'string')
      reporter.warning(`the answer does not say the ${name}, which RFC 8693 requires`);
  }
  const claims = decodeUnverified(access_token)?.claims;
  if (hasActor && claims !== undefined && claims.act === undefined)
    reporter.warning('the new token names no acting party (act): the server has ignored the actor token');
}

/** `@last.id_token` says of which type it is. */
function typeOfReference(reference: string): string {
  return /^@last\.(\w+)$/.exec(reference)?.[1] ?? 'access_token';
}
