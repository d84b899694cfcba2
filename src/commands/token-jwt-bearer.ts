import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UsageError } from '../errors.ts';
import { JWT_BEARER_GRANT_TYPE } from '../protocol/jwt-bearer.ts';
import { warnAboutLiteral } from './client.ts';
import { connect, openSession, type Session } from './session.ts';
import { readTokenArgument } from './token-argument.ts';
import { addTokenOptions, type TokenFlags, telling } from './token-flow.ts';

/** `oauthctl token jwt-bearer` */
export function defineJwtBearer(command: Command, ctx: Context): void {
  command.description('with a JWT that another party has signed (RFC 7523 §2.1)');
  addTokenOptions(command)
    .requiredOption('--assertion <ref>', 'the JWT: env:NAME, file:PATH, @FILE, cmd:COMMAND or -')
    .action(() => runJwtBearer(ctx, command));
}

async function runJwtBearer(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const { keep, assertion: reference } = command.opts<TokenFlags & { assertion: string }>();
  const assertion = await readAssertion(session, reference);
  const { requestTokens } = await import('../flows/token.ts');
  const target = await connect(session, { keepTokens: keep });
  const values = { assertion, scope: session.settings.get('scope') };
  await telling(session, (tell) =>
    requestTokens(session.ctx, { target, grantType: JWT_BEARER_GRANT_TYPE, values }, tell),
  );
}

async function readAssertion(session: Session, reference: string): Promise<string> {
  if (reference.startsWith('@')) return readTokenArgument(session, reference);
  warnAboutLiteral(session, reference);
  const assertion = (await session.ctx.secret(reference)).trim();
  if (assertion === '') throw new UsageError('token_empty', 'there is no token in the argument');
  return assertion;
}
