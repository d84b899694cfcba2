import { UsageError } from '../errors.ts';

import { printable } from '../output/printable.ts';
import { type PickedToken, pickToken } from '../protocol/jose/pick-token.ts';
import { isSecretReference } from '../store/secret-reference.ts';
import { findIssuer } from './issuer.ts';
import { warnAboutLiteral } from './option-values.ts';

import { type Session, storageName } from './session.ts';

/** The tokens of a token response, and what else is a token there or in a redirect. */
export type TokenName =
  | 'access_token'
  | 'refresh_token'
  | 'id_token'
  | 'assertion'
  | 'client_assertion'
  | 'login_hint_token'
  | 'code';

/**
 * Reads the token that an argument or option means: the token itself, `-` (standard input), `@FILE`,
 * `@last.access_token` and its like, `env:NAME`, `file:PATH` or `cmd:COMMAND`. Of a token response it is the one that
 * fits; what was repaired is said in a warning.
 * @param wanted the tokens that fit, the best first
 * @throws UsageError `nothing_kept`, `kept_elsewhere`, `file_unreadable`, `secret_unavailable`; as pickToken
 */
export async function readTokenArgument(
  session: Session,
  argument: string,
  wanted: readonly TokenName[],
): Promise<string> {
  return (await readToken(session, argument, wanted)).token;
}

/** As readTokenArgument, with the name of the token where that is known. */
export async function readToken(
  session: Session,
  argument: string,
  wanted: readonly TokenName[],
): Promise<PickedToken> {
  const { ctx, reporter } = session;
  const { text, place } = await readText(session, argument);
  const picked = pickToken(text, wanted, place);
  ctx.redactor.know(picked.token);
  for (const repair of picked.repairs) reporter.warning(`the token in ${printable(place)}: ${repair}`);
  const isNews = picked.name !== undefined && keptName(argument) === undefined;
  if (isNews) reporter.note(`the ${picked.name} in ${printable(place)} is taken`);
  return { ...picked, name: keptName(argument) ?? picked.name };
}

/**
 * As readTokenArgument, for an option whose value should not stand in the arguments: a literal is worth a warning.
 * @throws UsageError as readTokenArgument
 */
export async function readTokenReference(
  session: Session,
  reference: string,
  wanted: readonly TokenName[],
): Promise<string> {
  if (!reference.startsWith('@')) warnAboutLiteral(session, reference);
  return readTokenArgument(session, reference, wanted);
}

/**
 * Reads the text that an argument means, whatever it holds.
 * @throws UsageError as readTokenArgument; `token_empty`
 */
export async function readTokenText(session: Session, argument: string): Promise<string> {
  const { text, place } = await readText(session, argument);
  session.ctx.redactor.know(text.trim());
  if (text.trim() === '') throw new UsageError('token_empty', `there is no token in ${place}`);
  return text;
}

/** The tokens that a server can be asked about: the one that a hint names, else the access token before the others. */
export function listWanted(hint: string | undefined): readonly TokenName[] {
  return hint === 'refresh_token' ? [hint] : ['access_token', ...(hint === undefined ? LESS_WANTED : [])];
}

const LESS_WANTED = ['refresh_token', 'id_token'] as const;

/** The `token_type_hint` of a token of this name. @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1 */
export function readTypeHint({ name }: PickedToken): string | undefined {
  return name === 'access_token' || name === 'refresh_token' ? name : undefined;
}

function keptName(argument: string): string | undefined {
  return /^@last\.(access_token|refresh_token|id_token)$/.exec(argument)?.[1];
}

/** @returns the text, and what errors call it */
async function readText(session: Session, argument: string): Promise<{ text: string; place: string }> {
  const { ctx } = session;
  const kept = keptName(argument);
  if (kept !== undefined) return { text: await readKept(session, kept), place: `the kept tokens` };
  if (argument === '-') {
    return { text: await ctx.io.readStdin(), place: 'standard input' };
  }
  if (argument.startsWith('@')) {
    const path = argument.slice(1);
    return { text: await ctx.readFile(path), place: path };
  }
  if (isSecretReference(argument)) return { text: await ctx.secret(argument), place: argument };
  return { text: argument, place: 'the argument' };
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

/** No server learns another one's token: the issuer of a profile may have been changed since. */
function checkIssuer({ settings }: Session, issuer: string): void {
  const asked = findIssuer(settings);
  if (asked === undefined || issuer === asked || issuer === settings.get('acceptIssuer')) return;
  throw new UsageError('kept_elsewhere', 'the kept token is of another issuer', {
    hint: `It is of ${issuer}. Request tokens anew, or give a token.`,
  });
}
