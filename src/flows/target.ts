import type { Context, HttpAnswer } from '../context.ts';
import type { Endpoint } from '../errors.ts';
import { buildClientAuthentication, type RegisteredClient } from '../protocol/client-authentication.ts';
import type { DpopKey } from '../protocol/dpop.ts';
import { encodeForm, type FormParameters, withExtraParameters, withoutParameters } from '../protocol/form.ts';
import type { ServerMetadata } from '../protocol/metadata.ts';
import { isSecretName } from '../redact.ts';

/** The server that a flow speaks to, and the client that it speaks as. */
export interface Target {
  readonly metadata: ServerMetadata;
  readonly client: RegisteredClient;
  /** The client's registered `id_token_signed_response_alg`, when it is known. */
  readonly idTokenAlg?: string | undefined;
  /** What requested tokens are bound to by DPoP, where they are. */
  readonly dpop?: DpopKey | undefined;
  /** The person's own `--param`s: replace or add. */
  readonly extraParameters: FormParameters;
  /** The names of the person's own `--omit`s: left out, whatever put them there. */
  readonly omittedParameters?: readonly string[] | undefined;
  /** Under which name pending requests and tokens are kept; undefined keeps nothing on disk. */
  readonly owner: string | undefined;
  /** False keeps no tokens on disk. */
  readonly keepTokens: boolean;
}

/**
 * Sends a form to an endpoint, authenticated as the client.
 * @param timeoutMs for the whole exchange; the transport's default otherwise
 * @throws UsageError as buildClientAuthentication; NetworkError and TimeoutError of the transport
 */
export async function postForm(
  ctx: Context,
  target: Target,
  request: {
    url: string;
    endpoint: Endpoint;
    parameters: FormParameters;
    timeoutMs?: number;
    signal?: AbortSignal;
  },
): Promise<HttpAnswer> {
  const authentication = await buildClientAuthentication(target.client, {
    metadata: target.metadata,
    now: ctx.clock.now(),
    random: ctx.random,
  });
  ctx.redactor.know(
    ...authentication.parameters.map(([name, value]) => (isSecretName(name) ? value : undefined)),
  );
  const parameters = withoutParameters(
    withExtraParameters([...request.parameters, ...authentication.parameters], target.extraParameters),
    target.omittedParameters ?? [],
  );
  const http = await ctx.http();
  return http.send(
    {
      method: 'POST',
      url: request.url,
      endpoint: request.endpoint,
      headers: { ...authentication.headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: encodeForm(parameters),
      ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    },
    request.signal ?? ctx.signal,
  );
}
