import { randomBytes } from 'node:crypto';
import { base as interactionPolicy } from 'oidc-provider/lib/helpers/interaction_policy/index.js';
import {
  type Client,
  type Context,
  type Middleware,
  type ModelClass,
  type Payload,
  Provider,
  type RouteContext,
  type Token,
} from 'oidc-provider/lib/provider.js';
import { CIBA_GRANT } from '../protocol/definitions/grants/ciba.ts';
import { JWT_BEARER_GRANT } from '../protocol/definitions/grants/jwt-bearer.ts';
import type { AccessTokens, StoredAccessToken } from './access-tokens.ts';
import { cibaFeature } from './backchannel-request.ts';
import { registerCibaGrant } from './ciba-grant.ts';
import { allowLoopbackRedirects, RESPONSE_TYPES } from './clients.ts';
import { deviceFlowFeature, guardDevicePages, registerDeviceGrant } from './device-flow.ts';
import { loginPage, loginUrl } from './login.ts';
import { createAdapter } from './memory-store.ts';
import { registerOwnGrants } from './own-grants.ts';
import { sendRefusal } from './pages.ts';
import {
  ACR_VALUES,
  ASYMMETRIC_ALGS,
  AUTHENTICATION_REQUEST,
  CLIENT_ENCRYPTION_ALGS,
  PATHS,
  REALM_PATH,
  type SandboxParts,
  SCOPES,
} from './parts.ts';
import { reworded, SandboxRefusal } from './refusal.ts';
import { authorizationDetailsFeature, resourceIndicatorsFeature } from './resources.ts';

// Seconds, as Keycloak sets them for a new realm.
const ACCESS_TOKEN = 300;
const REFRESH_TOKEN = 1800;
const CODE = 60;
const IDLE_SESSION = 1800;
const LONGEST_SESSION = 36_000;
// Keycloak remembers an expired request a little longer, to say that it expired.
const EXPIRED_GRACE = 10;

const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
];

const HMAC_ALGS = ['HS256', 'HS384', 'HS512'];

/** oidc-provider's routes whose errors a person sees, not a client. */
const PAGE_ROUTES: readonly string[] = ['authorization', 'resume', 'code_verification', 'device_resume'];

/** For what oidc-provider itself shows: a form that sends itself to the client, by a script that it adds the hash of. */
const SELF_SENDING_FORM_POLICY = "default-src 'none'; script-src; frame-ancestors 'none'; base-uri 'none'";

/**
 * The oidc-provider behind the sandbox.
 *
 * Every hook whose default would print a notice is set, used or not: nothing may reach the user's terminal from here.
 */
export function createProvider(
  parts: SandboxParts,
  registrations: readonly Payload[],
  { rotateRefreshTokens }: { rotateRefreshTokens: boolean },
): Provider {
  const provider = new Provider(parts.issuer, {
    ...configureServer(parts, registrations),
    ...configureIssuance(parts, rotateRefreshTokens),
  });
  allowLoopbackRedirects(provider);
  issueAsJwt(provider.AccessToken, parts.accessTokens);
  issueAsJwt(provider.ClientCredentials, parts.accessTokens);
  registerCibaGrant(provider, parts);
  registerDeviceGrant(provider, parts);
  registerOwnGrants(provider, parts);
  installMiddleware(provider, parts);
  return provider;
}

/** Keys, clients, endpoints, scopes and algorithms of the server. */
function configureServer(parts: SandboxParts, registrations: readonly Payload[]): Payload {
  return {
    adapter: (kind: string) => createAdapter(parts.store, kind, adapterTraits(parts, kind)),
    jwks: { keys: [parts.keys.privateJwk, parts.keys.encryptionJwk] },
    clients: registrations,
    // oidc-provider 9 takes a secret by either method, whichever of the two a client is registered with.
    clientAuthMethods: AUTH_METHODS,
    routes: PATHS,
    cookies: cookieOptions(parts.issuer),
    interactions: {
      policy: policy(),
      url: (_ctx: Context, { uid }: { uid: string }) => loginUrl(parts.issuer, uid),
    },
    scopes: SCOPES,
    acrValues: ACR_VALUES,
    claims: { openid: ['sub', 'auth_time', 'acr'], profile: ['preferred_username', 'name'] },
    conformIdTokenClaims: false,
    responseTypes: RESPONSE_TYPES,
    allowOmittingSingleRegisteredRedirectUri: false,
    enabledJWA: enabledAlgorithms(),
    features: features(parts),
  };
}

