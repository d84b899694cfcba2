import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { type UserinfoEvent, userinfo } from '../../flows/resource/userinfo.ts';
import { colours } from '../../output/style.ts';
import { renderClaims } from '../../output/token-result.ts';
import type { Userinfo } from '../../protocol/oidc/userinfo.ts';
import { computeCertificateThumbprint } from '../../session/certificate.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { createDpopClaimOption } from '../../session/dpop.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { presentToken } from '../../session/presented-token.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { reportAnswer, reportRefusal, reportRequest } from '../../steps/request-steps.ts';

/** `oauthctl userinfo` */
export function defineUserinfo(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(createReferenceArgument('[token]', 'the access token, - or @FILE', '@last.access_token'))
    .option('--post', 'send a POST instead of a GET')
    .addOption(
      new Option(
        '--bearer-method <method>',
        'where the token stands; body sends a POST with a form (RFC 6750 §2.2)',
      )
        .choices(['header', 'body'])
        .default('header'),
    )
    .addOption(createDpopClaimOption())
    .action((token: string) => runUserinfo(ctx, command, token));
  documentCommand(command, { examples: ['oauthctl userinfo', 'oauthctl userinfo --field email'] });
}

async function runUserinfo(base: Context, command: Command, argument: string): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, reporter } = session;
  const { post, bearerMethod } = command.opts<{ post?: true; bearerMethod: 'header' | 'body' }>();
  // A call may go anywhere with the kept token; this one goes to its issuer only.
  if (argument.startsWith('@last.')) await readTokenArgument(session, argument, ['access_token']);
  const { accessToken: token = '', dpop: key, grant } = await presentToken(session, { token: argument });
  const method = post || bearerMethod === 'body' ? 'POST' : 'GET';
  if (key !== undefined && bearerMethod === 'body') throw dpopInBody();
  const certificate = await computeCertificateThumbprint(session);
  const target = await connect(session);
  const options = { target, token, key, certificate, grant, method, bearerMethod } as const;
  try {
    const found = await userinfo(ctx, options, (event) => reportEvent(session, event));
    ctx.redactor.knowMembers(found.json);
    for (const remark of found.remarks ?? []) reporter.warning(remark);
    const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
    printResult(session, found.json, () => `${renderClaims(found.json, paint, ctx.redactor).join('\n')}\n`);
  } catch (error) {
    reportRefusal(reporter, error, 'userinfo');
    throw error;
  }
}

function reportEvent({ reporter }: Session, event: UserinfoEvent): void {
  if (event.type === 'userinfo_request') {
    reportRequest(reporter, { method: event.method, url: event.url, as: `access_token as ${event.scheme}` });
  } else {
    reportAnswer(reporter, { status: 200, text: describe(event.userinfo), ms: event.ms });
  }
}

function dpopInBody(): UsageError {
  return new UsageError(
    'bearer_method_of_dpop',
    'a token that is bound to a DPoP key is sent in the Authorization header only (RFC 9449 §7.1)',
    { hint: 'Leave --bearer-method out; --no-dpop sends the token as a bearer token.' },
  );
}

function countOfClaims(count: number): string {
  return count === 1 ? '1 claim' : `${count} claims`;
}

function describe({ json, alg, encryption }: Userinfo): string {
  return [
    countOfClaims(Object.keys(json).length),
    alg === undefined ? undefined : `signature verified: ${alg}`,
    encryption === undefined ? undefined : `decrypted: ${encryption.alg}, ${encryption.enc}`,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}
