import { UsageError } from '../errors.ts';
import { ownerOf, type Session } from './session.ts';

/**
 * Reads a token argument: the token itself, `-` (standard input), `@FILE`, or `@last.access_token` and its like.
 * @throws UsageError `nothing_kept`, `file_unreadable`, `token_empty`
 */
export async function readTokenArgument(session: Session, argument: string): Promise<string> {
  const token = await readRaw(session, argument);
  session.ctx.redactor.know(token);
  return token;
}

async function readRaw(session: Session, argument: string): Promise<string> {
  const kept = /^@last\.(access_token|refresh_token|id_token)$/.exec(argument)?.[1];
  if (kept !== undefined) return readKept(session, kept);
  if (argument === '-') return nonEmpty(await session.ctx.io.readStdin(), 'standard input');
  if (argument.startsWith('@'))
    return nonEmpty(await session.ctx.readFile(argument.slice(1)), argument.slice(1));
  return nonEmpty(argument, 'the argument');
}

async function readKept(session: Session, name: string): Promise<string> {
  const kept = await (await session.ctx.store()).tokens.last(ownerOf(session));
  const token = kept?.response[name];
  if (typeof token === 'string') return token;
  throw new UsageError('nothing_kept', `no ${name} is kept for this profile`, {
    hint: 'Request tokens first: the last ones of each profile are kept. "oauthctl token list" shows them.',
  });
}

function nonEmpty(text: string, what: string): string {
  const token = text.trim();
  if (token === '') throw new UsageError('token_empty', `there is no token in ${what}`);
  return token;
}
