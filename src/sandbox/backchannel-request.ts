import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { BackchannelRequest, Payload, RouteContext } from 'oidc-provider/lib/provider.js';
import type { Accounts } from './accounts.ts';
import type { Delivery } from './device-channel.ts';
import {
  AUTHENTICATION_REQUEST,
  DELEGATION,
  type SandboxParts,
  SCOPES,
  type StoredDelegation,
} from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

const BINDING_MESSAGE = /^[\w.+/!?#-]{1,50}$/;

const UNDELIVERED: Record<Exclude<Delivery, 'accepted'>, string> = {
  refused: 'Unexpected response from authentication device',
  unreachable: 'Failed to send authentication request',
};

/**
 * oidc-provider's CIBA feature, with Keycloak's rules for the authentication request and its delegation to the device.
 *
 * @see OpenID Connect CIBA Core 1.0 §7.1, §7.3, §13
 */
export function cibaFeature(parts: SandboxParts): Payload {
  return {
    enabled: true,
    deliveryModes: ['poll'],
    // Called for every request, with or without that parameter: all of Keycloak's checks in Keycloak's order.
    validateRequestContext: async (ctx: RouteContext) => checkRequest(ctx, parts.accounts),
    validateBindingMessage: async () => {},
    verifyUserCode: async () => {},
    processLoginHint: async (_ctx: RouteContext, hint: string) => parts.accounts.byName(hint)?.accountId,
    processLoginHintToken: async () => undefined,
    triggerAuthenticationDevice: async (ctx: RouteContext, request: BackchannelRequest) =>
      acknowledge(parts, ctx, request),
  };
}

function checkRequest(ctx: RouteContext, accounts: Accounts): void {
  const { params, body } = ctx.oidc;
  if (params.login_hint === undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'missing parameter : login_hint');
  }
  if (accounts.byName(params.login_hint) === undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'invalid_user');
  }
  // oidc-provider drops it silently in poll mode, so it is read from the unchanged form.
  if (body.client_notification_token !== undefined) {
    throw new SandboxRefusal(
      400,
      'invalid_request',
      'Client Notification token supported only for the ping mode',
    );
  }
  if (params.binding_message !== undefined && !BINDING_MESSAGE.test(params.binding_message)) {
    throw new SandboxRefusal(
      400,
      'invalid_binding_message',
      'binding_message has to be 1 to 50 characters out of A-Z a-z 0-9 - . _ + / ! ? #',
    );
  }
  if (params.user_code !== undefined) {
    throw new SandboxRefusal(400, 'invalid_request', 'User code not supported');
  }
  const scope = ctx.req.requestedScope ?? '';
  if (scope.split(' ').some((name) => name !== '' && !SCOPES.includes(name))) {
    throw new SandboxRefusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
  }
}

/** Delegates the request and, once the device has taken it, completes the acknowledgement to the client. */
async function acknowledge(
  parts: SandboxParts,
  ctx: RouteContext,
  request: BackchannelRequest,
): Promise<void> {
  // The front has added `openid` for oidc-provider; what counts from here on is what the client asked for.
  request.scope = ctx.req.requestedScope ?? '';
  await request.save();

  const jti = randomUUID();
  const {
    acr_values: acrValues,
    binding_message: bindingMessage,
    login_hint: loginHint = '',
  } = ctx.oidc.params;
  const delivery = await parts.device.deliver(await signBearer(parts, ctx, jti), {
    scope: request.scope,
    login_hint: loginHint,
    ...(bindingMessage === undefined ? {} : { binding_message: bindingMessage }),
    ...(acrValues === undefined ? {} : { acr_values: acrValues }),
    is_consent_required: false,
  });
  if (delivery !== 'accepted') {
    parts.store.take(AUTHENTICATION_REQUEST, request.jti);
    throw new SandboxRefusal(503, 'server_error', UNDELIVERED[delivery]);
  }

  // Only from now on is a result for this bearer accepted.
  const delegation: StoredDelegation = { authReqId: request.jti, answered: false };
  parts.store.put(DELEGATION, jti, delegation, parts.expiresIn);
  if (parts.interval > 0) {
    ctx.body = { ...(ctx.body as Payload), interval: parts.interval };
  }
}

function signBearer(parts: SandboxParts, ctx: RouteContext, jti: string): Promise<string> {
  return new SignJWT({ typ: 'Bearer', azp: ctx.oidc.client.clientId })
    .setProtectedHeader({ alg: 'RS256', kid: parts.keys.kid, typ: 'JWT' })
    .setIssuer(parts.issuer)
    .setAudience(parts.issuer)
    .setSubject(ctx.oidc.account.accountId)
    .setJti(jti)
    .setIssuedAt()
    .setExpirationTime(`${parts.expiresIn}s`)
    .sign(parts.keys.privateKey);
}
