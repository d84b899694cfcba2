import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import {
  type Acknowledgement,
  type AuthenticationRequest,
  buildAuthenticationRequest,
  DEFAULT_INTERVAL,
  parseAcknowledgement,
} from '../../protocol/ciba/ciba.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { postForm, type Target } from '../server/target.ts';
import { describeRequest } from '../token/kept-tokens.ts';

export type CibaRequestEvent =
  | {
      readonly type: 'authentication_request';
      readonly url: string;
      readonly request: AuthenticationRequest;
      readonly target: Target;
    }
  | {
      readonly type: 'acknowledged';
      readonly acknowledgement: Acknowledgement;
      readonly interval: number;
      /** Seconds that were asked for, where the server granted others. */
      readonly expiryNotGranted?: number | undefined;
      readonly ms: number;
    };

export interface CibaRequestOptions {
  readonly target: Target;
  readonly request: AuthenticationRequest;
  /** Seconds; the person's own, in place of the server's. */
  readonly interval?: number | undefined;
  /** Errors that mean "still pending" at this server; they are kept for `poll`. */
  readonly pendingErrors?: readonly string[] | undefined;
}

/** An acknowledged request, and what a poll for it has to keep to. Times in milliseconds since the epoch. */
export interface AcknowledgedRequest {
  readonly acknowledgement: Acknowledgement;
  /** Seconds between polls. */
  readonly interval: number;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly firstPollAt: number;
}

/**
 * CIBA's steps 1 and 2: the authentication request and its acknowledgement. The pending request is kept for `poll`.
 * @throws UsageError for the hints; RefusedError; ValidationError `acknowledgement_invalid`; NetworkError
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.7
 */
export async function requestAuthentication(
  ctx: Context,
  options: CibaRequestOptions,
  onEvent: (event: CibaRequestEvent) => void,
): Promise<AcknowledgedRequest> {
  const { target, request } = options;
  const parameters = buildAuthenticationRequest(request);
  const url = requireEndpoint(target.metadata, 'backchannel_authentication_endpoint');
  onEvent({ type: 'authentication_request', url, request, target });
  const requestedAt = ctx.clock.now();
  const answer = await postForm(ctx, target, { url, endpoint: 'backchannel_authentication', parameters });
  const classified = classifyAnswer(answer, 'backchannel_authentication');
  if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
  if (classified.kind === 'foreign') throw buildForeignAnswer(classified.reason, url);
  ctx.redactor.knowMembers(classified.json);

  const acknowledgement = parseAcknowledgement(classified.json, { intervalOverride: options.interval });
  const interval = options.interval ?? acknowledgement.interval ?? DEFAULT_INTERVAL;
  const answeredAt = ctx.clock.now();
  const acknowledged: AcknowledgedRequest = {
    acknowledgement,
    interval,
    requestedAt,
    expiresAt: answeredAt + acknowledgement.expires_in * 1000,
    firstPollAt: answeredAt + interval * 1000,
  };
  if (target.owner !== undefined) {
    await (await ctx.store()).pending.add({
      auth_req_id: acknowledgement.auth_req_id,
      owner: target.owner,
      issuer: target.metadata.issuer,
      client_id: target.client.client_id,
      scope: request.scope ?? 'openid',
      asked: describeRequest(
        REQUESTS.backchannel_authentication,
        { ...request, scope: request.scope ?? 'openid' },
        target,
      ),
      requested_at: requestedAt,
      expires_at: acknowledged.expiresAt,
      expires_in: acknowledgement.expires_in,
      interval,
      next_poll_at: acknowledged.firstPollAt,
      polls: 0,
      ...(options.pendingErrors && { pending_errors: options.pendingErrors }),
    });
  }
  const expiry = Number(
    target.extraParameters.findLast(([name]) => name === 'requested_expiry')?.[1] ?? request.requested_expiry,
  );
  const isGranted = Number.isNaN(expiry) || expiry === acknowledgement.expires_in;
  const expiryNotGranted = isGranted ? undefined : expiry;
  onEvent({ type: 'acknowledged', acknowledgement, interval, expiryNotGranted, ms: answer.ms });
  return acknowledged;
}
