import { UsageError } from '../errors.ts';

import { printable } from '../output/printable.ts';
import { type PickedToken, pickToken } from '../protocol/jose/pick-token.ts';
import { isSecretReference } from '../store/secret-reference.ts';
import { findIssuer } from './issuer.ts';
import { warnAboutLiteral } from './option-values.ts';

import { type Session, storageName } from './session.ts';

/** The tokens of a token response, and other members of it or of a redirect that are tokens. */
export type TokenName =
  | 'access_token'
  | 'refresh_token'
  | 'id_token'
  | 'assertion'
  | 'client_assertion'
  | 'login_hint_token'
  | 'code';

/**
 * Reads the token that an argument or option refers to: the token itself, `-` (standard input), `@FILE`,
 * `@last.access_token` or another kept token, `env:NAME`, `file:PATH` or `cmd:COMMAND`. From a token response it takes
 * the token that fits. It warns about what was repaired.
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

/** As readTokenArgument, with the name of the token if it is known. */
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
  if (isNews) reporter.note(`using the ${picked.name} in ${printable(place)}`);
  return { ...picked, name: keptName(argument) ?? picked.name };
}

/**
 * As readTokenArgument, for an option whose value should not be in the arguments: it warns about a literal token.
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
 * Reads the text that an argument refers to, of any content.
 * @throws UsageError as readTokenArgument; `token_empty`
 */
export async function readTokenText(session: Session, argument: string): Promise<string> {
  const { text, place } = await readText(session, argument);
  session.ctx.redactor.know(text.trim());
  if (text.trim() === '') throw new UsageError('token_empty', `there is no token in ${place}`);
  return text;
}

/** Lists the tokens that a server can be asked about: the one of the hint, else all, the access token first. */
export function listWanted(hint: string | undefined): readonly TokenName[] {
  return hint === 'refresh_token' ? [hint] : ['access_token', ...(hint === undefined ? LESS_WANTED : [])];
}

const LESS_WANTED = ['refresh_token', 'id_token'] as const;

/** Returns the `token_type_hint` of a token of this name. @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1 */
export function readTypeHint({ name }: PickedToken): string | undefined {
  return name === 'access_token' || name === 'refresh_token' ? name : undefined;
}

function keptName(argument: string): string | undefined {
  return /^@last\.(access_token|refresh_token|id_token)$/.exec(argument)?.[1];
}

/** @returns the text, and its name in errors */
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
    hint: 'Request tokens first: the last tokens of each profile are kept. "oauthctl token list" shows them.',
  });
}

/** Checks that no token is sent to another server than its issuer: the issuer of a profile may have been changed. */
function checkIssuer({ settings }: Session, issuer: string): void {
  const asked = findIssuer(settings);
  if (asked === undefined || issuer === asked || issuer === settings.get('acceptIssuer')) return;
  throw new UsageError('kept_elsewhere', 'the kept token is from another issuer', {
    hint: `It is from ${issuer}. Request new tokens, or give a token.`,
  });
}
