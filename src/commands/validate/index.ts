import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type OauthctlError, UsageError } from '../../errors.ts';
import {
  type Comparison,
  openValidators,
  type ValidateOptions,
  type Validators,
} from '../../flows/validation/validate.ts';
import { type WatchReport, watchVerdicts } from '../../flows/validation/validate-watch.ts';
import { buildValidationFailure } from '../../flows/validation/validation-failure.ts';
import { colours } from '../../output/style.ts';
import { listInactiveReasons } from '../../protocol/oauth/inactive-token.ts';
import { isKeycloak } from '../../protocol/oauth/server-product.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { parseSeconds } from '../../session/option-values.ts';
import { createReferenceArgument, createRepeatableOption } from '../../session/options.ts';
import { isForPeople, openSession, printFailedResult, type Session } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { listWanted, readToken, readTypeHint } from '../../session/token-argument.ts';
import { reportRefusal } from '../../steps/request-steps.ts';
import { reportValidation, reportWatch } from '../../steps/validate-steps.ts';
import { comparisonDocument, renderComparison, renderReport, watchDocument } from './output.ts';

interface ValidateFlags {
  readonly tokenTypeHint?: string;
  readonly audience?: readonly string[];
  readonly type?: readonly string[];
  readonly leeway: string;
  readonly watch?: true;
  readonly interval?: string;
  readonly deadline?: string;
}

const DEFAULT_INTERVAL = '1';

/** `oauthctl validate` */
export function defineValidate(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(
      createReferenceArgument('[token]', 'the token, -, @FILE or @last.id_token', '@last.access_token'),
    )
    .addOption(
      createRepeatableOption(
        '--audience <aud>',
        'local check: required audience (aud); one of several is enough',
      ),
    )
    .addOption(createRepeatableOption('--type <typ>', 'local check: accepted types (typ): JWT, at+jwt, …'))
    .option('--leeway <seconds>', 'local check: accepted clock difference', '0')
    .option(
      '--token-type-hint <type>',
      'introspection: access_token or refresh_token (default: the token that @last names)',
    )
    .option('--watch', 'repeat until the token expires, and report changes of a verdict')
    .option(
      '--interval <seconds>',
      `with --watch: time between two introspections (default: ${DEFAULT_INTERVAL})`,
    )
    .option('--deadline <seconds>', 'with --watch: end after this time')
    .action((token: string) => runValidate(ctx, command, token));
  documentCommand(command, {
    notes:
      'The exit code is 0 if the token is accepted and no check refuses it, 4 if a check refuses it, 3 or 5 if a check ' +
      'was not possible; with --watch it is that of the first comparison. With --json the comparison is on stdout after 0, ' +
      'and otherwise in the error on stderr, as "validation".',
    examples: ['oauthctl validate', 'oauthctl validate --watch --interval 2 --audience api'],
  });
}

async function runValidate(base: Context, command: Command, argument: string): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, reporter } = session;
  const flags = command.opts<ValidateFlags>();
  const watching = readWatch(flags);
  const leeway = parseSeconds(flags.leeway, '--leeway', { mayBeZero: true });
  const picked = await readToken(session, argument, listWanted(flags.tokenTypeHint));
  const options: ValidateOptions = {
    target: await connect(session),
    token: picked.token,
    tokenTypeHint: flags.tokenTypeHint ?? readTypeHint(picked),
    audience: flags.audience,
    types: flags.type,
    leeway,
  };
  // While watching, only changes are reported.
  let isLooking = true;
  const validators = openValidators(ctx, options, (event) => {
    if (isLooking) reportValidation(reporter, event);
  });
  const local = await validators.local();
  const introspection = await validators.introspection();
  const checkMs = local.verdict === 'unknown' ? undefined : await validators.timeCheck();
  isLooking = false;
  const first = validators.compare(local, introspection);
  for (const { error } of [local, introspection]) {
    if (error !== undefined) reportRefusal(reporter, error, error === local.error ? 'jwks' : 'introspection');
  }
  const failure = buildValidationFailure(first, () => listReasons(session, options));
  const isAccepted = [local, introspection].some(({ verdict }) => verdict === 'accepted');
  const mayWatch = isAccepted && local.error === undefined && introspection.error === undefined;
  const printed = { first, checkMs, failure };
  if (watching === undefined || !mayWatch) await print(session, printed);
  else await watch(session, validators, { ...printed, ...watching, expiresAt: findExpiry(first, leeway) });
  if (failure !== undefined) throw failure;
}

interface Printed {
  readonly first: Comparison;
  readonly checkMs: number | undefined;
  /** The failure that the command ends with. With `--json` it contains the comparison. */
  readonly failure: OauthctlError | undefined;
}

interface Watching {
  readonly intervalMs: number;
  readonly deadlineMs: number | undefined;
}

function readWatch(flags: ValidateFlags): Watching | undefined {
  if (flags.watch) {
    const { interval = DEFAULT_INTERVAL, deadline } = flags;
    return {
      intervalMs: parseSeconds(interval, '--interval') * 1000,
      deadlineMs: deadline === undefined ? undefined : parseSeconds(deadline, '--deadline') * 1000,
    };
  }
  const stray = (['interval', 'deadline'] as const).find((name) => flags[name] !== undefined);
  if (stray !== undefined) throw new UsageError('watch_missing', `--${stray} requires --watch`);
  return undefined;
}

async function watch(
  session: Session,
  validators: Validators,
  { first, checkMs, failure, ...options }: Printed & Watching & { readonly expiresAt: number | undefined },
): Promise<void> {
  const { ctx, reporter } = session;
  const printed = { first, checkMs, failure };
  if (isForPeople(session)) await print(session, printed);
  const startedAt = Math.min(first.local.at, first.introspection.at);
  const report = await watchVerdicts(ctx, { validators, first, ...options }, (event) => {
    reportWatch(reporter, event, startedAt);
    if (event.type === 'watch_interrupted')
      ctx.io.err(renderReport(event.report, options.expiresAt, reporter.paint));
  });
  reporter.settle();
  await print(session, printed, { report, expiresAt: options.expiresAt });
}

async function print(
  session: Session,
  { first, checkMs, failure }: Printed,
  watched?: { readonly report: WatchReport; readonly expiresAt: number | undefined },
): Promise<void> {
  const { ctx } = session;
  const document = {
    ...comparisonDocument(first, checkMs),
    ...(watched && { watch: watchDocument(watched.report) }),
  };
  const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
  printFailedResult(session, failure, 'validation', document, () =>
    watched === undefined
      ? renderComparison(first, { checkMs, now: ctx.clock.now(), paint })
      : // For people, the comparison was printed when the watch began.
        `\n${renderReport(watched.report, watched.expiresAt, paint)}`,
  );
}

/** Finds when the local check will refuse the token, in milliseconds since the epoch. */
function findExpiry({ local, introspection }: Comparison, leeway: number): number | undefined {
  const exp = local.claims?.exp ?? introspection.answer?.exp;
  return typeof exp === 'number' && exp > 0 ? (exp + leeway) * 1000 : undefined;
}

function listReasons({ ctx }: Session, { target, token, tokenTypeHint }: ValidateOptions): readonly string[] {
  return listInactiveReasons(token, {
    issuer: target.metadata.issuer,
    client_id: target.client.client_id,
    isKeycloak: isKeycloak(target.metadata),
    now: ctx.clock.now(),
    token_type_hint: tokenTypeHint,
  });
}
