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
import { computeCertificateThumbprint } from './certificate.ts';
import { resolveWantedBinding } from './dpop.ts';
import { requireIssuer } from './issuer.ts';
import { parseParameters, parseSeconds } from './option-values.ts';
import { type Session, storageName } from './session.ts';
import { runTokenFlow } from './token-request.ts';

/** Seconds for which a kept access token must still be valid. */
export const DEFAULT_MIN_TTL = 30;

/** Options of the commands that can use kept tokens. */
export function addReuseOptions(command: Command): Command {
  return command
    .addOption(new Option('--reuse', 'use the kept token, else refresh, else request').conflicts('keep'))
    .option('--min-ttl <seconds>', `with --reuse: life it must still have (default: ${DEFAULT_MIN_TTL})`);
}

/**
 * Reads the options.
 * @returns the seconds for which a kept access token must still be valid; undefined without `--reuse`
 * @throws UsageError `seconds_invalid`, `min_ttl_alone`
 */
export function readReuse(session: Session, command: Command): number | undefined {
  const { reuse, minTtl } = command.opts<{ reuse?: true; minTtl?: string }>();
  if (!reuse && minTtl !== undefined) {
    throw new UsageError('min_ttl_alone', '--min-ttl requires --reuse', { hint: 'Add --reuse.' });
  }
  const seconds = parseSeconds(minTtl, '--min-ttl', { mayBeZero: true }) ?? DEFAULT_MIN_TTL;
  // --curl shows the request, so there must be one.
  return reuse && !session.globals.curl ? seconds : undefined;
}

/**
 * Reuses, refreshes or requests tokens, and reports which.
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
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { settings, globals, ctx } = session;
  const [{ reuseTokens }, { describeRequest }] = await Promise.all([
    import('../flows/token/reuse.ts'),
    import('../flows/token/kept-tokens.ts'),
  ]);
  const { grantType, definitions, values, tokenRequest, ...rest } = options;
  const dpop = await resolveWantedBinding(session);
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
        // A refresh keeps the binding of the tokens, unless another one is configured.
        dpop: dpop ?? (grantType === undefined ? undefined : false),
        certificate: await computeCertificateThumbprint(session),
      },
    },
    (event) => {
      if (!reportReuse(session, event)) onEvent(event);
    },
  );
}

/** Runs a grant, reports its steps and prints the tokens; with `--reuse`, the kept tokens if they can be used. */
export async function requestOrReuse(
  session: Session,
  command: Command,
  grant: {
    readonly grantType: string;
    readonly definitions: ParameterDefinitions;
    readonly values: ParameterValues;
    readonly connect: () => Promise<Target>;
    readonly request: (target: Target, onEvent: (event: TokenEvent) => void) => Promise<GrantedTokens>;
  },
): Promise<void> {
  const minTtl = readReuse(session, command);
  const { connect, request, ...asked } = grant;
  await runTokenFlow(session, async (onEvent) => {
    const send = (target: Target) => request(target, onEvent);
    if (minTtl === undefined) return send(await connect());
    return reuseOrRequest(session, { ...asked, minTtl, connect, request: send }, onEvent);
  });
}

const MISMATCH_TEXTS: Readonly<Record<ReuseMismatch | 'expired', string>> = {
  nothing_kept: 'no tokens are kept',
  other_issuer: 'the kept tokens are of another issuer',
  other_client: 'the kept tokens are of another client',
  other_grant: 'the kept tokens are of another grant',
  other_user: 'the kept tokens are of another user',
  other_parameters: 'the kept tokens were requested with other parameters',
  dpop_bound: 'the kept access token is bound to a DPoP key, and DPoP is turned off',
  not_dpop_bound: 'the kept access token is not bound to a DPoP key',
  other_dpop_key: 'the kept access token is bound to another DPoP key, or to one that is not kept',
  other_certificate: 'the kept access token is bound to another client certificate',
  scope_missing: 'the kept tokens lack a requested scope',
  expired: 'the kept access token expires too soon, and there is no valid refresh token',
};

/** @returns whether the event is one of `--reuse` */
function reportReuse({ reporter }: Session, event: ReuseEvent | TokenEvent): event is ReuseEvent {
  switch (event.type) {
    case 'reused':
      reporter.note(`the kept access_token is reused · expires in ${inWords(event.left)}`);
      return true;
    case 'refreshing':
      reporter.note(`the kept access_token ${describeEnd(event.left)} · refreshing`);
      return true;
    case 'refresh_refused':
      reporter.warning(`${printable(event.error.message)} · requesting new tokens`);
      return true;
    case 'requesting':
      reporter.note(`${MISMATCH_TEXTS[event.why]} · requesting`);
      return true;
    default:
      return false;
  }
}

function describeEnd(left: number | undefined): string {
  if (left === undefined) return 'has an unknown lifetime';
  return left > 0 ? `expires in ${inWords(left)}, too soon` : 'has expired';
}
