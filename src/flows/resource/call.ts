import type { Context, HttpAnswer, HttpRequest } from '../../context.ts';
import { InterruptedError, OauthctlError, RefusedError, UsageError } from '../../errors.ts';
import { isLoopbackHost } from '../../protocol/loopback.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import { parseChallenges } from '../../protocol/oauth/challenge.ts';
import type { DpopKey } from '../../protocol/oauth/dpop.ts';
import {
  checkMetadataLink,
  type ParsedResourceMetadata,
  parseResourceMetadata,
} from '../../protocol/oauth/protected-resource.ts';
import { type DpopProofs, sendWithProof } from '../server/dpop.ts';
import { buildResourceRefusal, type Presented } from './resource-refusal.ts';

export type CallEvent =
  | {
      readonly type: 'resource_request';
      readonly method: string;
      readonly url: string;
      readonly scheme: Presented['scheme'];
    }
  | { readonly type: 'resource_response'; readonly answer: HttpAnswer; readonly size: number }
  | { readonly type: 'resource_metadata'; readonly metadata: ParsedResourceMetadata }
  | { readonly type: 'resource_metadata_unusable'; readonly error: OauthctlError };

export interface CallOptions {
  readonly method: HttpRequest['method'];
  /** http or https. */
  readonly url: string;
  /** Names in lower case; these go before what would be sent otherwise. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Absent: the request carries no token. */
  readonly accessToken?: string | undefined;
  /** The key that the token is bound to; absent sends it as a bearer token. */
  readonly dpop?: DpopKey | undefined;
  readonly proofs: DpopProofs;
  /** Thumbprint of the client certificate in use. */
  readonly certificate?: string | undefined;
  /** How the token was had, where that is known. */
  readonly grant?: Presented['grant'];
  /** Follow redirects within the origin. */
  readonly follow: boolean;
  /** Send the token even where others can read it on the way. */
  readonly allowHttp: boolean;
}

export interface CallResult {
  readonly answer: HttpAnswer;
  readonly bytes: Uint8Array;
  /** Set for everything but a success: what the resource said of it, and what to do. */
  readonly refusal: RefusedError | undefined;
}

/** Bytes of an answer that are read before it is given up. */
const LARGEST_BODY = 64 * 1024 * 1024;
const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * One request to a protected resource with an access token, as Bearer or with a DPoP proof. A refusal is not thrown:
 * its body is wanted as well. The token goes to the origin of `url` and to no other.
 * @throws UsageError `token_invalid`, `cleartext_refused`, `key_unfit`; NetworkError, TimeoutError
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7
 */
export async function callResource(
  ctx: Context,
  options: CallOptions,
  onEvent: (event: CallEvent) => void,
): Promise<CallResult> {
  let { method, url, body } = options;
  if (options.accessToken !== undefined) {
    checkToken(options.accessToken);
    if (!options.allowHttp) refuseCleartext(url);
  }
  for (let redirects = 0; ; redirects += 1) {
    const answer = await request(ctx, { ...options, method, url, body }, onEvent);
    const bytes = answer.bytes ?? new Uint8Array();
    const next = options.follow && redirects < MOST_REDIRECTS ? findRedirect(answer, url) : undefined;
    if (next === undefined)
      return { answer, bytes, refusal: await findRefusal(ctx, options, url, answer, onEvent) };
    url = next;
    if (answer.status === 303 || (answer.status < 303 && method === 'POST')) {
      method = method === 'HEAD' ? 'HEAD' : 'GET';
      body = undefined;
    }
  }
}

async function request(
  ctx: Context,
  options: CallOptions,
  onEvent: (event: CallEvent) => void,
): Promise<HttpAnswer> {
  const { method, url, body, accessToken, dpop, proofs } = options;
  const scheme = chooseScheme(options);
  onEvent({ type: 'resource_request', method, url, scheme });
  const http = await ctx.http();
  const send = (proof: Readonly<Record<string, string>>) =>
    http.send(
      {
        method,
        url,
        endpoint: 'resource',
        headers: {
          accept: '*/*',
          ...(accessToken !== undefined && { authorization: `${scheme} ${accessToken}` }),
          ...proof,
          ...withoutBodyHeaders(options),
        },
        ...(body !== undefined && { body }),
        raw: { maxBytes: LARGEST_BODY },
      },
      ctx.signal,
    );
  const answer =
    dpop === undefined || accessToken === undefined
      ? await send({})
      : await sendWithProof(ctx, dpop, proofs, { method, url, accessToken }, send);
  onEvent({ type: 'resource_response', answer, size: answer.bytes?.length ?? 0 });
  return answer;
}

