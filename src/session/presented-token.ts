import { UsageError } from '../errors.ts';
import type { CallOptions } from '../flows/resource/call.ts';
import {
  computeLifetimes,
  type KeptTokens,
  keptKeyOfToken,
  readDpopBinding,
} from '../flows/token/kept-tokens.ts';
import type { DpopKey } from '../protocol/oauth/dpop.ts';
import { readConfirmation } from '../protocol/oauth/token-binding.ts';
import { TokenSteps } from '../steps/token-steps.ts';
import { connect } from './connect.ts';
import { readDpopKey, usesDpop } from './dpop.ts';
import { DEFAULT_MIN_TTL } from './reuse.ts';
import { type Session, storageName } from './session.ts';
import { readTokenArgument } from './token-argument.ts';

const KEPT = '@last.access_token';

/** Which access token to present; the kept one if none is given. */
export interface TokenChoice {
  /** False for none. */
  readonly token?: string | false;
  /** Whether the kept token is refreshed first if it expires soon. */
  readonly refresh?: true;
}

/**
 * Reads the token to present, and the DPoP key that it is bound to.
 * @throws UsageError `nothing_kept`, `refresh_of_given`, `dpop_key_missing`; as readTokenArgument and refreshTokens
 */
export async function presentToken(
  session: Session,
  { token: reference = KEPT, refresh }: TokenChoice,
): Promise<Pick<CallOptions, 'accessToken' | 'dpop' | 'grant'>> {
  if (refresh && reference !== KEPT) {
    throw new UsageError('refresh_of_given', '--refresh works with the kept access token only');
  }
  if (reference === false) return {};
  const kept = await readLastTokens(session);
  if (reference !== KEPT) {
    const accessToken = await readTokenArgument(session, reference, ['access_token']);
    const { jkt } = readConfirmation(accessToken);
    return { accessToken, dpop: await resolveProofKey(session, jkt, keptKeyOfToken(kept, accessToken)) };
  }
  const current = refresh ? await refreshIfExpiring(session, kept) : kept;
  const accessToken = current?.response.access_token;
  if (current === undefined || typeof accessToken !== 'string') throw nothingKept();
  session.ctx.redactor.knowMembers(current.response);
  if (computeLifetimes(current, session.ctx.clock.now()).access_token === 0) {
    session.reporter.warning('the kept access token has expired; --refresh gets a new one first');
  }
  const { response, grant_type, asked } = current;
  const scope = typeof response.scope === 'string' ? response.scope : asked?.scope;
  return {
    accessToken,
    dpop: await resolveProofKey(session, readDpopBinding(current), keptKeyOfToken(current, accessToken)),
    grant: { grant_type, scope },
  };
}

async function readLastTokens(session: Session): Promise<KeptTokens | undefined> {
  return (await session.ctx.store()).tokens.last(storageName(session));
}

/**
 * Resolves the key of the DPoP proof: the key that is set, else the key that the token is bound to.
 * @param jkt the thumbprint of the key that the token is bound to; undefined for a bearer token
 * @param kept the key of the token, if it is kept
 */
async function resolveProofKey(
  session: Session,
  jkt: string | undefined,
  kept: DpopKey | undefined,
): Promise<DpopKey | undefined> {
  if (usesDpop(session) === false) return undefined;
  const isNamed = session.settings.find('dpopKey')?.source === 'flag';
  if (jkt === undefined && kept === undefined && !isNamed) return undefined;
  const key = isNamed ? await readDpopKey(session) : (kept ?? (await readDpopKey(session)));
  session.ctx.redactor.know(key?.jwk.d);
  if (key !== undefined) return key;
  throw new UsageError(
    'dpop_key_missing',
    `the token is bound to the DPoP key ${jkt || '(unknown)'}, which is not kept`,
    { hint: 'Give the key with --dpop-key FILE; --no-dpop sends the token as a bearer token.' },
  );
}

/** Refreshes the kept token if it expires soon. */
async function refreshIfExpiring(
  session: Session,
  kept: KeptTokens | undefined,
): Promise<KeptTokens | undefined> {
  const { ctx, reporter } = session;
  const left = kept && computeLifetimes(kept, ctx.clock.now()).access_token;
  if (kept === undefined || (left !== undefined && left >= DEFAULT_MIN_TTL)) return kept;
  const { refreshTokens } = await import('../flows/token/token.ts');
  const steps = new TokenSteps(reporter);
  try {
    await refreshTokens(ctx, { target: await connect(session) }, steps.report);
  } catch (error) {
    steps.failed(error);
    throw error;
  }
  return readLastTokens(session);
}

function nothingKept(): UsageError {
  return new UsageError('nothing_kept', 'no access token is kept for this profile', {
    hint: 'Get one first, for example with "oauthctl token client-credentials" or "oauthctl ciba start", or give --token REF.',
  });
}
