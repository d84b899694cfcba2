import type { JWK } from 'jose';
import type { Context } from '../../context.ts';
import {
  type AuthorizationRequest,
  buildAuthorizationRequest,
  buildAuthorizationUrl,
  buildBesideRequestObject,
  readSingleValue,
  splitResponseType,
} from '../../protocol/oauth/authorization.ts';
import {
  buildParameters,
  type DeclaredParameters,
  withExtraParameters,
  withoutParameters,
} from '../../protocol/oauth/form.ts';
import { listedIn, requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { makeProofKey } from '../../protocol/oauth/pkce.ts';
import { isKeycloak } from '../../protocol/oauth/server-product.ts';
import { makeJti, makeState } from '../../protocol/unguessable.ts';
import { fetchJwks } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';
import { type PushedAuthorizationEvent, pushAuthorization } from './pushed-authorization.ts';

/** How the parameters are wrapped into a JWT (JAR). */
export interface RequestObjectChoice {
  /** A private key, or the client secret; undefined signs nothing (alg none). */
  readonly key: JWK | string | undefined;
  readonly alg?: string | undefined;
  /** Encrypts it as well; without names it is what the server's keys and metadata allow. */
  readonly encryption?: { readonly alg?: string | undefined; readonly enc?: string | undefined } | undefined;
}

/** How an authorization request gets to the server. */
export interface AuthorizationDelivery {
  /** Pushes it (PAR), so that the browser carries no more than a reference. */
  readonly pushed: boolean;
  readonly requestObject?: RequestObjectChoice | undefined;
}

/** An authorization request before the redirect URI is known. */
export interface DraftedAuthorization {
  readonly codeVerifier: string | undefined;
  /** The parameters as they are sent, the person's own included, wherever they travel. */
  parametersAt(redirectUri: string): DeclaredParameters;
}

/**
 * Draws what ties the response to the request: state, nonce where an ID token is asked for, and a proof key where a code
 * is. The person's own parameters have the last word.
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-2.1
 */
export async function draftAuthorization(
  ctx: Context,
  target: Target,
  request: AuthorizationRequest,
): Promise<DraftedAuthorization> {
  const types = splitResponseType(request.response_type);
  const scopes = request.scope?.split(' ') ?? [];
  const proofKey = types.includes('code') ? await makeProofKey(ctx.random) : undefined;
  ctx.redactor.know(proofKey?.code_verifier);
  const binding = {
    client_id: target.client.client_id,
    state: makeState(ctx.random),
    nonce: scopes.includes('openid') || types.includes('id_token') ? makeState(ctx.random) : undefined,
    proofKey,
    dpop_jkt: target.dpop?.jkt,
  };
  return {
    codeVerifier: proofKey?.code_verifier,
    parametersAt: (redirect_uri) =>
      withoutParameters(
        withExtraParameters(
          buildAuthorizationRequest(request, { ...binding, redirect_uri }),
          target.extraParameters,
        ),
        target.omittedParameters ?? [],
      ),
  };
}

/**
 * Makes the address that the browser is to open: with the parameters, with a request object, or with a reference to what
 * is pushed before.
 * @throws as pushAuthorization; UsageError for a key that does not fit; ValidationError `endpoint_missing`
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
 * @see https://www.rfc-editor.org/rfc/rfc9101#section-5
 * @see https://www.rfc-editor.org/rfc/rfc9126#section-4
 */
export async function makeAuthorizationUrl(
  ctx: Context,
  target: Target,
  parameters: DeclaredParameters,
  { pushed, requestObject }: AuthorizationDelivery,
  onEvent: (event: PushedAuthorizationEvent) => void,
): Promise<string> {
  const endpoint = requireEndpoint(target.metadata, 'authorization_endpoint');
  const request = requestObject && (await wrap(ctx, target, parameters, requestObject));
  if (!pushed) {
    return buildAuthorizationUrl(
      endpoint,
      request === undefined ? parameters : buildBesideRequestObject(parameters, request),
    );
  }
  const { request_uri } = await (request === undefined
    ? pushAuthorization(ctx, target, parameters, onEvent)
    : // The person's own parameters are inside.
      pushAuthorization(
        ctx,
        { ...target, extraParameters: [], omittedParameters: [] },
        buildParameters('pushed_authorization_request', { request }),
        onEvent,
      ));
  const client_id = readSingleValue(parameters, 'client_id') ?? target.client.client_id;
  return buildAuthorizationUrl(endpoint, buildParameters('authorization', { client_id, request_uri }));
}

async function wrap(
  ctx: Context,
  { metadata, client }: Target,
  parameters: DeclaredParameters,
  { key, alg, encryption }: RequestObjectChoice,
): Promise<string> {
  const { buildRequestObject } = await import('../../protocol/oauth/request-object.ts');
  const listed = (name: string) => listedIn(metadata, `request_object_${name}_values_supported`);
  return buildRequestObject(parameters, {
    client_id: client.client_id,
    audience: metadata.issuer,
    now: ctx.clock.now(),
    jti: makeJti(ctx.random),
    key,
    alg,
    supportedAlgs: listed('signing_alg'),
    ...(encryption && {
      encryption: {
        ...encryption,
        jwks: await fetchJwks(ctx, metadata),
        supportedAlgs: listed('encryption_alg'),
        supportedEncs: listed('encryption_enc'),
        isKeycloak: isKeycloak(metadata),
      },
    }),
  });
}
