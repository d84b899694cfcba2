import type { Context, Payload, RouteContext } from 'oidc-provider/lib/provider.js';
import { parseJson } from '../exact-json.ts';
import { AUTHORIZATION_DETAILS_TYPES, type SandboxParts, SCOPES } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

type Details = readonly Record<string, unknown>[];

/**
 * Resource indicators: any absolute URI is a resource, and becomes the audience of the access token.
 *
 * oidc-provider calls these hooks for every authorization and token request, so unknown scopes, which it would ignore,
 * are refused here as Keycloak refuses them.
 *
 * @see RFC 8707 §2
 */
export function resourceIndicatorsFeature(parts: SandboxParts): Payload {
  return {
    enabled: true,
    defaultResource: async (ctx: RouteContext, _client: unknown, oneOf?: readonly string[]) => {
      refuseUnknownScopes(ctx);
      // oidc-provider wants a resource with authorization details; without one asked for, it is the sandbox itself.
      return oneOf ?? (ctx.oidc.params.authorization_details === undefined ? undefined : parts.issuer);
    },
    useGrantedResource: async (_ctx: Context, source: { resource?: unknown }) =>
      source.resource !== parts.issuer,
    getResourceServerInfo: async (ctx: RouteContext, resource: string) => {
      refuseUnknownScopes(ctx);
      return { scope: SCOPES.join(' '), audience: resource };
    },
  };
}

/** Rich authorization requests: what was consented to is what the token carries. @see RFC 9396 §2, §6, §9 */
export function authorizationDetailsFeature(): Payload {
  const types = AUTHORIZATION_DETAILS_TYPES.map((type) => [type, { validate: () => {} }] as const);
  return {
    enabled: true,
    types: Object.fromEntries(types),
    authorizationDetailsForGrantSource: (ctx: RouteContext) => requestedDetails(ctx),
    authorizationDetailsForAccessToken: (ctx: RouteContext, _token: unknown, source?: { rar?: Details }) =>
      narrowed(requestedDetails(ctx), source),
    authorizationDetailsForIntrospection: (_ctx: Context, token: { rar?: Details }) => token.rar,
  };
}

function refuseUnknownScopes(ctx: RouteContext): void {
  // The CIBA request has checks of its own, in another order.
  if (ctx.oidc.route === 'backchannel_authentication') return;
  const { scope = '' } = ctx.oidc.params;
  if (scope.split(' ').some((name) => name !== '' && !SCOPES.includes(name))) {
    throw new SandboxRefusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
  }
}

function requestedDetails(ctx: RouteContext): Details | undefined {
  const { authorization_details: json } = ctx.oidc.params;
  return json === undefined ? undefined : (parseJson(json) as Details);
}

/** What a token request asks for out of what its source has; a token request without a source is its own. */
function narrowed(wished: Details | undefined, source: { rar?: Details } | undefined): Details | undefined {
  if (source === undefined || wished === undefined) return wished ?? source?.rar;
  const granted = new Set(source.rar?.map((detail) => JSON.stringify(detail)));
  if (!wished.every((detail) => granted.has(JSON.stringify(detail)))) {
    throw new SandboxRefusal(
      400,
      'invalid_authorization_details',
      'these authorization details were not granted',
    );
  }
  return wished;
}
