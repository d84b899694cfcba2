import { UsageError } from '../errors.ts';
import { readSecret } from './option-values.ts';
import { type Session, storageName } from './session.ts';

/**
 * Reads a token argument: the token itself, `-` (standard input), `@FILE`, or `@last.access_token` and its like.
 * @throws UsageError `nothing_kept`, `kept_elsewhere`, `file_unreadable`, `token_empty`
 */
export async function readTokenArgument(session: Session, argument: string): Promise<string> {
  const token = await readRaw(session, argument);
  session.ctx.redactor.know(token);
  return token;
}

/**
 * Reads what an option names: `@last.access_token` and its like, `@FILE`, `env:NAME`, `file:PATH`, `cmd:COMMAND` or `-`.
 * @throws UsageError as readTokenArgument, and `secret_unavailable`
 */
export async function readTokenReference(session: Session, reference: string): Promise<string> {
  if (reference.startsWith('@')) return readTokenArgument(session, reference);
  return (await readSecret(session, reference)).trim();
}

/** The `token_type_hint` of a token argument that says of itself what it is. */
export function readTypeHint(argument: string): string | undefined {
  return /^@last\.(access_token|refresh_token)$/.exec(argument)?.[1];
}

async function readRaw(session: Session, argument: string): Promise<string> {
  const kept = /^@last\.(access_token|refresh_token|id_token)$/.exec(argument)?.[1];
  if (kept !== undefined) return readKept(session, kept);
  if (argument === '-') {
    return nonEmpty(await session.ctx.io.readStdin(), 'standard input');
  }
  if (argument.startsWith('@'))
    return nonEmpty(await session.ctx.readFile(argument.slice(1)), argument.slice(1));
  return nonEmpty(argument, 'the argument');
}

async function readKept(session: Session, name: string): Promise<string> {
  const kept = await (await session.ctx.store()).tokens.last(storageName(session));
  const token = kept?.response[name];
  if (kept !== undefined && typeof token === 'string') {
    checkIssuer(session, kept.issuer);
    return token;
  }
  throw new UsageError('nothing_kept', `no ${name} is kept for this profile`, {
    hint: 'Request tokens first: the last ones of each profile are kept. "oauthctl token list" shows them.',
  });
}

function nonEmpty(text: string, what: string): string {
  const token = text.trim();
  if (token === '') throw new UsageError('token_empty', `there is no token in ${what}`);
  return token;
}

/** No server learns another one's token: the issuer of a profile may have been changed since. */
function checkIssuer({ settings }: Session, issuer: string): void {
  const asked = settings.get('issuer');
  if (asked === undefined || issuer === asked || issuer === settings.get('acceptIssuer')) return;
  throw new UsageError('kept_elsewhere', 'the kept token is of another issuer', {
    hint: `It is of ${issuer}. Request tokens anew, or give a token.`,
  });
}
