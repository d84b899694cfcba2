import {
  checkDpopReplay,
  checkDpopRequired,
  type DpopProof,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { BackchannelRequest, Model, Provider, RouteContext } from 'oidc-provider/lib/provider.js';
import { CIBA_GRANT } from '../protocol/definitions/grants/ciba.ts';
import { AUTHENTICATION_REQUEST, type SandboxParts } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

const AUTH_REQ_ID = /^[\w-]{43}$/;

/**
 * Puts Keycloak's way of answering polls in the place of oidc-provider's own CIBA grant.
 *
 * oidc-provider never says `slow_down` and answers a denial only once; Keycloak looks at the interval before anything
 * else, so that an early poll hides even an approval, and repeats the denial.
 *
 * @see OpenID Connect CIBA Core 1.0 §10.1, §11
 */
export function registerCibaGrant(provider: Provider, parts: SandboxParts): void {
  provider.registerGrantType(
    CIBA_GRANT.grantType,
    async (ctx) => {
      const proof = await validateDpop(provider, ctx);
      checkDpopRequired(provider, ctx, proof);
      const request = await findDecided(provider, parts, ctx);
      await checkDpopReplay(provider, ctx, proof, ctx.oidc.client.clientId);
      // Taking it is what decides between two token requests that arrive together.
      if (!parts.store.take(AUTHENTICATION_REQUEST, request.jti)) {
        throw invalidAuthReqId();
      }
      parts.throttle.forget(request.jti);
      await issue(provider, parts, ctx, request, proof);
    },
    ['auth_req_id'],
  );
}

async function findDecided(
  provider: Provider,
  { throttle }: SandboxParts,
  ctx: RouteContext,
): Promise<BackchannelRequest> {
  const id = ctx.oidc.params.auth_req_id;
  if (id === undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'Missing parameter: auth_req_id');
  }
  if (!AUTH_REQ_ID.test(id)) {
    throw new SandboxRefusal(400, 'invalid_grant', 'Invalid Auth Req ID');
  }
  const request = await provider.BackchannelAuthenticationRequest.find(id, { ignoreExpiration: true });
  if (request === undefined || request.clientId !== ctx.oidc.client.clientId) {
    throw invalidAuthReqId();
  }
  if (!throttle.admit(id)) {
    throw new SandboxRefusal(400, 'slow_down', 'too early to access');
  }
  if (request.isExpired) {
    throw new SandboxRefusal(400, 'expired_token', 'authentication timed out');
  }
  if (request.error !== undefined) {
    throw new SandboxRefusal(400, 'access_denied', 'not authorized');
  }
  if (request.grantId === undefined) {
    throw new SandboxRefusal(
      400,
      'authorization_pending',
      'The authorization request is still pending as the end-user has not yet been authenticated.',
    );
  }
  return request;
}

function invalidAuthReqId(): SandboxRefusal {
  return new SandboxRefusal(400, 'invalid_grant', 'Invalid auth_req_id');
}

async function issue(
  provider: Provider,
  parts: SandboxParts,
  ctx: RouteContext,
  request: BackchannelRequest,
  proof: DpopProof | undefined,
): Promise<void> {
  const { accountId, grantId, authTime, scope = '' } = request;
  const account = parts.accounts.byId(accountId);
  if (account === undefined) {
    throw invalidAuthReqId();
  }
  const common = { accountId, grantId, scope, client: ctx.oidc.client, gty: 'ciba' };
  const accessToken = new provider.AccessToken(common);
  if (proof !== undefined) {
    accessToken.setThumbprint('jkt', proof.thumbprint);
  }
  const accessTokenJwt = await accessToken.save();
  const refreshToken = new provider.RefreshToken({ ...common, authTime, rotations: 0 });

  ctx.body = {
    access_token: accessTokenJwt,
    expires_in: accessToken.expiration,
    refresh_expires_in: refreshToken.expiration,
    refresh_token: await refreshToken.save(),
    token_type: accessToken.tokenType,
    ...(scope.split(' ').includes('openid')
      ? { id_token: await issueIdToken(provider, ctx, request, await account.claims(), accessTokenJwt) }
      : {}),
    scope,
  };
}

/** @see OpenID Connect Core 1.0 §2, §3.1.3.6 */
async function issueIdToken(
  provider: Provider,
  ctx: RouteContext,
  { authTime, scope = '' }: Pick<BackchannelRequest, 'authTime'> & Pick<Model, 'scope'>,
  claims: Record<string, unknown>,
  accessToken: string,
): Promise<string> {
  const idToken = new provider.IdToken({ ...claims, auth_time: authTime }, { ctx });
  idToken.scope = scope;
  idToken.set('azp', ctx.oidc.client.clientId);
  // oidc-provider replaces it by the hash.
  idToken.set('at_hash', accessToken);
  return idToken.issue({ use: 'idtoken' });
}
