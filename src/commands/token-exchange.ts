import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { UsageError } from '../errors.ts';
import {
  buildTokenExchange,
  readTokenType,
  TOKEN_EXCHANGE_GRANT_TYPE,
  TOKEN_TYPES,
} from '../protocol/token-exchange.ts';
import { connect, openSession } from './session.ts';
import { readTokenArgument } from './token-argument.ts';
import { addTokenOptions, type TokenFlags, telling } from './token-flow.ts';

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
  addTokenOptions(command)
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
  const type = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : readTokenType(text, flag);
  const types = {
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
  const values = buildTokenExchange({
    ...types,
    subject_token: await readTokenArgument(session, subjectToken),
    actor_token: actorToken === undefined ? undefined : await readTokenArgument(session, actorToken),
    audience: flags.audience,
    resource: flags.resource,
    scope: session.settings.get('scope'),
  });
  const { requestTokens } = await import('../flows/token.ts');
  const target = await connect(session, { keepTokens: flags.keep });
  await telling(session, async (tell) => {
    const granted = await requestTokens(
      session.ctx,
      { target, grantType: TOKEN_EXCHANGE_GRANT_TYPE, values },
      tell,
    );
    if (typeof granted.tokens.json.issued_token_type !== 'string') {
      session.reporter.warning('the answer does not say the issued_token_type, which RFC 8693 requires');
    }
    return granted;
  });
}

/** `@last.id_token` says of which type it is. */
function typeOfReference(reference: string): string {
  return /^@last\.(\w+)$/.exec(reference)?.[1] ?? 'access_token';
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}