/** Which tokens are issued, to whom, and for how long. */
function configureIssuance(parts: SandboxParts, rotateRefreshTokens: boolean): Payload {
  return {
    // An assertion brings no refresh token: a client that has one can make another.
    issueRefreshToken: (ctx: RouteContext, client: Client) =>
      client.grantTypeAllowed('refresh_token') && ctx.oidc.params.grant_type !== JWT_BEARER_GRANT.grantType,
    rotateRefreshToken: rotateRefreshTokens,
    expiresWithSession: () => false,
    clientBasedCORS: () => false,
    findAccount: async (_ctx: Context, accountId: string) => parts.accounts.byId(accountId),
    renderError: async (ctx: RouteContext, body: Payload) => {
      if (PAGE_ROUTES.includes(ctx.oidc.route)) {
        sendRefusal(ctx, body);
      } else {
        ctx.body = body;
      }
    },
    ttl: {
      AccessToken: ACCESS_TOKEN,
      AuthorizationCode: CODE,
      ClientCredentials: ACCESS_TOKEN,
      DeviceCode: parts.expiresIn,
      IdToken: ACCESS_TOKEN,
      Interaction: IDLE_SESSION,
      RefreshToken: REFRESH_TOKEN,
      Session: IDLE_SESSION,
      Grant: LONGEST_SESSION + parts.expiresIn,
      BackchannelAuthenticationRequest: parts.expiresIn,
    },
  };
}

function installMiddleware(provider: Provider, parts: SandboxParts): void {
  provider.use(async (ctx, next) => {
    await next();
    finish(parts, ctx);
  });
  provider.use(protectPages);
  provider.use(guardDevicePages(provider));
  provider.use(loginPage(provider, parts));
  // oidc-provider hides why a grant is invalid; the sandbox reports it.
  provider.on('grant.error', (ctx, error) => {
    const { body } = ctx as Context;
    const { error: code, error_detail: why } = error as { error?: string; error_detail?: string };
    if (code === 'invalid_grant' && why !== undefined) {
      (ctx as Context).body = { ...(body as Payload), error_description: `grant request is invalid: ${why}` };
    }
  });
  // Without a listener Koa prints what went wrong; the client is told with a 500 all the same.
  provider.on('error', () => {});
}

function features(parts: SandboxParts): Payload {
  const isOwnOrMeant = (_ctx: Context, asking: Client, token: { clientId: string; aud?: string }) =>
    asking.clientId === token.clientId || asking.clientId === token.aud;
  return {
    ciba: cibaFeature(parts),
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: deviceFlowFeature(parts),
    devInteractions: { enabled: false },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    encryption: { enabled: true },
    // The audience of an access token is its client or who it is for, and Keycloak 26 tells nobody else that it is active.
    introspection: { enabled: true, allowedPolicy: isOwnOrMeant },
    jwtResponseModes: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: { enabled: true, assertJwtClaimsAndHeader: refuseSignedCiba },
    resourceIndicators: resourceIndicatorsFeature(parts),
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx: Context, asking: Client, token: { clientId: string }) =>
        asking.clientId === token.clientId,
    },
    richAuthorizationRequests: authorizationDetailsFeature(),
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: true },
  };
}

function enabledAlgorithms(): Payload {
  const signing = [...HMAC_ALGS, ...ASYMMETRIC_ALGS];
  const encryption = ['A128GCM', 'A256GCM', 'A128CBC-HS256', 'A256CBC-HS512'];
  return {
    clientAuthSigningAlgValues: signing,
    idTokenSigningAlgValues: ['RS256'],
    requestObjectSigningAlgValues: signing,
    requestObjectEncryptionAlgValues: [
      ...['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'],
      ...['A128KW', 'A256KW', 'dir'],
    ],
    requestObjectEncryptionEncValues: encryption,
    authorizationSigningAlgValues: ['RS256'],
    authorizationEncryptionAlgValues: CLIENT_ENCRYPTION_ALGS,
    authorizationEncryptionEncValues: encryption,
    dPoPSigningAlgValues: ASYMMETRIC_ALGS,
  };
}

