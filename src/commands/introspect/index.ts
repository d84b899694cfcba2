import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type IntrospectEvent, inactive, introspect } from '../../flows/validation/introspect.ts';
import { inWords, isTime } from '../../output/duration.ts';
import { colours } from '../../output/style.ts';
import { renderClaims } from '../../output/token-result.ts';
import type { Introspection } from '../../protocol/oauth/introspection.ts';
import { maskJson } from '../../redact.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { listWanted, readToken, readTypeHint } from '../../session/token-argument.ts';
import { reportAnswer, reportRefusal, reportRequest } from '../../steps/request-steps.ts';

interface IntrospectFlags {
  readonly tokenTypeHint?: string;
  readonly jwt?: true;
  readonly accept?: string;
}

/** `oauthctl introspect` */
export function defineIntrospect(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(
      createReferenceArgument('[token]', 'the token, -, @FILE or @last.refresh_token', '@last.access_token'),
    )
    .option('--token-type-hint <type>', 'access_token or refresh_token (default: the token that @last names)')
    .option('--jwt', 'request a signed response (RFC 9701), verify it, and accept no other')
    .option('--accept <type>', 'request this media type; with application/jwt Keycloak adds the member jwt')
    .action((token: string) => runIntrospect(ctx, command, token));
  documentCommand(command, {
    examples: ['oauthctl introspect', 'oauthctl introspect @last.refresh_token --json'],
  });
}

async function runIntrospect(base: Context, command: Command, argument: string): Promise<void> {
  const session = await openSession(base, command);
  const { tokenTypeHint, jwt, accept } = command.opts<IntrospectFlags>();
  const picked = await readToken(session, argument, listWanted(tokenTypeHint));
  const options = {
    target: await connect(session),
    token: picked.token,
    tokenTypeHint: tokenTypeHint ?? readTypeHint(picked),
    signed: jwt,
    accept,
  };
  try {
    const introspection = await introspect(session.ctx, options, (event) => reportEvent(session, event));
    if (!introspection.active) throw inactive(session.ctx, options);
    await print(session, introspection);
  } catch (error) {
    reportRefusal(session.reporter, error, 'introspection');
    throw error;
  }
}

function reportEvent({ reporter, ctx }: Session, event: IntrospectEvent): void {
  if (event.type === 'introspection_request') {
    reportRequest(reporter, { url: event.url, as: event.target.client, values: event.values });
    return;
  }
  const { introspection, ms } = event;
  const { active, alg } = introspection;
  const text = [
    active ? 'active' : 'inactive',
    active ? describeLifetime(introspection, ctx) : undefined,
    alg === undefined ? undefined : `answer verified: ${alg}`,
  ];
  const said = text.filter((part) => part !== undefined).join(' · ');
  reportAnswer(reporter, { status: 200, text: said, ms, isGood: active });
}

async function print(session: Session, introspection: Introspection): Promise<void> {
  const { ctx } = session;
  const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
  printResult(session, introspection.json, () => {
    const { active: _said, ...others } = introspection.token;
    const claims = ctx.redactor.showSecrets ? others : (maskJson(others) as typeof others);
    const heading = [paint.bold('active'), describeLifetime(introspection, ctx)].filter(Boolean).join(' · ');
    return `${[heading, ...renderClaims(claims, paint, ctx.redactor)].join('\n')}\n`;
  });
}

function describeLifetime({ token }: Introspection, ctx: Context): string | undefined {
  const { exp } = token;
  if (!isTime(exp) || exp === 0) return undefined;
  const left = exp - ctx.clock.now() / 1000;
  return left > 0 ? `expires in ${inWords(left)}` : 'expired';
}
