import type { Context } from '../../context.ts';
import { type OauthctlError, RefusedError } from '../../errors.ts';
import {
  buildCallbackUrl,
  buildIssuerCallbackUrl,
  CALLBACK_STATUS,
  type CallbackStatus,
  readBearer,
} from '../../protocol/ciba/keycloak-ciba.ts';
import { requireEndpoint, type ServerMetadata } from '../../protocol/oauth/metadata.ts';
import type { AuthenticationDeviceServer, ReceivedDelegation } from '../../servers/authentication-device.ts';
import type { ListenAddress } from '../../servers/listen-address.ts';
import { BearerTrust } from './bearer-trust.ts';
import { type CibaCallbackEvent, sendResult } from './callback.ts';

/** How the device handles a delegation. */
export type DeviceRule = 'ask' | 'approve' | 'deny' | 'cancel' | 'ignore' | 'hold';

export type Decision = Exclude<DeviceRule, 'ask'>;

/** The delegation as it is shown to the user. */
export interface DelegationSummary {
  /** Counts from 1. */
  readonly number: number;
  readonly user: string | undefined;
  readonly client: string | undefined;
  readonly scope: string | undefined;
  readonly bindingMessage: string | undefined;
  readonly acrValues: string | undefined;
  readonly consentRequired: boolean | undefined;
  /** How many other delegations wait for a decision. */
  readonly waiting: number;
}

export type CibaDeviceEvent =
  | { readonly type: 'device_listening'; readonly url: string; readonly rule: DeviceRule }
  | { readonly type: 'delegated'; readonly url: string; readonly summary: DelegationSummary }
  | { readonly type: 'delegation_answered'; readonly status: number; readonly number: number }
  | { readonly type: 'delegation_refused'; readonly reason: string; readonly status: number }
  | {
      readonly type: 'decided';
      readonly decision: Decision;
      readonly number: number;
      readonly user: string | undefined;
    }
  | { readonly type: 'result_too_early'; readonly number: number }
  | { readonly type: 'result_failed'; readonly error: OauthctlError; readonly number: number }
  | CibaCallbackEvent;

export interface CibaDeviceOptions {
  readonly listen: ListenAddress;
  /** The issuer whose delegations are accepted; undefined accepts those of any issuer, unverified. */
  readonly metadata: ServerMetadata | undefined;
  readonly rule: DeviceRule;
  /** Milliseconds before the rule is applied. */
  readonly afterMs?: number | undefined;
  /** What the rule waits for as well: the acknowledgement, or the first `authorization_pending`. */
  readonly after?: Promise<unknown> | undefined;
  /** What a delegation is answered with, when it is not 201; nothing is decided then. */
  readonly respond?: number | undefined;
  /** End after so many delegations. */
  readonly count?: number | undefined;
  /** Asks the user; required for the rule `ask`. */
  readonly ask?: ((summary: DelegationSummary, signal: AbortSignal) => Promise<Decision>) | undefined;
  /** Called once the device listens, with the actual port. */
  readonly onListening?: ((url: string) => void) | undefined;
  /** Ends the device. */
  readonly signal?: AbortSignal | undefined;
}

export interface CibaDeviceResult {
  readonly delegations: number;
  readonly results: Readonly<Partial<Record<CallbackStatus, number>>>;
  readonly failures: readonly OauthctlError[];
}

/** Milliseconds; Keycloak stores a request only after the device has answered, and refuses an earlier result. */
const SETTLE_MS = 300;
/** Milliseconds after the 201 within which a refused result counts as too early. */
const TOO_EARLY_MS = 2_000;
const TOO_EARLY_RETRY_MS = 1_000;
const STATUS_OF: Partial<Record<Decision, CallbackStatus>> = {
  approve: CALLBACK_STATUS.succeed,
  deny: CALLBACK_STATUS.unauthorized,
  cancel: CALLBACK_STATUS.cancelled,
};

/**
 * Steps 3, 4, 7 and 8 of CIBA: acts as the authentication device until `count` delegations are done or the signal aborts.
 * A failed result does not end it; failures are in the result.
 * @throws UsageError when it cannot listen; the signal's reason when interrupted
 * @see https://www.keycloak.org/docs/latest/server_admin/#_client_initiated_backchannel_authentication_grant
 */
export async function runDevice(
  ctx: Context,
  options: CibaDeviceOptions,
  onEvent: (event: CibaDeviceEvent) => void,
): Promise<CibaDeviceResult> {
  const device = new Device(ctx, options, onEvent);
  return device.run();
}

class Device {
  readonly #ctx: Context;
  readonly #options: CibaDeviceOptions;
  readonly #onEvent: (event: CibaDeviceEvent) => void;
  readonly #signal: AbortSignal;
  readonly #results: Partial<Record<CallbackStatus, number>> = {};
  readonly #failures: OauthctlError[] = [];
  readonly #trust: BearerTrust;
  readonly #numbers = new Map<string, number>();
  /** By bearer: when our answer to the delegation left. */
  readonly #answeredAt = new Map<string, number>();
  #received = 0;
  #done = 0;
  #waiting = 0;
  #asking: Promise<unknown> = Promise.resolve();
  #finish: () => void = () => {};
  #fail: (reason: unknown) => void = () => {};

  constructor(ctx: Context, options: CibaDeviceOptions, onEvent: (event: CibaDeviceEvent) => void) {
    this.#ctx = ctx;
    this.#options = options;
    this.#onEvent = onEvent;
    this.#trust = new BearerTrust(ctx, options.metadata);
    this.#signal = options.signal ? AbortSignal.any([ctx.signal, options.signal]) : ctx.signal;
  }

