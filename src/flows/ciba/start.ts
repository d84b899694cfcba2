import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import type { AuthenticationRequest } from '../../protocol/ciba/ciba.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import type { Target } from '../server/target.ts';
import { describeRequest } from '../token/kept-tokens.ts';
import { DelegationRecord } from './delegation-record.ts';
import { type CibaDeviceEvent, type CibaDeviceOptions, runDevice } from './device.ts';
import { type CibaPollEvent, type CibaTokens, pollCiba } from './poll.ts';
import { type AcknowledgedRequest, type CibaRequestEvent, requestAuthentication } from './request.ts';

export type CibaStartEvent = CibaRequestEvent | CibaDeviceEvent | CibaPollEvent;

/** The authentication device in the same process. */
export interface OwnDevice extends Omit<CibaDeviceOptions, 'after' | 'count' | 'signal'> {
  /** The moment from which `afterMs` counts: the acknowledgement, or the first `authorization_pending`. */
  readonly after: 'acknowledged' | 'pending';
}

export interface CibaStartOptions {
  readonly target: Target;
  readonly request: AuthenticationRequest;
  /** Seconds. */
  readonly interval?: number | undefined;
  /** Milliseconds for the whole flow. */
  readonly deadlineMs?: number | undefined;
  readonly pendingErrors?: readonly string[] | undefined;
  readonly device?: OwnDevice | undefined;
}

/**
 * Runs all ten steps of CIBA in poll mode, from the authentication request to validated tokens; with `device`, those of
 * the authentication device as well.
 * @throws as requestAuthentication, runDevice and pollCiba
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html
 */
export async function startCiba(
  ctx: Context,
  options: CibaStartOptions,
  onEvent: (event: CibaStartEvent) => void,
): Promise<CibaTokens> {
  const record = options.device && new DelegationRecord();
  const recordAndEmit = (event: CibaStartEvent) => {
    record?.record(event);
    onEvent(event);
  };
  const deadlineAt = options.deadlineMs === undefined ? undefined : ctx.clock.now() + options.deadlineMs;
  const acknowledged = latch();
  const pending = latch();
  const resultSent = latch();
  const end = new AbortController();
  // When the device fails, the client stops polling.
  const client: Context = { ...ctx, signal: AbortSignal.any([ctx.signal, end.signal]) };
  const device =
    options.device &&
    startDevice(ctx, options.device, { acknowledged, pending, resultSent, end }, recordAndEmit);
  try {
    await device?.listening;
    const request = await Promise.race([
      requestAuthentication(client, options, recordAndEmit),
      ...(device ? [device.failed] : []),
    ]);
    acknowledged.open();
    const polled = pollFor(client, options, { request, deadlineAt, record, resultSent }, (event) => {
      recordAndEmit(event);
      if (event.type === 'polled') pending.open();
    });
    return await Promise.race([polled, ...(device ? [device.failed] : [])]);
  } catch (error) {
    throw record === undefined || record.wasCalled ? error : withUncalledDevice(error);
  } finally {
    end.abort();
    await device?.ended;
  }
}

/** Polls for the tokens of an acknowledged request. */
function pollFor(
  ctx: Context,
  { target, request: { scope = 'openid', ...request }, pendingErrors }: CibaStartOptions,
  known: {
    readonly request: AcknowledgedRequest;
    readonly deadlineAt: number | undefined;
    readonly record: DelegationRecord | undefined;
    readonly resultSent: Latch;
  },
  onEvent: (event: CibaPollEvent) => void,
): Promise<CibaTokens> {
  const { record } = known;
  const { acknowledgement, interval, firstPollAt, requestedAt, expiresAt } = known.request;
  return pollCiba(
    ctx,
    {
      // The user's own parameters apply to the authentication request only.
      target: { ...target, extraParameters: [], omittedParameters: [] },
      requestedBy: target,
      authReqId: acknowledgement.auth_req_id,
      interval,
      firstPollAt,
      requestedAt,
      expiresAt,
      lifetimeSeconds: acknowledgement.expires_in,
      deadlineAt: known.deadlineAt,
      describeSituation: record && (() => record.describe()),
      mayBePending: record && (() => !record.hasResult),
      wake: record && known.resultSent.opened,
      pendingErrors,
      expectIdToken: scope.split(' ').includes('openid'),
      asked: describeRequest(REQUESTS.backchannel_authentication, { ...request, scope }, target),
    },
    onEvent,
  );
}

/** A server that fails at the authentication request may have failed to reach the device. */
function withUncalledDevice(error: unknown): unknown {
  const isOfServer =
    error instanceof RefusedError &&
    error.oauth.endpoint === 'backchannel_authentication' &&
    (error.oauth.status ?? 0) >= 500;
  if (!isOfServer) return error;
  return new RefusedError(error.oauth, { furtherHint: 'The device was never called.' });
}

interface Gates {
  readonly acknowledged: Latch;
  readonly pending: Latch;
  readonly resultSent: Latch;
  readonly end: AbortController;
}

function startDevice(
  ctx: Context,
  device: OwnDevice,
  gates: Gates,
  onEvent: (event: CibaStartEvent) => void,
): { listening: Promise<unknown>; failed: Promise<never>; ended: Promise<unknown> } {
  const listening = latch();
  const running = runDevice(
    ctx,
    {
      ...device,
      after: gates[device.after].opened,
      signal: gates.end.signal,
      onListening: (url) => {
        device.onListening?.(url);
        listening.open();
      },
    },
    (event) => {
      onEvent(event);
      if (event.type === 'result_accepted') gates.resultSent.open();
    },
  );
  // Without a failure the device runs until it is aborted.
  const failed = new Promise<never>((_resolve, reject) => {
    running.catch(reject);
  });
  failed.catch(() => {});
  return { listening: Promise.race([listening.opened, failed]), failed, ended: running.catch(() => {}) };
}

interface Latch {
  readonly opened: Promise<void>;
  open(): void;
}

function latch(): Latch {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
