import type { Option } from 'commander';
import type { DpopEvent, DpopProofs } from '../flows/server/dpop.ts';
import type { Wanted } from '../flows/token/kept-tokens.ts';
import { printable } from '../output/printable.ts';
import type { DpopClaims, DpopKey } from '../protocol/oauth/dpop.ts';
import { listedIn, type ServerMetadata } from '../protocol/oauth/metadata.ts';
import { HELP_GROUPS, SETTINGS } from '../settings.ts';
import { parseBoolean, parseNameOptionalValue, setClaim } from './option-values.ts';
import { createRepeatableOption } from './options.ts';
import { readKeyFile } from './read-keys.ts';
import type { Session } from './session.ts';
import { SETTING_SOURCES, type Setting } from './settings.ts';

/** The option that changes claims of the proofs, to provoke refusals. */
export function createDpopClaimOption(): Option {
  return createRepeatableOption(
    '--dpop-claim <name=value>',
    'set a claim of the DPoP proof; NAME alone removes it',
  ).helpGroup(HELP_GROUPS.provoke);
}

/**
 * Returns whether requests carry a DPoP proof; undefined if it is not configured. A key file means yes, unless
 * a source of higher precedence says no.
 * @throws UsageError `dpop_invalid`
 */
export function usesDpop({ settings }: Session): boolean | undefined {
  const setting = settings.find('dpop');
  const key = settings.find('dpopKey');
  if (setting === undefined) return key === undefined ? undefined : true;
  const value = parseBoolean(setting.value, SETTINGS.dpop.env, 'dpop_invalid');
  const strength = ({ source }: Setting) => SETTING_SOURCES.indexOf(source);
  return value || (key !== undefined && strength(key) < strength(setting));
}

/** DPoP for the requests of this run: `dpop` is the key of new tokens, `proofs` is absent if DPoP is not used. */
export interface Dpop {
  readonly dpop: DpopKey | undefined;
  readonly proofs: DpopProofs | undefined;
}

/**
 * Resolves the key of the proofs: the key of `--dpop-key`, or a new key for this run.
 * @throws UsageError `dpop_invalid`, `dpop_claim_invalid`; for a file or an algorithm that cannot be used
 */
export async function resolveDpop(session: Session, metadata: ServerMetadata): Promise<Dpop> {
  const isWanted = usesDpop(session);
  if (isWanted === false) return { dpop: undefined, proofs: undefined };
  const proofs = buildProofOptions(session);
  if (isWanted === undefined) return { dpop: undefined, proofs };
  const algs = listedIn(metadata, 'dpop_signing_alg_values_supported');
  const own = await readDpopKey(session, algs);
  if (own !== undefined) return { dpop: own, proofs };
  const { generateDpopKey } = await import('../protocol/oauth/dpop.ts');
  const dpop = await generateDpopKey(session.settings.get('dpopAlg'), algs);
  session.ctx.redactor.know(dpop.jwk.d);
  return { dpop, proofs };
}

/** Reads `--dpop-key`; undefined if it is not set. @throws UsageError as parseKeys and selectDpopKey */
export async function readDpopKey(
  session: Session,
  supported?: readonly string[],
): Promise<DpopKey | undefined> {
  const { ctx, settings } = session;
  const file = settings.get('dpopKey');
  if (file === undefined) return undefined;
  const { selectDpopKey } = await import('../protocol/oauth/dpop.ts');
  const keys = await readKeyFile(ctx, file);
  return selectDpopKey(keys, file, settings.get('dpopAlg'), supported);
}

/** Builds the options that all proofs of this run share. */
export function buildProofOptions(session: Session): DpopProofs {
  return {
    nonces: session.dpopNonces ?? new Map(),
    claims: parseClaims(session.dpopClaims),
    onEvent: (event) => reportDpopEvent(session, event),
  };
}

/** Returns what kept tokens must be bound to in this run; undefined accepts any binding. */
export async function resolveWantedBinding(session: Session): Promise<Wanted['dpop']> {
  const isWanted = usesDpop(session);
  if (!isWanted) return isWanted;
  const own = await readDpopKey(session);
  return own === undefined ? {} : { jkt: own.jkt };
}

/** A name alone removes the claim. @throws UsageError `dpop_claim_invalid` */
function parseClaims(texts: readonly string[] | undefined): DpopClaims | undefined {
  if (texts === undefined) return undefined;
  const claims: Record<string, unknown> = {};
  for (const text of texts) {
    const [name, value] = parseNameOptionalValue(text, '--dpop-claim', 'dpop_claim_invalid');
    if (value === undefined) claims[name] = undefined;
    else setClaim(claims, name, value);
  }
  return claims;
}

function reportDpopEvent({ reporter }: Session, event: DpopEvent): void {
  if (event.type === 'dpop_nonce_wanted') {
    reporter.step({
      mark: '',
      parties: 'server → client',
      status: event.status,
      text: 'use_dpop_nonce · sent again with the nonce',
      tone: 'wait',
    });
  } else {
    reporter.warning(
      `a DPoP proof was sent, but the token_type of the access token is "${printable(event.token_type)}": it is not bound to the key`,
    );
  }
}
