import type { Context } from '../../context.ts';
import { NetworkError, RefusedError } from '../../errors.ts';
import { DEVICE_GRANT } from '../../protocol/definitions/grants/device.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import {
  buildDeviceAuthorizationRequest,
  DEFAULT_DEVICE_INTERVAL,
  type DeviceAuthorization,
  type DeviceAuthorizationRequest,
  parseDeviceAuthorization,
} from '../../protocol/oauth/device-authorization.ts';
import type { ScopeNotGrantedEvent } from '../../protocol/oauth/granted-scope.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { isKeycloakUrl } from '../../protocol/oauth/server-product.ts';
import { buildTokenRequest } from '../../protocol/oauth/token.ts';
import type { VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import { type PollEvent, pollForTokens } from '../polling/poll.ts';
import { postForm, type Target } from '../server/target.ts';
import { describeRequest } from './kept-tokens.ts';
import { checkDpopBinding, emitScopeNotGranted, keepTokens, verifyIssuedIdToken } from './received-tokens.ts';
import type { GrantedTokens } from './token.ts';

export type DeviceAuthorizationEvent =
  | {
      readonly type: 'device_authorization_request';
      readonly url: string;
      readonly request: DeviceAuthorizationRequest;
      readonly target: Target;
    }
  /** The user code is masked everywhere after this event: the listener shows it. */
  | {
      readonly type: 'device_authorization';
      readonly authorization: DeviceAuthorization;
      /** Seconds between polls. */
      readonly interval: number;
      readonly ms: number;
    }
  | PollEvent
  | ScopeNotGrantedEvent
  | { readonly type: 'id_token_verified'; readonly idToken: VerifiedIdToken }
  | { readonly type: 'id_token_missing' };

export interface DeviceAuthorizationOptions {
  readonly target: Target;
  readonly request: DeviceAuthorizationRequest;
  /** Seconds; the person's own, in place of the server's. */
  readonly interval?: number | undefined;
  /** Milliseconds for the whole flow. */
  readonly deadlineMs?: number | undefined;
}

/**
 * The device authorization grant: asks for a user code, has it shown, and polls until the person has decided.
 * @throws as pollForTokens; ValidationError `device_authorization_invalid`, `id_token_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3
 */
export async function authorizeDevice(
  ctx: Context,
  options: DeviceAuthorizationOptions,
  onEvent: (event: DeviceAuthorizationEvent) => void,
): Promise<GrantedTokens> {
  const { target, request } = options;
  const url = requireEndpoint(target.metadata, 'device_authorization_endpoint');
  const tokenEndpoint = requireEndpoint(target.metadata, 'token_endpoint');
  onEvent({ type: 'device_authorization_request', url, request, target });
  const requestedAt = ctx.clock.now();
  const answer = await postForm(ctx, target, {
    url,
    endpoint: 'device_authorization',
    parameters: buildDeviceAuthorizationRequest(request),
  });
  const classified = classifyAnswer(answer, 'device_authorization');
  if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
  if (classified.kind === 'foreign') throw pageInstead(classified.reason, url, answer.status);
  const authorization = parseDeviceAuthorization(classified.json, { intervalOverride: options.interval });
  const { device_code, user_code, verification_uri_complete, expires_in } = authorization;
  const interval = options.interval ?? authorization.interval ?? DEFAULT_DEVICE_INTERVAL;
  const answeredAt = ctx.clock.now();
  ctx.redactor.know(device_code);
  onEvent({ type: 'device_authorization', authorization, interval, ms: answer.ms });
  ctx.redactor.know(user_code, verification_uri_complete);

  // --param and --omit are meant for the device authorization request.
  const polling: Target = { ...target, extraParameters: [], omittedParameters: [] };
  const parameters = buildTokenRequest(DEVICE_GRANT.grantType, { device_code });
  const tokens = await pollForTokens(
    ctx,
    {
      tokenEndpoint,
      send: (timeoutMs, signal) =>
        postForm(ctx, polling, { url: tokenEndpoint, endpoint: 'token', parameters, timeoutMs, signal }),
      intervalSeconds: interval,
      firstAt: answeredAt + interval * 1000,
      expiresAt: answeredAt + expires_in * 1000,
      mayExpireAt: requestedAt + expires_in * 1000,
      lifetimeSeconds: expires_in,
      deadlineAt: options.deadlineMs === undefined ? undefined : requestedAt + options.deadlineMs,
    },
    onEvent,
  );
  const receivedAt = ctx.clock.now();
  ctx.redactor.knowMembers(tokens.json);
  emitScopeNotGranted(target, request.scope, tokens, onEvent);
  checkDpopBinding(target, tokens);
  const idToken = await verifyIssuedIdToken(ctx, target, tokens, requestedAt);
  const asked = describeRequest(REQUESTS.device_authorization, { scope: request.scope }, target);
  await keepTokens(ctx, target, DEVICE_GRANT.grantType, tokens, { asked, receivedAt });
  if (idToken) onEvent({ type: 'id_token_verified', idToken });
  else if (request.scope?.split(' ').includes('openid')) onEvent({ type: 'id_token_missing' });
  return { tokens, idToken };
}

/** Keycloak 14 refuses with an HTML page, not with an OAuth error. */
function pageInstead(reason: string, url: string, status: number): NetworkError {
  const error = buildForeignAnswer(reason, url);
  if (status !== 400 || !isKeycloakUrl(url)) return error;
  return new NetworkError(error.code, error.message, {
    hint: 'Keycloak 14 sends this page when the grant is disabled for the client: switch on "OAuth 2.0 Device Authorization Grant" (oauth2.device.authorization.grant.enabled). -v shows what the page says.',
  });
}