  async run(): Promise<CibaDeviceResult> {
    this.#signal.throwIfAborted();
    const ended = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    ended.catch(() => {});
    const server = await this.#listen();
    const onAbort = () => (this.#ctx.signal.aborted ? this.#fail(this.#ctx.signal.reason) : this.#finish());
    this.#signal.addEventListener('abort', onAbort, { once: true });
    // It may have been aborted while the listener was opened.
    if (this.#signal.aborted) onAbort();
    try {
      this.#onEvent({ type: 'device_listening', url: server.url, rule: this.#options.rule });
      this.#options.onListening?.(server.url);
      await ended;
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      await server.close();
    }
    return { delegations: this.#done, results: this.#results, failures: this.#failures };
  }

  async #listen(): Promise<AuthenticationDeviceServer> {
    const servers = await this.#ctx.servers();
    return servers.authenticationDevice({
      listen: this.#options.listen,
      status: this.#options.respond ?? 201,
      checkBearer: (bearer) => this.#trust.check(bearer),
      onReceived: (delegation) => {
        this.#ctx.redactor.know(delegation.bearer);
        this.#received += 1;
        this.#waiting += 1;
        this.#numbers.set(delegation.bearer, this.#received);
        this.#onEvent({
          type: 'delegated',
          url: this.#options.listen.path,
          summary: this.#summary(delegation),
        });
      },
      onAnswered: (delegation) => {
        this.#answeredAt.set(delegation.bearer, this.#ctx.clock.now());
        this.#onEvent({
          type: 'delegation_answered',
          status: delegation.status,
          number: this.#findNumber(delegation),
        });
        this.#handle(delegation).catch((error) => this.#fail(error));
      },
      onRefused: (reason, status) => this.#onEvent({ type: 'delegation_refused', reason, status }),
      onError: (error) => this.#fail(error),
    });
  }

  #findNumber(delegation: ReceivedDelegation): number {
    return this.#numbers.get(delegation.bearer) ?? 0;
  }

  #summary(delegation: ReceivedDelegation): DelegationSummary {
    const claims = readBearer(delegation.bearer);
    return {
      number: this.#findNumber(delegation),
      user: delegation.login_hint ?? claims?.sub,
      client: claims?.azp,
      scope: delegation.scope,
      bindingMessage: delegation.binding_message,
      acrValues: delegation.acr_values,
      consentRequired: delegation.is_consent_required,
      waiting: this.#waiting - 1,
    };
  }

  async #handle(delegation: ReceivedDelegation): Promise<void> {
    const number = this.#findNumber(delegation);
    if (delegation.status === 201) {
      const decision = await this.#decide(delegation);
      // Whoever hears of it may act on it at once, so what is to be held is held before.
      if (decision === 'hold') await this.#hold(delegation);
      this.#onEvent({ type: 'decided', decision, number, user: delegation.login_hint });
      await this.#sendResult(decision, delegation, number);
    } else {
      this.#waiting -= 1;
    }
    this.#numbers.delete(delegation.bearer);
    this.#answeredAt.delete(delegation.bearer);
    this.#done += 1;
    if (this.#options.count !== undefined && this.#done >= this.#options.count) this.#finish();
  }

  async #decide(delegation: ReceivedDelegation): Promise<Decision> {
    const { rule, ask, after, afterMs } = this.#options;
    if (rule !== 'ask') {
      await after;
      await this.#ctx.clock.sleep(afterMs ?? (after === undefined ? SETTLE_MS : 0), this.#signal);
      this.#waiting -= 1;
      return rule;
    }
    if (ask === undefined) throw new Error('the rule "ask" without a way to ask');
    // One question at a time, in the order of arrival.
    const answer = this.#asking
      .then(() => ask(this.#summary(delegation), this.#signal))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#asking = answer.catch(() => {});
    const decision = await answer;
    await after;
    return decision;
  }

  async #hold(delegation: ReceivedDelegation): Promise<void> {
    await (await this.#ctx.store()).pending.hold({
      bearer: delegation.bearer,
      callback_url: this.#buildCallbackUrl(delegation),
      ...(delegation.login_hint !== undefined && { login_hint: delegation.login_hint }),
      ...(delegation.binding_message !== undefined && { binding_message: delegation.binding_message }),
      received_at: this.#ctx.clock.now(),
    });
  }

  async #sendResult(decision: Decision, delegation: ReceivedDelegation, number: number): Promise<void> {
    const status = STATUS_OF[decision];
    if (status === undefined) return;
    const url = this.#buildCallbackUrl(delegation);
    const answeredAt = this.#answeredAt.get(delegation.bearer) ?? 0;
    const send = () => sendResult(this.#ctx, { url, bearer: delegation.bearer, status }, this.#onEvent);
    try {
      await send().catch(async (error: unknown) => {
        const tooEarly = this.#ctx.clock.now() - answeredAt < TOO_EARLY_MS;
        if (!tooEarly || !(error instanceof RefusedError) || error.oauth.status !== 403) throw error;
        // A first result that is refused was not taken, so a second one destroys nothing.
        this.#onEvent({ type: 'result_too_early', number });
        await this.#ctx.clock.sleep(TOO_EARLY_RETRY_MS, this.#signal);
        await send();
      });
      this.#results[status] = (this.#results[status] ?? 0) + 1;
    } catch (error) {
      this.#signal.throwIfAborted();
      const failure = error as OauthctlError;
      if (typeof failure?.exitCode !== 'number') throw error;
      this.#failures.push(failure);
      this.#onEvent({ type: 'result_failed', error: failure, number });
    }
  }

  #buildCallbackUrl(delegation: ReceivedDelegation): string {
    const { metadata } = this.#options;
    if (metadata) return buildCallbackUrl(requireEndpoint(metadata, 'backchannel_authentication_endpoint'));
    return buildIssuerCallbackUrl(readBearer(delegation.bearer)?.iss ?? '');
  }
}
