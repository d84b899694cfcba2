import type { JWK } from 'jose';
import type { Context, HttpAnswer } from '../../context.ts';
import type { Endpoint } from '../../errors.ts';
import type { DefinedHeaders } from '../../protocol/definitions/answers.ts';
import {
  buildClientAuthentication,
  type RegisteredClient,
} from '../../protocol/oauth/client-authentication.ts';
import type { DpopKey } from '../../protocol/oauth/dpop.ts';
import {
  type DeclaredParameters,
  encodeForm,
  type FormParameters,
  joinParameters,
  withExtraParameters,
  withoutParameters,
} from '../../protocol/oauth/form.ts';
import type { ServerMetadata } from '../../protocol/oauth/metadata.ts';
import { isSecretName } from '../../redact.ts';
import { type DpopProofs, sendWithProof } from './dpop.ts';

/** The server that a flow sends its requests to, and the client that it sends them as. */
export interface Target {
  readonly metadata: ServerMetadata;
  readonly client: RegisteredClient;
  /** The client's registered `id_token_signed_response_alg`, when it is known. */
  readonly idTokenAlg?: string | undefined;
  /** The audiences that an ID token may have beside the client. */
  readonly trustedAudiences?: readonly string[] | undefined;
  /** Seconds by which the server's clock may differ from ours. */
  readonly leeway?: number | undefined;
  /** The client's private keys, for ID tokens and authorization responses that are encrypted. */
  readonly decryptionKeys?: readonly JWK[] | undefined;
  /** The key that requested tokens are bound to; undefined requests tokens without DPoP. */
  readonly dpop?: DpopKey | undefined;
  /** What all DPoP proofs have in common; undefined sends none, even for a token that is bound to a key. */
  readonly proofs?: DpopProofs | undefined;
  /** The user's own `--param`s: they replace parameters of the same name, or are added. */
  readonly extraParameters: FormParameters;
  /** The names of the user's own `--omit`s: these parameters are not sent. */
  readonly omittedParameters?: readonly string[] | undefined;
  /** Under which name pending requests and tokens are kept; undefined keeps nothing on disk. */
  readonly owner: string | undefined;
  /** False keeps no tokens on disk. */
  readonly keepTokens: boolean;
}

/** A form for an endpoint. */
export interface FormRequest {
  readonly url: string;
  readonly endpoint: Endpoint;
  readonly parameters: DeclaredParameters;
  /** Further headers, such as Accept. */
  readonly headers?: DefinedHeaders;
  /** Milliseconds for the whole request; undefined takes the transport's default for each exchange. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The endpoints that read DPoP proofs. @see https://www.rfc-editor.org/rfc/rfc9449#section-10.1 */
const PROVEN: readonly Endpoint[] = ['token', 'pushed_authorization_request'];

/**
 * Sends a form to an endpoint, authenticated as the client, and with a proof of possession where the endpoint reads one.
 * @throws UsageError as buildClientAuthentication and sendWithProof; NetworkError and TimeoutError of the transport
 */
export async function postForm(ctx: Context, target: Target, request: FormRequest): Promise<HttpAnswer> {
  const { dpop, proofs } = target;
  if (dpop === undefined || proofs === undefined || !PROVEN.includes(request.endpoint))
    return sendForm(ctx, target, request, {});
  const until = request.timeoutMs === undefined ? undefined : ctx.clock.now() + request.timeoutMs;
  return sendWithProof(ctx, dpop, proofs, { method: 'POST', url: request.url }, (headers) => {
    const left = until === undefined ? {} : { timeoutMs: Math.max(1, until - ctx.clock.now()) };
    return sendForm(ctx, target, { ...request, ...left }, headers);
  });
}

async function sendForm(
  ctx: Context,
  target: Target,
  request: FormRequest,
  headers: DefinedHeaders,
): Promise<HttpAnswer> {
  const authentication = await buildClientAuthentication(target.client, {
    metadata: target.metadata,
    now: ctx.clock.now(),
    random: ctx.random,
  });
  const parameters = withoutParameters(
    withExtraParameters(
      joinParameters(request.parameters, authentication.parameters),
      target.extraParameters,
    ),
    target.omittedParameters ?? [],
  );
  // The server may repeat them in its answer, under any name.
  for (const [name, value] of parameters) if (isSecretName(name)) ctx.redactor.know(value);
  ctx.redactor.knowClient(target.client.client_id, target.client.client_secret);
  const http = await ctx.http();
  return http.send(
    {
      method: 'POST',
      url: request.url,
      endpoint: request.endpoint,
      headers: {
        ...request.headers,
        ...authentication.headers,
        ...headers,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: encodeForm(parameters),
      ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    },
    request.signal ?? ctx.signal,
  );
}
