import type { Context } from '../../context.ts';
import { RefusedError, UsageError } from '../../errors.ts';
import { classifyAnswer, foreignAnswer } from '../../protocol/oauth/answer.ts';
import { metadataUrls, parseMetadata, type ServerMetadata } from '../../protocol/oauth/metadata.ts';

export interface DiscoverOptions {
  readonly issuer: string;
  /** The issuer identifier of the server, where `issuer` is an internal address of it. */
  readonly acceptIssuer?: string | undefined;
}

export interface Discovered {
  readonly metadata: ServerMetadata;
  /** Where the metadata was found. */
  readonly url: string;
}

/**
 * Fetches and checks an issuer's metadata, by OpenID Connect Discovery or else RFC 8414.
 * @throws UsageError `issuer_invalid`; RefusedError `metadata_not_found` when no address answers with metadata;
 *   NetworkError; ValidationError `issuer_mismatch`
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 * @see https://www.rfc-editor.org/rfc/rfc8414
 */
export async function discover(ctx: Context, options: DiscoverOptions): Promise<Discovered> {
  const { issuer, acceptIssuer } = options;
  checkHttpUrl(issuer, '--issuer');
  const http = await ctx.http();
  let first: unknown;
  for (const url of metadataUrls(issuer)) {
    const answer = await http.send({ method: 'GET', url, endpoint: 'metadata' }, ctx.signal);
    const classified = classifyAnswer(answer, 'metadata');
    if (classified.kind === 'ok')
      return { metadata: parseMetadata(classified.json, issuer, acceptIssuer), url };
    const failure = notFound(answer.status, classified) ?? foreignAnswer(describeAnswer(classified), url);
    // Only "there is no such page" sends us to the next address; what the first one said is told in the end.
    if (answer.status !== 404) throw failure;
    first ??= failure;
  }
  throw first;
}

/**
 * Finds a realm of a Keycloak below `/realms/` (17 and later) or `/auth/realms/` (before, or by configuration).
 * @returns the first of the two that answers, as an issuer
 * @throws as discover
 */
export async function findKeycloakRealm(
  ctx: Context,
  options: { url: string; realm: string; acceptIssuer?: string | undefined },
): Promise<Discovered & { issuer: string }> {
  checkHttpUrl(options.url, '--url');
  const base = options.url.replace(/\/+$/, '');
  const realm = encodeURIComponent(options.realm);
  let first: unknown;
  for (const issuer of [`${base}/realms/${realm}`, `${base}/auth/realms/${realm}`]) {
    try {
      return { ...(await discover(ctx, { issuer, acceptIssuer: options.acceptIssuer })), issuer };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // Where Keycloak itself answered, it speaks of the realm; elsewhere there is just no such page.
      if (first === undefined || /realm/i.test(error.oauth.error_description ?? '')) first = error;
    }
  }
  throw first;
}

function notFound(status: number, classified: ReturnType<typeof classifyAnswer>) {
  if (status !== 404) {
    return classified.kind === 'refused' ? new RefusedError(classified.oauth) : undefined;
  }
  const said = classified.kind === 'refused' ? classified.oauth.error : undefined;
  return new RefusedError({
    error: 'metadata_not_found',
    error_description: said ?? `no metadata of an authorization server is there`,
    status,
    endpoint: 'metadata',
  });
}

function describeAnswer(classified: ReturnType<typeof classifyAnswer>): string {
  return classified.kind === 'foreign' ? classified.reason : classified.kind;
}

function checkHttpUrl(text: string, flag: string): void {
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol)) {
    throw new UsageError('issuer_invalid', `${flag} takes an http or https URL, and got "${text}"`);
  }
}
