import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { Provider, RouteContext, Token } from 'oidc-provider/lib/provider.js';
import { EXCHANGE_GRANT } from '../protocol/definitions/grants/exchange.ts';
import type { GrantDefinition } from '../protocol/definitions/grants/grant.ts';
import { JWT_BEARER_GRANT } from '../protocol/definitions/grants/jwt-bearer.ts';
import { PASSWORD_GRANT } from '../protocol/definitions/grants/password.ts';
import { issueByDecision, saveGrant } from './grant-source.ts';
import { ASYMMETRIC_ALGS, type SandboxParts } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

/** The `iss` that assertions for the JWT bearer grant have to come from. */
export const ASSERTION_ISSUER = 'sandbox-issuer';

const TYPE = 'urn:ietf:params:oauth:token-type:';

/** A grant that the sandbox has and oidc-provider has not. */
interface OwnGrant {
  readonly grant: GrantDefinition;
  /** Answers a token request. */
  readonly take: (provider: Provider, parts: SandboxParts, ctx: RouteContext) => Promise<void>;
  /** Parameters that are taken beside those of the definition. */
  readonly others: readonly string[];
}

const OTHERS = ['resource', 'authorization_details'];

export const OWN_GRANTS: readonly OwnGrant[] = [
  { grant: PASSWORD_GRANT, take: takePassword, others: OTHERS },
  { grant: JWT_BEARER_GRANT, take: takeAssertion, others: OTHERS },
  { grant: EXCHANGE_GRANT, take: exchange, others: [] },
];

/** Registers the grants that oidc-provider has not. */
export function registerOwnGrants(provider: Provider, parts: SandboxParts): void {
  for (const { grant, take, others } of OWN_GRANTS) {
    provider.registerGrantType(
      grant.grantType,
      (ctx) => take(provider, parts, ctx),
      [...Object.keys(grant.parameters), ...others],
      // These may be repeated.
      others.filter((name) => name === 'resource'),
    );
  }
}

/** @see RFC 6749 §4.3 */
async function takePassword(provider: Provider, parts: SandboxParts, ctx: RouteContext): Promise<void> {
  const username = required(ctx, 'username');
  const user = parts.accounts.authenticate(username, ctx.oidc.params.password ?? '');
  if (user === undefined) {
    throw new SandboxRefusal(401, 'invalid_grant', 'Invalid user credentials');
  }
  await issueByDecision(provider, ctx, { accountId: user.accountId, gty: 'password', isLogin: true });
}

/** @see RFC 7523 §2.1, §3 */
async function takeAssertion(provider: Provider, parts: SandboxParts, ctx: RouteContext): Promise<void> {
  const { sub = '', jti, exp = 0 } = await verifyAssertion(parts, ctx, required(ctx, 'assertion'));
  const user = parts.accounts.byName(sub) ?? parts.accounts.byId(sub);
  if (user === undefined) {
    throw new SandboxRefusal(400, 'invalid_grant', 'the subject of the assertion is no user');
  }
  await issueByDecision(provider, ctx, {
    accountId: user.accountId,
    gty: 'jwt_bearer',
    isLogin: false,
    async useUp() {
      if (jti !== undefined && !(await provider.ReplayDetection.unique(ASSERTION_ISSUER, jti, exp))) {
        throw new SandboxRefusal(400, 'invalid_grant', 'the assertion was used before');
      }
    },
  });
}

async function verifyAssertion(
  parts: SandboxParts,
  ctx: RouteContext,
  assertion: string,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: [...parts.clientKeys] }), {
      issuer: ASSERTION_ISSUER,
      audience: [parts.issuer, ctx.oidc.urlFor('token')],
      algorithms: [...ASYMMETRIC_ALGS],
      requiredClaims: ['sub', 'exp'],
    });
    return payload;
  } catch (error) {
    const why = error instanceof errors.JOSEError ? error.message : 'it cannot be verified';
    throw new SandboxRefusal(400, 'invalid_grant', `the assertion is refused: ${why}`);
  }
}

/**
 * Exchanges an access token of a user for one of another audience or of fewer scopes.
 *
 * @see RFC 8693 §2.1, §2.2
 */
async function exchange(provider: Provider, parts: SandboxParts, ctx: RouteContext): Promise<void> {
  const { client, params } = ctx.oidc;
  const subject = await findSubject(provider, ctx);
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  await checkDpopReplay(provider, ctx, proof, client.clientId);
  const { accountId } = subject;
  const scope = narrowedScope(subject.scope, params.scope);
  const { jti: grantId } = await saveGrant(provider, { accountId, clientId: client.clientId }, { scope });
  const token = new provider.AccessToken({ client, accountId, grantId, gty: 'token_exchange', scope });
  const audience = chooseAudience(parts, ctx);
  if (audience !== undefined) token.setAudience(audience);
  if (proof !== undefined) token.setThumbprint('jkt', proof.thumbprint);
  ctx.body = buildTokenResponse(provider, {
    accessToken: await token.save(),
    issuedTokenType: `${TYPE}access_token`,
    tokenType: token.tokenType,
    expiresIn: token.expiration,
    scope,
  });
}

async function findSubject(provider: Provider, ctx: RouteContext): Promise<Token> {
  const { client, params } = ctx.oidc;
  const value = required(ctx, 'subject_token');
  if (required(ctx, 'subject_token_type') !== `${TYPE}access_token`) {
    throw new SandboxRefusal(
      400,
      'invalid_request',
      'subject_token_type is not supported; it has to be access_token',
    );
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'the sandbox knows no actor_token');
  }
  const requested = params.requested_token_type ?? `${TYPE}access_token`;
  if (requested !== `${TYPE}access_token`) {
    throw new SandboxRefusal(400, 'invalid_request', 'requested_token_type unsupported');
  }
  const token = await provider.AccessToken.find(value);
  if (token === undefined || (await provider.Grant.find(token.grantId ?? '')) === undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'Invalid token');
  }
  if ((token.aud ?? token.clientId) !== client.clientId) {
    throw new SandboxRefusal(403, 'access_denied', 'Client is not within the token audience');
  }
  return token;
}

function narrowedScope(granted = '', wished: string | undefined): string {
  if (wished === undefined) return granted;
  const names = new Set(granted.split(' '));
  if (!wished.split(' ').every((name) => names.has(name))) {
    throw new SandboxRefusal(400, 'invalid_scope', `Invalid scopes: ${wished}`);
  }
  return wished;
}

/** The one client or the one resource that the new token is for; undefined leaves it to the client that asks. */
function chooseAudience(parts: SandboxParts, ctx: RouteContext): string | undefined {
  const { audience, resource } = ctx.oidc.params;
  if (audience !== undefined && resource !== undefined) {
    throw new SandboxRefusal(
      400,
      'invalid_target',
      'the sandbox takes an audience or a resource, and not both',
    );
  }
  if (audience !== undefined && !parts.clients.some((client) => client.client_id === audience)) {
    throw new SandboxRefusal(400, 'invalid_client', 'Audience not found');
  }
  if (resource !== undefined && (!URL.canParse(resource) || resource.includes('#'))) {
    throw new SandboxRefusal(400, 'invalid_target', 'resource has to be an absolute URI without a fragment');
  }
  return audience ?? resource;
}

function required(ctx: RouteContext, name: string): string {
  const value = ctx.oidc.params[name];
  if (value === undefined) {
    throw new SandboxRefusal(400, 'invalid_request', `Missing parameter: ${name}`);
  }
  return value;
}