/** Cookies know no ports: with the port in their names, those of one sandbox do not push out another's. */
function cookieOptions(issuer: string): Payload {
  const { port } = new URL(issuer);
  return {
    names: {
      session: `sandbox_session_${port}`,
      interaction: `sandbox_interaction_${port}`,
      resume: `sandbox_resume_${port}`,
    },
    long: { httpOnly: true, sameSite: 'lax', path: REALM_PATH },
    short: { httpOnly: true, sameSite: 'lax' },
  };
}

/** oidc-provider's prompts, but for the one that would ask native clients' users again each time. */
function policy() {
  const prompts = interactionPolicy();
  prompts.get('consent').checks.remove('native_client_prompt');
  return prompts;
}

async function refuseSignedCiba(ctx: RouteContext): Promise<void> {
  if (ctx.oidc.route === 'backchannel_authentication') {
    throw new SandboxRefusal(400, 'invalid_request', 'signed authentication requests are not supported');
  }
}

/** Lets access tokens leave oidc-provider as JWTs, from whichever endpoint. */
function issueAsJwt({ prototype }: ModelClass<Token>, accessTokens: AccessTokens): void {
  const { getValueAndPayload } = prototype;
  prototype.getValueAndPayload = async function signed(this: Token) {
    const { payload } = await getValueAndPayload.call(this);
    return { payload, value: await accessTokens.sign(payload as unknown as StoredAccessToken) };
  };
}

const protectPages: Middleware = async (ctx, next) => {
  if (`${ctx.path}/`.startsWith(`${PATHS.authorization}/`)) {
    ctx.set('content-security-policy', SELF_SENDING_FORM_POLICY);
  }
  await next();
};

function adapterTraits(parts: SandboxParts, kind: string) {
  switch (kind) {
    case 'AccessToken':
    case 'ClientCredentials':
      return { identify: (value: string) => parts.accessTokens.identify(value) };
    case AUTHENTICATION_REQUEST:
    case 'DeviceCode':
      return { grace: parts.interval + EXPIRED_GRACE };
    default:
      return {};
  }
}

/** Brings an answer of oidc-provider into the shape that Keycloak gives it. */
function finish(parts: SandboxParts, ctx: Context): void {
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
  } else if (oidc.route === 'device_authorization' && parts.interval > 0) {
    ctx.body = { ...(ctx.body as Payload), interval: parts.interval };
  } else if (oidc.route === 'token' && oidc.params.grant_type !== CIBA_GRANT.grantType) {
    const { RefreshToken: refreshToken } = oidc.entities;
    ctx.body = {
      ...(ctx.body as Payload),
      ...(refreshToken === undefined ? {} : { refresh_expires_in: refreshToken.remainingTTL }),
    };
  }
}

/** An introspection answer with the claims that the JWT has and the stored token has not. */
function complete(parts: SandboxParts, body: Payload): Payload {
  if (body.active !== true || body.token_type === undefined) {
    return body;
  }
  const { client_id: clientId, sub, aud } = body;
  const username = typeof sub === 'string' ? parts.accounts.byId(sub)?.username : undefined;
  return {
    ...body,
    sub: sub ?? clientId,
    aud: aud ?? clientId,
    azp: clientId,
    ...(username === undefined ? {} : { username }),
  };
}

/**
 * The metadata without what is not served: signed authentication requests, encrypted ID tokens and the claim `sid`.
 *
 * @see RFC 8414 §2
 */
function describe(metadata: Payload): Payload {
  const {
    backchannel_authentication_request_signing_alg_values_supported: _signed,
    claims_supported: claims,
    id_token_encryption_alg_values_supported: _algs,
    id_token_encryption_enc_values_supported: _encs,
    ...served
  } = metadata;
  const methods = AUTH_METHODS.filter((method) => method !== 'none');
  return {
    ...served,
    claims_supported: (claims as string[]).filter((claim) => claim !== 'sid'),
    backchannel_user_code_parameter_supported: false,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
  };
}
