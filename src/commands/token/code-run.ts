import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { RequestShown, UsageError } from '../../errors.ts';
import {
  type AuthorizationCodeEvent,
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
  const { ctx, reporter } = session;
  const flags = command.opts<AuthorizationFlags>();
  const minTtl = readReuse(session, command);
  const deadline =
    flags.deadline === undefined ? DEFAULT_DEADLINE : parseSeconds(flags.deadline, '--deadline');
  const request = await readAuthorizationRequest(session, command);
  const redirect = await readRedirect(session, flags);
  const tokenRequest = {
    extraParameters: parseParameters(flags.tokenParam ?? [], '--token-param'),
    omittedParameters: flags.tokenOmit,
  };
  const connected = () => connect(session, { keepTokens: flags.keep });
  const steps = new AuthorizationCodeSteps(reporter, createAddressOpener(session, flags.browser));
  const authorize = async (target: Target): Promise<AuthorizationGrant> =>
    authorizeByCode(
      ctx,
      {
        ...(await readAuthorizationDelivery(session, flags, target)),
        ...redirect,
        target,
        tokenRequest,
        request,
        deadlineMs: deadline * 1000,
        failFast: flags.failFast === true,
        preflight: flags.preflight && !session.globals.curl,
      },
      session.globals.curl ? showing(session) : steps.tell,
    );
  try {
    if (minTtl === undefined) {
      await print(session, await authorize(await connected()));
      return;
    }
    let grant: AuthorizationGrant | undefined;
    const { tokens, idToken } = await reuseOrRequest(
      session,
      {
        minTtl,
        grantType: splitResponseType(request.response_type).includes('code')
          ? 'authorization_code'
          : 'implicit',
        definitions: REQUESTS.authorization,
        values: { ...request },
        tokenRequest,
        connect: connected,
        async request(target) {
          grant = await authorize(target);
          if (grant.tokens === undefined) throw nothingToReuse(request.response_type);
          return { tokens: grant.tokens, idToken: grant.idToken };
        },
      },
      steps.tell,
    );
    await print(session, grant ?? { json: tokens.json, tokens, idToken });
  } catch (error) {
    steps.failed(error);
    throw error;
  } finally {
    reporter.settle();
  }
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

/** Under `--curl`: the address is what a browser would request, and nothing is waited for. */
function showing({ ctx, globals }: Session): (event: AuthorizationCodeEvent) => void {
  return (event) => {
    if (event.type !== 'authorization_request') return;
    ctx.io.out(`${printable(event.url)}\n`);
    if (!globals.quiet)
      ctx.io.err('# its code_verifier, state and nonce are not kept: what comes of it is for the eye only\n');
    throw new RequestShown();
  };
}

function nothingToReuse(responseType: string): UsageError {
  return new UsageError('reuse_of_nothing', `the response type "${responseType}" brings no access token`, {
    hint: 'Leave --reuse out.',
  });
}
