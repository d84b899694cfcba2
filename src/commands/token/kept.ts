import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import {
  ageResponse,
  computeLifetimes,
  type KeptTokens,
  readDpopBinding,
} from '../../flows/token/kept-tokens.ts';
import { inWords } from '../../output/duration.ts';
import { printable } from '../../output/printable.ts';
import { readConfirmation } from '../../protocol/oauth/token-binding.ts';
import { mask } from '../../redact.ts';
import { findIssuer } from '../../session/issuer.ts';
import { openSession, printResult, type Session, storageName } from '../../session/session.ts';
import { printResponse } from '../../session/token-output.ts';

/** `oauthctl token list` */
export async function runTokenList(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command, { withoutProfile: true });
  const kept = await (await session.ctx.store()).tokens.list();
  const now = session.ctx.clock.now();
  const shown = Object.fromEntries(
    Object.entries(kept).map(([owner, tokens]) => [owner, summarize(session, tokens, now)]),
  );
  if (Object.keys(kept).length === 0) session.reporter.note('no tokens are kept');
  printResult(session, { kept: shown }, () => {
    const width = Math.max(0, ...Object.keys(kept).map((owner) => owner.length));
    return Object.entries(kept)
      .map(([owner, tokens]) => `${printable(owner.padEnd(width))}  ${describe(tokens, now)}\n`)
      .join('');
  });
}

/** `oauthctl token show [PROFILE]` */
export async function runTokenShow(base: Context, command: Command, name: string | undefined): Promise<void> {
  const { session, owner } = await openOwner(base, command, name);
  const { tokens } = await session.ctx.store();
  const kept = owner === undefined ? undefined : await tokens.last(owner);
  if (kept === undefined || owner === undefined) throw await nothingKept(session, owner);
  session.ctx.redactor.knowMembers(kept.response);
  const now = session.ctx.clock.now();
  await printResponse(session, kept.response, {
    heading: `${printable(owner)}  ${describe(kept, now)}`,
    // For people, the remaining lifetimes are shown.
    shown: ageResponse(kept, now),
    lifetimes: computeLifetimes(kept, now),
  });
}

/** `oauthctl token forget [PROFILE]` */
export async function runTokenForget(
  base: Context,
  command: Command,
  name: string | undefined,
): Promise<void> {
  const { all } = command.opts<{ all?: true }>();
  if (all && name !== undefined) {
    throw new UsageError('forget_ambiguous', 'a profile and --all exclude each other', {
      hint: 'Give one profile, or --all alone.',
    });
  }
  const { session, owner } = await openOwner(base, command, name, all);
  const { tokens } = await session.ctx.store();
  const kept = Object.keys(await tokens.list());
  const meant = all ? kept : kept.filter((one) => one === owner);
  if (!all && meant.length === 0) throw await nothingKept(session, owner);
  const sure = meant.length === 0 || !session.mayAsk || (await confirm(session, meant));
  const forgotten = sure ? await tokens.forget(meant) : [];
  printResult(session, { forgotten }, () =>
    forgotten.length > 0
      ? forgotten.map((one) => `tokens of "${printable(one)}" forgotten\n`).join('')
      : 'nothing forgotten\n',
  );
}

async function confirm(session: Session, owners: readonly string[]): Promise<boolean> {
  const prompt = await session.ctx.prompt();
  const answer = await prompt.choose(
    `Forget the tokens of ${owners.map((one) => printable(one)).join(', ')}?`,
    [
      { value: 'no', label: 'no' },
      { value: 'yes', label: 'yes' },
    ],
  );
  return answer === 'yes';
}

/** A given name is used unchanged: tokens can be kept for a removed profile, or for none. */
async function openOwner(
  base: Context,
  command: Command,
  name: string | undefined,
  all = false,
): Promise<{ session: Session; owner: string | undefined }> {
  const session = await openSession(base, command, { withoutProfile: all || name !== undefined });
  const isKnown = findIssuer(session.settings) !== undefined;
  return { session, owner: name ?? (isKnown ? storageName(session) : undefined) };
}

async function nothingKept(session: Session, owner: string | undefined): Promise<UsageError> {
  const owners = Object.keys(await (await session.ctx.store()).tokens.list());
  return new UsageError('nothing_kept', `no tokens${owner === undefined ? '' : ` of "${owner}"`} are kept`, {
    hint:
      owners.length > 0
        ? `There are those of: ${owners.join(', ')}.`
        : 'Request tokens first: the last tokens of each profile are kept.',
  });
}

/** Describes kept tokens for `--json`: owner and lifetimes; the tokens are masked. */
function summarize({ ctx }: Session, kept: KeptTokens, now: number) {
  const left = computeLifetimes(kept, now);
  const { response, asked } = kept;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const token = (value: unknown) =>
    typeof value !== 'string' ? null : ctx.redactor.showSecrets ? value : mask(value);
  const seconds = (value: number | undefined) => (value === undefined ? null : Math.floor(value));
  return {
    grant_type: kept.grant_type,
    client_id: kept.client_id,
    issuer: kept.issuer,
    scope: text(response.scope ?? asked?.scope),
    user: text(asked?.user),
    token_type: text(response.token_type),
    dpop_jkt: readDpopBinding(kept) || null,
    received_at: new Date(kept.received_at).toISOString(),
    access_token: token(response.access_token),
    expires_in: seconds(left.access_token),
    refresh_token: token(response.refresh_token),
    refresh_expires_in: seconds(left.refresh_token),
    id_token: token(response.id_token),
  };
}

function describe(kept: KeptTokens, now: number): string {
  const left = computeLifetimes(kept, now);
  const { response, asked } = kept;
  const scope = response.scope ?? asked?.scope;
  const life = (name: 'access_token' | 'refresh_token') => {
    if (typeof response[name] !== 'string') return undefined;
    const seconds = left[name];
    if (seconds === undefined) return name;
    return seconds > 0 ? `${name} ${inWords(seconds)}` : `${name} expired`;
  };
  return [
    // The last part of a URN names the grant.
    kept.grant_type.split(':').at(-1),
    kept.client_id,
    kept.issuer,
    typeof scope === 'string' && scope !== '' ? `scope ${scope}` : undefined,
    binding(kept),
    life('access_token'),
    life('refresh_token'),
  ]
    .filter((part): part is string => part !== undefined)
    .map((part) => printable(part))
    .join(' · ');
}

/** Describes what is needed besides the access token to use it. */
function binding(kept: KeptTokens): string | undefined {
  const jkt = readDpopBinding(kept);
  if (jkt !== undefined)
    return `DPoP, key ${jkt || 'unknown'}${kept.dpop && !kept.dpop.jwk ? ' of your own' : ''}`;
  const certificate = readConfirmation(kept.response.access_token)['x5t#S256'];
  return certificate === undefined ? undefined : `mTLS, certificate ${certificate}`;
}
