import { issueTokens } from 'oidc-provider/lib/helpers/grant_common.js';
import * as grantHelpers from 'oidc-provider/lib/helpers/grants.js';
import type { Grant, Payload, Provider, RouteContext } from 'oidc-provider/lib/provider.js';
import { parseJson } from '../exact-json.ts';
import { ACR_VALUES, SCOPES } from './parts.ts';

/** oidc-provider's helpers in the form in which its own grants get them. */
export function bindGrantHelpers(provider: Provider): Payload {
  return Object.fromEntries(
    Object.entries(grantHelpers).map(([name, helper]) => [
      name,
      (helper as (...args: unknown[]) => unknown).bind(undefined, provider),
    ]),
  );
}

/** The result of a sandbox grant before tokens are issued. */
export interface GrantDecision {
  readonly accountId: string;
  /** oidc-provider's short name of the grant. */
  readonly gty: string;
  /** Whether the person has just proved who they are. */
  readonly isLogin: boolean;
  /** Makes the grant useless for a second request; not before the proof of possession is found good. */
  readonly useUp?: () => Promise<void>;
}

/** Answers a token request of one of the sandbox's own grants as oidc-provider answers those of its grants. */
export async function issueByDecision(
  provider: Provider,
  ctx: RouteContext,
  { accountId, gty, isLogin, useUp }: GrantDecision,
): Promise<void> {
  const { client, params } = ctx.oidc;
  const dPoP = await grantHelpers.validateDpop(provider, ctx);
  grantHelpers.checkDpopRequired(provider, ctx, dPoP);
  await useUp?.();
  const resources = await grantHelpers.resolveRequestedResources(provider, ctx);
  const identifiers = resources.map((resource) => resource.identifier());
  const { scope } = params;
  const owner = { accountId, clientId: client.clientId };
  const grant = await saveGrant(provider, owner, { scope, resources: identifiers });
  // Tokens come from a source; a code that was never stored is one.
  const source = new provider.AuthorizationCode({
    client,
    accountId,
    grantId: grant.jti,
    scope,
    ...(identifiers.length === 0 ? {} : { resource: identifiers }),
    ...(isLogin ? { authTime: Math.floor(Date.now() / 1000), acr: ACR_VALUES[0], amr: ['pwd'] } : {}),
    ...(params.authorization_details === undefined
      ? {}
      : { rar: parseJson(params.authorization_details) as readonly Record<string, unknown>[] }),
  });
  await issueTokens(provider, bindGrantHelpers(provider), ctx, source, grant, {
    gty,
    entityLabel: 'grant',
    dPoP,
  });
}

/** What a grant covers; the scopes hold for the client itself and for the resources. */
export interface Extent {
  readonly scope?: string | undefined;
  readonly resources?: readonly string[];
  readonly claims?: readonly string[];
}

/** Stores a grant that a person has given a client. */
export async function saveGrant(
  provider: Provider,
  owner: { readonly accountId: string; readonly clientId: unknown },
  { scope = '', resources = [], claims = [] }: Extent,
): Promise<Grant> {
  const wished = new Set(scope.split(' '));
  const known = SCOPES.filter((name) => wished.has(name)).join(' ');
  const grant = new provider.Grant({ ...owner });
  grant.addOIDCScope(known);
  grant.addOIDCClaims(claims);
  for (const resource of resources) {
    grant.addResourceScope(resource, known);
  }
  await grant.save();
  return grant;
}
