import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { isJson } from '../../exact-json.ts';
import type { BatchExpectations } from '../../protocol/jose/jwt-lines.ts';
import type { ClaimExpectation, JwtProfile, VerificationKeys } from '../../protocol/jose/jwt-verdict.ts';
import type { KeySet } from '../../protocol/jose/key-set.ts';
import { parseSeconds, readSecret } from '../../session/option-values.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import type { Session } from '../../session/session.ts';
import { readTokenReference } from '../../session/token-argument.ts';

/**
 * Resolves what tokens are verified against: the keys, which are fetched for an issuer, and the options.
 * @param claimed the `iss` of the token, for a hint
 * @throws UsageError if the options are incomplete or exclude each other; as discovery and fetching the keys
 */
export async function readExpectations(
  session: Session,
  flags: VerifyFlags,
  profile: JwtProfile | undefined,
  claimed?: unknown,
): Promise<BatchExpectations> {
  const { settings } = session;
  const given = {
    algs: readAlgs(flags),
    leeway: parseSeconds(flags.leeway, '--leeway', { mayBeZero: true }),
    maxAge: parseSeconds(flags.maxAge, '--max-age', { mayBeZero: true }),
    claims: flags.claim?.map(parseClaim),
  };
  const isForClient = profile === 'id_token' || profile === 'logout_token';
  return {
    ...(await readKeys(session, flags, claimed)),
    ...given,
    audience: flags.audience,
    types: flags.type,
    profile,
    clientId: isForClient ? settings.get('clientId') : undefined,
    nonce: flags.nonce,
    accessToken:
      flags.accessToken === undefined
        ? undefined
        : await readTokenReference(session, flags.accessToken, ['access_token']),
    code: flags.code === undefined ? undefined : await readTokenReference(session, flags.code, ['code']),
  };
}

/** Reads the keys, and the required issuer if it is known. */
async function readKeys(
  session: Session,
  { jwks, secret }: VerifyFlags,
  claimed: unknown,
): Promise<{ keys: VerificationKeys; issuer: string | undefined }> {
  const { ctx, settings, globals } = session;
  const key = globals.cert === undefined ? globals.key : undefined;
  const flags = { '--jwks': jwks, '--key': key, '--secret': secret };
  const named = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (named.length > 1) {
    throw new UsageError('keys_ambiguous', `${named.join(' and ')} exclude each other`, {
      hint: 'Run the command once with each.',
    });
  }
  const issuer = settings.find('issuer');
  if (named.length === 0) {
    if (issuer === undefined) throw noKeys(claimed);
    const { discoverKeys } = await import('../../flows/server/verification-keys.ts');
    return discoverKeys(ctx, { issuer: issuer.value, acceptIssuer: settings.get('acceptIssuer') });
  }
  // With keys from an option, the issuer of the profile is not required.
  const expectedIssuer =
    issuer?.source === 'profile' ? undefined : (settings.get('acceptIssuer') ?? issuer?.value);
  if (secret !== undefined) {
    return { keys: { secret: await readSecret(session, secret) }, issuer: expectedIssuer };
  }
  if (jwks !== undefined) return { keys: await readJwks(ctx, jwks), issuer: expectedIssuer };
  return { keys: await readFileOfKeys(ctx, key ?? ''), issuer: expectedIssuer };
}

async function readJwks(ctx: Context, place: string): Promise<VerificationKeys> {
  if (/^https?:\/\//i.test(place)) {
    const { fetchKeysFrom } = await import('../../flows/server/verification-keys.ts');
    return fetchKeysFrom(ctx, place);
  }
  return readFileOfKeys(ctx, place);
}

async function readFileOfKeys(ctx: Context, path: string): Promise<VerificationKeys> {
  const { keys, isSet, passedOver = [] } = await readKeyFile(ctx, path);
  const [key] = keys;
  const set: KeySet = { keys: [...keys], passedOver };
  if (isSet || key === undefined) return set;
  if (key.kty !== 'oct') return { key };
  const { readOctKey } = await import('../../protocol/jose/oct-key.ts');
  return readOctKey(key, path);
}

function noKeys(claimed: unknown): UsageError {
  const says = typeof claimed === 'string' ? ` The "iss" of the token is ${claimed}.` : '';
  return new UsageError('keys_missing', 'there is no key to verify with', {
    hint: `Give --issuer URL, --jwks FILE or URL, --key FILE, --secret REF, or a profile.${says}`,
  });
}

function readAlgs({ alg }: VerifyFlags): readonly string[] | undefined {
  for (const one of alg ?? []) {
    if (one.trim().toLowerCase() === 'none')
      throw new UsageError('alg_none', 'a token with alg "none" has no signature to verify', {
        hint: 'Show its content with "oauthctl jwt decode".',
      });
  }
  return alg;
}

/** Reads NAME=VALUE or NAME; a value that is JSON is compared as JSON and as text. */
function parseClaim(text: string): ClaimExpectation {
  // A name in brackets and quotes may contain any character.
  const name = /^(?:\["(?:[^"\\]|\\.)*"\]|\['[^']*'\]|[^=])+/s.exec(text)?.[0];
  if (name === undefined)
    throw new UsageError('claim_invalid', `--claim takes NAME=VALUE; "${text}" is invalid`);
  if (name === text) return { name, values: [] };
  const value = text.slice(name.length + 1);
  return { name, values: [value], ...(isJson(value) && { json: value }) };
}

export interface VerifyFlags {
  readonly jwks?: string;
  readonly secret?: string;
  readonly audience?: readonly string[];
  readonly type?: readonly string[];
  readonly alg?: readonly string[];
  readonly maxAge?: string;
  readonly leeway: string;
  readonly claim?: readonly string[];
  readonly idToken?: true;
  readonly accessTokenProfile?: true;
  readonly logoutToken?: true;
  readonly accessToken?: string;
  readonly code?: string;
  readonly nonce?: string;
  readonly lines?: true;
}
