import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import type { Target } from '../flows/server/target.ts';
import type { OwnParameters, ReuseMismatch } from '../flows/token/kept-tokens.ts';
import type { ReuseEvent, ReuseOptions } from '../flows/token/reuse.ts';
import type { GrantedTokens, TokenEvent } from '../flows/token/token.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { ParameterDefinitions } from '../protocol/definitions/parameter.ts';
import type { ParameterValues } from '../protocol/oauth/form.ts';
import { certificateThumbprint } from './certificate.ts';
import { wantedDpop } from './dpop.ts';
import { requireIssuer } from './issuer.ts';
import { parseParameters, parseSeconds } from './option-values.ts';
import { type Session, storageName } from './session.ts';
import { runTokenFlow } from './token-request.ts';

/** Seconds that a kept access token must still live. */
export const DEFAULT_MIN_TTL = 30;

/** Options of the commands that may do with tokens that are kept. */
export function addReuseOptions(command: Command): Command {
  return command
    .addOption(new Option('--reuse', 'use the kept token, else refresh, else request').conflicts('keep'))
    .option('--min-ttl <seconds>', `with --reuse: life it must still have (default: ${DEFAULT_MIN_TTL})`);
}

/**
 * Reads the options.
 * @returns the seconds that a kept access token must still live; undefined where tokens are to be requested
 * @throws UsageError `seconds_invalid`, `min_ttl_alone`
 */
export function readReuse(session: Session, command: Command): number | undefined {
  const { reuse, minTtl } = command.opts<{ reuse?: true; minTtl?: string }>();
  if (!reuse && minTtl !== undefined) {
    throw new UsageError('min_ttl_alone', '--min-ttl belongs to --reuse', { hint: 'Add --reuse.' });
  }
  const seconds = parseSeconds(minTtl, '--min-ttl', { mayBeZero: true }) ?? DEFAULT_MIN_TTL;
  // --curl shows the request, so there must be one.
  return reuse && !session.globals.curl ? seconds : undefined;
}

/**
 * Reuses, refreshes or requests, and tells which.
 * @param options.definitions and `values`: the parameters of the request that a new grant needs, except credentials
 */
export async function reuseOrRequest(
  session: Session,
  options: Pick<ReuseOptions, 'minTtl' | 'connect' | 'request'> & {
    readonly grantType?: string;
    readonly definitions: ParameterDefinitions;
    readonly values: ParameterValues;
    readonly tokenRequest?: OwnParameters['tokenRequest'];
  },
  tell: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { settings, globals, ctx } = session;
  const [{ reuseTokens }, { describeRequest }] = await Promise.all([
    import('../flows/token/reuse.ts'),
    import('../flows/token/kept-tokens.ts'),
  ]);
  const { grantType, definitions, values, tokenRequest, ...rest } = options;
  const dpop = await wantedDpop(session);
  const own = {
    extraParameters: parseParameters(globals.param ?? []),
    omittedParameters: globals.omit,
    tokenRequest,
  };
  return reuseTokens(
    ctx,
    {
      ...rest,
      owner: storageName(session),
      wanted: {
        issuers: [requireIssuer(settings), settings.get('acceptIssuer')],
        client_id: settings.require('clientId', 'the client'),
        grant_type: grantType,
        asked: describeRequest(definitions, values, own),
        // A refresh keeps to what the tokens are bound to, unless somebody says otherwise.
        dpop: dpop ?? (grantType === undefined ? undefined : false),
        certificate: await certificateThumbprint(session),
      },
    },
    (event) => {
      if (!tellReuse(session, event)) tell(event);
    },
  );
}

/** Runs one grant, tells its steps and prints what it brought: with `--reuse` what is kept, where that does. */
export async function requestOrReuse(
  session: Session,
  command: Command,
  grant: {
    readonly grantType: string;
    readonly definitions: ParameterDefinitions;
    readonly values: ParameterValues;
    readonly connect: () => Promise<Target>;
    readonly request: (target: Target, tell: (event: TokenEvent) => void) => Promise<GrantedTokens>;
  },
): Promise<void> {
  const minTtl = readReuse(session, command);
  const { connect, request, ...asked } = grant;
  await runTokenFlow(session, async (tell) => {
    const send = (target: Target) => request(target, tell);
    if (minTtl === undefined) return send(await connect());
    return reuseOrRequest(session, { ...asked, minTtl, connect, request: send }, tell);
  });
}

const MISMATCH_TEXTS: Readonly<Record<ReuseMismatch | 'expired', string>> = {
  nothing_kept: 'nothing is kept',
  other_issuer: 'the kept tokens are of another issuer',
  other_client: 'the kept tokens are of another client',
  other_grant: 'the kept tokens are of another grant',
  other_user: 'the kept tokens are of another user',
  other_parameters: 'the kept tokens were asked for with other parameters',
  dpop_bound: 'the kept access token is bound to a DPoP key, and no proofs are wanted',
  not_dpop_bound: 'the kept access token is not bound to a DPoP key',
  other_dpop_key: 'the kept access token is bound to another DPoP key, or to one that is not kept',
  other_certificate: 'the kept access token is bound to another client certificate than is in use',
  scope_missing: 'the kept tokens lack a scope that is asked for',
  expired: 'the kept access token ends too soon, and no refresh token lives',
};

/** @returns whether it is an event of reusing */
function tellReuse({ reporter }: Session, event: ReuseEvent | TokenEvent): event is ReuseEvent {
  switch (event.type) {
    case 'reused':
      reporter.note(`the kept access_token is reused · expires in ${inWords(event.left)}`);
      return true;
    case 'refreshing':
      reporter.note(`the kept access_token ${describeEnd(event.left)} · refreshing`);
      return true;
    case 'refresh_refused':
      reporter.warning(`${printable(event.error.message)} · requesting anew`);
      return true;
    case 'requesting':
      reporter.note(`${MISMATCH_TEXTS[event.why]} · requesting`);
      return true;
    default:
      return false;
  }
}

function describeEnd(left: number | undefined): string {
  if (left === undefined) return 'is of unknown lifetime';
  return left > 0 ? `expires in ${inWords(left)}, too soon` : 'has expired';
}
