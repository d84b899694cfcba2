import { type Context, type Payload, Provider } from 'oidc-provider/lib/provider.js';
import { cibaFeature } from './backchannel-request.ts';
import { registerCibaGrant } from './ciba-grant.ts';
import { createAdapter } from './memory-store.ts';
import { AUTHENTICATION_REQUEST, CIBA_GRANT, type SandboxParts, SCOPES } from './parts.ts';
import { reworded } from './refusal.ts';

/** A second client, with the same secret, to which the CIBA grant is not allowed. */
export const SERVICE_CLIENT = 'sandbox-service';

/** Keycloak's paths below the issuer, under oidc-provider's names for them. */
export const PATHS = {
  token: '/protocol/openid-connect/token',
  introspection: '/protocol/openid-connect/token/introspect',
  revocation: '/protocol/openid-connect/revoke',
  jwks: '/protocol/openid-connect/certs',
  userinfo: '/protocol/openid-connect/userinfo',
  backchannel_authentication: '/protocol/openid-connect/ext/ciba/auth',
} as const;

// Seconds, as Keycloak sets them for a new realm.
const ACCESS_TOKEN = 300;
const REFRESH_TOKEN = 1800;
// Keycloak remembers an expired request a little longer, to say that it expired.
const EXPIRED_GRACE = 10;

const AUTH_METHODS = ['client_secret_basic', 'client_secret_post'];

/**
 * The oidc-provider behind the sandbox.
 *
 * Every hook whose default would print a notice is set, used or not: nothing may reach the user's terminal from here.
 */
export function createProvider(parts: SandboxParts, clientId: string, clientSecret: string): Provider {
  const provider = new Provider(parts.issuer, {
    adapter: (kind: string) => createAdapter(parts.store, kind, adapterTraits(parts, kind)),
    jwks: { keys: [parts.keys.privateJwk] },
    clients: [
      client(clientId, clientSecret, [CIBA_GRANT, 'client_credentials', 'refresh_token']),
      client(SERVICE_CLIENT, clientSecret, ['client_credentials']),
    ],
    // oidc-provider 9 takes a secret by either method, whichever of the two a client is registered with.
    clientAuthMethods: AUTH_METHODS,
    routes: PATHS,
    scopes: SCOPES,
    claims: { openid: ['sub', 'auth_time'], profile: ['preferred_username', 'name'] },
    conformIdTokenClaims: false,
    responseTypes: [],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    features: {
      ciba: cibaFeature(parts),
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        // The audience of an access token is its client, and Keycloak 26 tells nobody else that a token is active.
        allowedPolicy: (_ctx: Context, asking: { clientId: string }, token: { clientId: string }) =>
          asking.clientId === token.clientId,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx: Context, asking: { clientId: string }, token: { clientId: string }) =>
          asking.clientId === token.clientId,
      },
      userinfo: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: false,
    clientBasedCORS: () => false,
    findAccount: async (_ctx: Context, accountId: string) => parts.accounts.byId(accountId),
    renderError: async (ctx: Context, body: unknown) => {
      ctx.body = body;
    },
    ttl: {
      AccessToken: ACCESS_TOKEN,
      ClientCredentials: ACCESS_TOKEN,
      IdToken: ACCESS_TOKEN,
      RefreshToken: REFRESH_TOKEN,
      Grant: REFRESH_TOKEN + parts.expiresIn,
      BackchannelAuthenticationRequest: parts.expiresIn,
    },
  });
  registerCibaGrant(provider, parts);
  provider.use(async (ctx, next) => {
    await next();
    await finish(parts, ctx);
  });
  // Without a listener Koa prints what went wrong; the client is told with a 500 all the same.
  provider.on('error', () => {});
  return provider;
}

function client(clientId: string, clientSecret: string, grantTypes: readonly string[]): Payload {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    grant_types: grantTypes,
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    ...(grantTypes.includes(CIBA_GRANT) ? { backchannel_token_delivery_mode: 'poll' } : {}),
  };
}

function adapterTraits(parts: SandboxParts, kind: string) {
  switch (kind) {
    case 'AccessToken':
    case 'ClientCredentials':
      return { identify: (value: string) => parts.accessTokens.identify(value) };
    case AUTHENTICATION_REQUEST:
      return { grace: parts.interval + EXPIRED_GRACE };
    default:
      return {};
  }
}

/** Brings an answer of oidc-provider into the shape that Keycloak gives it. */
async function finish(parts: SandboxParts, ctx: Context): Promise<void> {
  const { oidc } = ctx;
  if (oidc === undefined) {
    return;
  }
  if (ctx.status >= 400) {
    const other = reworded(oidc.route, ctx.body);
    if (other !== undefined) {
      const { status, ...body } = other;
      ctx.body = body;
      ctx.status = status;
    }
  } else if (oidc.route === 'discovery') {
    ctx.body = describe(ctx.body as Payload);
  } else if (oidc.route === 'introspection') {
    ctx.body = complete(parts, ctx.body as Payload);
  } else if (oidc.route === 'token' && oidc.params.grant_type !== CIBA_GRANT) {
    const body = ctx.body as Payload;
    const expiresAt = oidc.entities.RefreshToken?.exp;
    ctx.body = {
      ...body,
      access_token: await parts.accessTokens.sign(body.access_token as string),
      ...(expiresAt === undefined ? {} : { refresh_expires_in: expiresAt - Math.floor(Date.now() / 1000) }),
    };
  }
}

/** An introspection answer with the claims that the JWT has and the stored token has not. */
function complete(parts: SandboxParts, body: Payload): Payload {
  if (body.active !== true || body.token_type === undefined) {
    return body;
  }
  const { client_id: clientId, sub } = body;
  const username = typeof sub === 'string' ? parts.accounts.byId(sub)?.username : undefined;
  return {
    ...body,
    sub: sub ?? clientId,
    aud: clientId,
    azp: clientId,
    ...(username === undefined ? {} : { username }),
  };
}

/**
 * The metadata without what is not served: oidc-provider always lists an authorization endpoint.
 *
 * @see RFC 8414 §2
 */
function describe(metadata: Payload): Payload {
  const {
    authorization_endpoint: _endpoint,
    authorization_response_iss_parameter_supported: _iss,
    claims_supported: claims,
    code_challenge_methods_supported: _pkce,
    response_modes_supported: _modes,
    ...served
  } = metadata;
  return {
    ...served,
    claims_supported: (claims as string[]).filter((claim) => claim !== 'sid'),
    backchannel_user_code_parameter_supported: false,
    introspection_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
  };
}
