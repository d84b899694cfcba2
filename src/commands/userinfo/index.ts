import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type UserinfoEvent, userinfo } from '../../flows/resource/userinfo.ts';
import { colours } from '../../output/style.ts';
import { renderClaims } from '../../output/token-result.ts';
import type { Userinfo } from '../../protocol/oidc/userinfo.ts';
import { certificateThumbprint } from '../../session/certificate.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { dpopClaimOption } from '../../session/dpop.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { presentToken } from '../../session/presented-token.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { tellAnswer, tellRefusal, tellRequest } from '../../steps/request-steps.ts';

/** `oauthctl userinfo` */
export function defineUserinfo(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(createReferenceArgument('[token]', 'the access token, - or @FILE', '@last.access_token'))
    .option('--post', 'send a POST instead of a GET')
    .addOption(dpopClaimOption())
    .action((token: string) => runUserinfo(ctx, command, token));
  documentCommand(command, { examples: ['oauthctl userinfo', 'oauthctl userinfo --field email'] });
}

async function runUserinfo(base: Context, command: Command, argument: string): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, reporter } = session;
  const { post } = command.opts<{ post?: true }>();
  // A call may go anywhere with the kept token; this one goes to its issuer only.
  if (argument.startsWith('@last.')) await readTokenArgument(session, argument, ['access_token']);
  const { accessToken: token = '', dpop: key, grant } = await presentToken(session, { token: argument });
  const method = post ? 'POST' : 'GET';
  const certificate = await certificateThumbprint(session);
  const target = await connect(session);
  const options = { target, token, key, certificate, grant, method } as const;
  try {
    const found = await userinfo(ctx, options, (event) => tell(session, event));
    for (const remark of found.remarks ?? []) reporter.warning(remark);
    const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
    printResult(session, found.json, () => `${renderClaims(found.json, paint).join('\n')}\n`);
  } catch (error) {
    tellRefusal(reporter, error, 'userinfo');
    throw error;
  }
}

function tell({ reporter }: Session, event: UserinfoEvent): void {
  if (event.type === 'userinfo_request') {
    tellRequest(reporter, { method: event.method, url: event.url, as: `access_token as ${event.scheme}` });
  } else {
    tellAnswer(reporter, { status: 200, text: describe(event.userinfo), ms: event.ms });
  }
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