/** A redirect may have turned the request into one without a body. */
function withoutBodyHeaders({ headers, body }: CallOptions): Readonly<Record<string, string>> {
  if (body !== undefined) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-type'));
}

function chooseScheme({ accessToken, dpop, headers }: CallOptions): Presented['scheme'] {
  if (headers.authorization !== undefined) return 'own';
  if (accessToken === undefined) return undefined;
  return dpop === undefined ? 'Bearer' : 'DPoP';
}

/** Where a redirect leads, within the origin; undefined for anything else. */
function findRedirect({ status, headers }: HttpAnswer, url: string): string | undefined {
  const { location } = headers;
  if (!REDIRECTS.includes(status) || location === undefined || !URL.canParse(location, url)) return undefined;
  const next = new URL(location, url);
  return next.origin === new URL(url).origin ? next.href : undefined;
}

async function findRefusal(
  ctx: Context,
  options: CallOptions,
  url: string,
  answer: HttpAnswer,
  onEvent: (event: CallEvent) => void,
): Promise<RefusedError | undefined> {
  const { status, headers } = answer;
  if (REDIRECTS.includes(status) && headers.location !== undefined) {
    return new RefusedError(
      { error: 'redirected', status, endpoint: 'resource' },
      {
        hint: `It leads to ${headers.location}. --location follows up to ${MOST_REDIRECTS} redirects within the origin; a token is sent to no other.`,
      },
    );
  }
  if (status < 400) return undefined;
  const challenges = parseChallenges(headers['www-authenticate']);
  const link = challenges.find(({ parameters }) => parameters.resource_metadata)?.parameters
    .resource_metadata;
  const metadata = link === undefined ? undefined : await fetchMetadata(ctx, link, url, onEvent);
  const { accessToken, dpop, certificate, grant } = options;
  return buildResourceRefusal(answer, challenges, {
    scheme: chooseScheme(options),
    accessToken,
    jkt: dpop?.jkt,
    certificate,
    grant,
    metadata,
    now: ctx.clock.now(),
  });
}

/** What is wrong with the metadata is told, and the refusal that led to it stays the result. */
async function fetchMetadata(
  ctx: Context,
  link: string,
  url: string,
  onEvent: (event: CallEvent) => void,
): Promise<ParsedResourceMetadata | undefined> {
  try {
    checkMetadataLink(link, url);
    const http = await ctx.http();
    const answer = await http.send({ method: 'GET', url: link, endpoint: 'resource_metadata' }, ctx.signal);
    const classified = classifyAnswer(answer, 'resource_metadata');
    if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
    if (classified.kind === 'foreign') throw buildForeignAnswer(classified.reason, link);
    const metadata = parseResourceMetadata(classified.json, url);
    onEvent({ type: 'resource_metadata', metadata });
    return metadata;
  } catch (error) {
    if (!(error instanceof OauthctlError) || error instanceof InterruptedError) throw error;
    onEvent({ type: 'resource_metadata_unusable', error });
    return undefined;
  }
}

/** @throws UsageError `token_invalid` for what no header can carry */
function checkToken(accessToken: string): void {
  if (/^[\x21-\x7e]+$/.test(accessToken)) return;
  throw new UsageError('token_invalid', 'the token has spaces, line breaks or other characters of no token', {
    hint: 'Check what --token names: it is to be the token alone.',
  });
}

/** @throws UsageError `cleartext_refused` */
function refuseCleartext(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return;
  throw new UsageError('cleartext_refused', `the token would be sent in clear to ${hostname}`, {
    hint: 'Use https://, or allow it with --allow-http: whoever reads it on the way can use it.',
  });
}
