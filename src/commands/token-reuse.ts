import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import type { Unfit } from '../flows/kept-tokens.ts';
import type { ReuseEvent, ReuseOptions } from '../flows/reuse.ts';
import type { GrantedTokens, TokenEvent } from '../flows/token.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { ParameterValues } from '../protocol/form.ts';
import { ownerOf, parseParameters, type Session } from './session.ts';

const DEFAULT_MIN_TTL = 30;

/** Options of the commands that may do with tokens that are kept. */
export function addReuseOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--reuse',
        'take the kept access token while it lives, else refresh, else request anew',
      ).conflicts('keep'),
    )
    .option(
      '--min-ttl <seconds>',
      `with --reuse: how long the token must still live (default: ${DEFAULT_MIN_TTL})`,
    );
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
  const seconds = minTtl === undefined ? DEFAULT_MIN_TTL : Number(minTtl);
  if (minTtl?.trim() === '' || !Number.isFinite(seconds) || seconds < 0) {
    throw new UsageError('seconds_invalid', `--min-ttl takes seconds, 0 or more, and got "${minTtl}"`);
  }
  // Who wants to see the request wants one.
  return reuse && !session.globals.curl ? seconds : undefined;
}

/**
 * Reuses, refreshes or requests, and tells which.
 * @param values the parameters of the request that a new grant would need, as far as they say what is asked for
 */
export async function reusing(
  session: Session,
  options: Pick<ReuseOptions, 'minTtl' | 'connect' | 'request'> & {
    readonly grantType?: string;
    readonly values: ParameterValues;
  },
  tell: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { settings, globals, ctx } = session;
  const [{ reuseTokens }, { askedFor }] = await Promise.all([
    import('../flows/reuse.ts'),
    import('../flows/kept-tokens.ts'),
  ]);
  const { grantType, values, ...rest } = options;
  const own = { extraParameters: parseParameters(globals.param ?? []), omittedParameters: globals.omit };
  return reuseTokens(
    ctx,
    {
      ...rest,
      owner: ownerOf(session),
      wanted: {
        issuers: [settings.require('issuer', 'the authorization server'), settings.get('acceptIssuer')],
        client_id: settings.require('clientId', 'the client'),
        grant_type: grantType,
        asked: askedFor(values, own),
      },
    },
    (event) => {
      if (!tellReuse(session, event)) tell(event);
    },
  );
}

const UNFIT: Readonly<Record<Unfit | 'expired', string>> = {
  nothing_kept: 'nothing is kept',
  other_issuer: 'the kept tokens are of another issuer',
  other_client: 'the kept tokens are of another client',
  other_grant: 'the kept tokens are of another grant',
  other_user: 'the kept tokens are of another user',
  other_parameters: 'the kept tokens were asked for with other parameters',
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
      reporter.note(`${UNFIT[event.why]} · requesting`);
      return true;
    default:
      return false;
  }
}

function describeEnd(left: number | undefined): string {
  if (left === undefined) return 'is of unknown lifetime';
  return left > 0 ? `expires in ${inWords(left)}, too soon` : 'has expired';
}
