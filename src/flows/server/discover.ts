import type { Context, HttpAnswer } from '../../context.ts';
import { OauthctlError, RefusedError, UsageError, ValidationError } from '../../errors.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { isLoopbackHost } from '../../protocol/loopback.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import { listMetadataUrls, parseMetadata, type ServerMetadata } from '../../protocol/oauth/metadata.ts';
import { recognizeProduct } from '../../protocol/oauth/server-product.ts';
import { trimTrailing } from '../../trim-trailing.ts';

export interface DiscoverOptions {
  /** The issuer, or the address of its metadata. */
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
  const isMetadataUrl = new URL(issuer).pathname.includes('/.well-known/');
  let first: unknown;
  for (const url of isMetadataUrl ? [issuer] : listMetadataUrls(issuer)) {
    const classified = await fetchMetadata(ctx, url);
    if (!(classified instanceof OauthctlError)) {
      // Where the user gave the address of the metadata, the issuer in it must lead to that address.
      const { issuer: own } = classified;
      const isOwn = isMetadataUrl && typeof own === 'string' && isMetadataAddress(issuer, own);
      return { metadata: parseMetadata(classified, isOwn ? own : issuer, acceptIssuer), url };
    }
    // Only status 404 leads to the next address; the error reported in the end is that of the first.
    if (!isNotFound(classified)) throw classified;
    first ??= classified;
  }
  throw first;
}

/** @returns the metadata, or why there is none */
async function fetchMetadata(ctx: Context, url: string): Promise<JsonObject | OauthctlError> {
  const http = await ctx.http();
  const answer = await http.send({ method: 'GET', url, endpoint: 'metadata' }, ctx.signal);
  const classified = classifyAnswer(answer, 'metadata');
  if (classified.kind === 'ok') return classified.json;
  return notFound(answer, classified) ?? buildForeignAnswer(describeAnswer(classified), url);
}

function isNotFound(error: OauthctlError): boolean {
  return error instanceof RefusedError && error.oauth.status === 404;
}

function isMetadataAddress(url: string, issuer: string): boolean {
  return URL.canParse(issuer) && listMetadataUrls(issuer).includes(url);
}

/**
 * Finds the issuer of a person's account by WebFinger.
 * @param account `acct:name@host`
 * @throws RefusedError, NetworkError; ValidationError `webfinger_without_issuer`
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery
 * @see https://www.rfc-editor.org/rfc/rfc7033
 */
export async function findIssuerByWebFinger(ctx: Context, account: string): Promise<string> {
  const host = account.slice(account.lastIndexOf('@') + 1);
  const base = `https://${host}`;
  if (!account.includes('@') || !URL.canParse(base)) {
    throw new UsageError('issuer_invalid', `"${account}" is not an account: acct:NAME@HOST is expected`);
  }
  const scheme = isLoopbackHost(new URL(base).hostname) ? 'http' : 'https';
  const query = new URLSearchParams({ resource: account, rel: ISSUER_RELATION });
  const url = `${scheme}://${host}/.well-known/webfinger?${query}`;
  const http = await ctx.http();
  const headers = { accept: 'application/jrd+json, application/json' };
  const answer = await http.send({ method: 'GET', url, endpoint: 'metadata', headers }, ctx.signal);
  const classified = classifyAnswer(answer, 'metadata');
  if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
  if (classified.kind === 'foreign') throw buildForeignAnswer(classified.reason, url);
  const { links } = classified.json;
  const link = Array.isArray(links) ? links.find((one) => one?.rel === ISSUER_RELATION) : undefined;
  if (typeof link?.href === 'string') return link.href;
  throw new ValidationError('webfinger_without_issuer', `${url} names no issuer for ${account}`, {
    hint: `A link with the relation ${ISSUER_RELATION} is expected.`,
  });
}

const ISSUER_RELATION = 'http://openid.net/specs/connect/1.0/issuer';

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
  const base = trimTrailing(options.url, '/');
  const realm = encodeURIComponent(options.realm);
  let first: unknown;
  for (const issuer of [`${base}/realms/${realm}`, `${base}/auth/realms/${realm}`]) {
    try {
      return { ...(await discover(ctx, { issuer, acceptIssuer: options.acceptIssuer })), issuer };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // The error of Keycloak itself names the realm; it says more than that of another program.
      if (first === undefined || /realm/i.test(error.oauth.error_description ?? '')) first = error;
    }
  }
  throw first;
}

function notFound(answer: HttpAnswer, classified: ReturnType<typeof classifyAnswer>) {
  const { status } = answer;
  if (status !== 404) {
    return classified.kind === 'refused' ? new RefusedError(classified.oauth) : undefined;
  }
  const said = classified.kind === 'refused' ? classified.oauth.error : undefined;
  return new RefusedError({
    error: 'metadata_not_found',
    error_description: said ?? `there is no metadata of an authorization server`,
    status,
    endpoint: 'metadata',
    product: recognizeProduct(answer),
  });
}

function describeAnswer(classified: ReturnType<typeof classifyAnswer>): string {
  return classified.kind === 'foreign' ? classified.reason : classified.kind;
}

function checkHttpUrl(text: string, flag: string): void {
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol)) {
    throw new UsageError('issuer_invalid', `${flag} takes an http or https URL; "${text}" is invalid`);
  }
}
