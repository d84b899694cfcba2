import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { RequestShown, UsageError } from '../../errors.ts';
import {
  type AuthorizationCodeEvent,
  type AuthorizationCodeOptions,
  authorizeByCode,
} from '../../flows/authorization/authorization-code.ts';
import type { AuthorizationGrant } from '../../flows/authorization/authorization-outcome.ts';
import type { Target } from '../../flows/server/target.ts';
import { printable } from '../../output/printable.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { splitResponseType } from '../../protocol/oauth/authorization.ts';
import { maskJson } from '../../redact.ts';
import { connect } from '../../session/connect.ts';
import { createAddressOpener } from '../../session/open-address.ts';
import { parseParameters, parseSeconds } from '../../session/option-values.ts';
import { readReuse, reuseOrRequest } from '../../session/reuse.ts';
import { openSession, type Session } from '../../session/session.ts';
import { printResponse } from '../../session/token-output.ts';
import { AuthorizationCodeSteps } from '../../steps/authorization-code-steps.ts';
import {
  type AuthorizationFlags,
  readAuthorizationDelivery,
  readAuthorizationRequest,
  readRedirect,
} from './code-options.ts';

/** Seconds that a person has to come back from the server. */
const DEFAULT_DEADLINE = 300;

/** Runs `oauthctl token code`. */
export async function runAuthorizationCode(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const minTtl = readReuse(session, command);
  const run = await readRun(session, command);
  const steps = new AuthorizationCodeSteps(session.reporter, createAddressOpener(session, run.flags.browser));
  const authorize = (target: Target) => authorizeAt(session, run, target, steps);
  try {
    const grant =
      minTtl === undefined
        ? await authorize(await connectFor(session, run))
        : await reuseOrAuthorize(session, run, minTtl, authorize, steps);
    await print(session, grant);
  } catch (error) {
    steps.failed(error);
    throw error;
  } finally {
    session.reporter.settle();
  }
}

/** What is read from the options before a server is contacted. */
type AuthorizationRun = Pick<
  AuthorizationCodeOptions,
  'request' | 'redirectUri' | 'redirect' | 'tokenRequest' | 'deadlineMs'
> & { readonly flags: AuthorizationFlags };

async function readRun(session: Session, command: Command): Promise<AuthorizationRun> {
  const flags = command.opts<AuthorizationFlags>();
  const deadline =
    flags.deadline === undefined ? DEFAULT_DEADLINE : parseSeconds(flags.deadline, '--deadline');
  return {
    flags,
    deadlineMs: deadline * 1000,
    request: await readAuthorizationRequest(session, command),
    ...(await readRedirect(session, flags)),
    tokenRequest: {
      extraParameters: parseParameters(flags.tokenParam ?? [], '--token-param'),
      omittedParameters: flags.tokenOmit,
    },
  };
}

function connectFor(session: Session, { flags }: AuthorizationRun): Promise<Target> {
  return connect(session, { keepTokens: flags.keep });
}

async function authorizeAt(
  session: Session,
  { flags, ...run }: AuthorizationRun,
  target: Target,
  steps: AuthorizationCodeSteps,
): Promise<AuthorizationGrant> {
  const { ctx, globals } = session;
  return authorizeByCode(
    ctx,
    {
      ...(await readAuthorizationDelivery(session, flags, target)),
      ...run,
      target,
      failFast: flags.failFast === true,
      preflight: flags.preflight && !globals.curl,
    },
    globals.curl ? showAddress(session) : steps.report,
  );
}

/** Takes the kept tokens if they can be used, refreshes them, or authorizes anew. */
async function reuseOrAuthorize(
  session: Session,
  run: AuthorizationRun,
  minTtl: number,
  authorize: (target: Target) => Promise<AuthorizationGrant>,
  steps: AuthorizationCodeSteps,
): Promise<AuthorizationGrant> {
  const { request, tokenRequest } = run;
  const hasCode = splitResponseType(request.response_type).includes('code');
  let grant: AuthorizationGrant | undefined;
  const { tokens, idToken } = await reuseOrRequest(
    session,
    {
      minTtl,
      grantType: hasCode ? 'authorization_code' : 'implicit',
      definitions: REQUESTS.authorization,
      values: { ...request },
      tokenRequest,
      connect: () => connectFor(session, run),
      async request(target) {
        grant = await authorize(target);
        if (grant.tokens === undefined) throw createReuseError(request.response_type);
        return { tokens: grant.tokens, idToken: grant.idToken };
      },
    },
    steps.report,
  );
  return grant ?? { json: tokens.json, tokens, idToken };
}

async function print(session: Session, { json, idToken }: AuthorizationGrant): Promise<void> {
  const { authorization_response } = json;
  await printResponse(session, json, {
    idToken,
    ...(authorization_response !== undefined &&
      !session.ctx.redactor.showSecrets && {
        shown: { ...json, authorization_response: maskJson(authorization_response) },
      }),
  });
}

/** With `--curl`: prints the address of the authorization request, and ends the run. */
function showAddress({ ctx, globals }: Session): (event: AuthorizationCodeEvent) => void {
  return (event) => {
    if (event.type !== 'authorization_request') return;
    ctx.io.out(`${printable(event.url)}\n`);
    if (!globals.quiet)
      ctx.io.err(
        '# its code_verifier, state and nonce are not kept: the response cannot be used, only looked at\n',
      );
    throw new RequestShown();
  };
}

function createReuseError(responseType: string): UsageError {
  return new UsageError('reuse_of_nothing', `the response type "${responseType}" brings no access token`, {
    hint: 'Leave --reuse out.',
  });
}
