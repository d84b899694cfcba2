import { type DocumentKind, isVersionOne, type JsonFile } from './json-file.ts';
import type { AskedFor } from './tokens.ts';

/** An authentication request that was acknowledged and has not ended yet. */
export interface PendingRequest {
  readonly auth_req_id: string;
  /** The profile's name, or another key if there is no profile. */
  readonly owner: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
  /** Milliseconds since the epoch, as all times here. */
  readonly requested_at: number;
  /** Absent if the id was given as an argument. */
  readonly expires_at?: number;
  /** As acknowledged, in seconds. */
  readonly expires_in?: number;
  /** Seconds between polls, increased by every `slow_down`. */
  readonly interval: number;
  /** No poll may be sent before this time. */
  readonly next_poll_at: number;
  readonly polls: number;
  /** The errors that mean "still pending" at its server, besides those of the specification. */
  readonly pending_errors?: readonly string[];
  /** What was requested, for --reuse. */
  readonly asked?: AskedFor;
  /** Set when tokens or a refusal were received: it is not polled again. */
  readonly ended?: true;
}

/** A delegation that `ciba device --hold` keeps for `ciba callback`. */
export interface HeldDelegation {
  readonly bearer: string;
  readonly callback_url: string;
  readonly login_hint?: string;
  readonly binding_message?: string;
  readonly received_at: number;
}

export interface PendingDocument {
  version: 1;
  /** Oldest first. */
  requests: PendingRequest[];
  held: HeldDelegation[];
}

/** The maximum number of requests, and of delegations, that are kept. */
const KEPT_AT_MOST = 50;

export const PENDING_DOCUMENT: DocumentKind<PendingDocument> = {
  empty: () => ({ version: 1, requests: [], held: [] }),
  isContent: isPendingDocument,
};

function isPendingDocument(value: unknown): value is PendingDocument {
  if (!isVersionOne(value)) return false;
  const { requests, held } = value as { requests?: unknown; held?: unknown };
  return (
    Array.isArray(requests) &&
    Array.isArray(held) &&
    requests.every((item) => typeof (item as PendingRequest | null)?.auth_req_id === 'string') &&
    held.every((item) => typeof (item as HeldDelegation | null)?.bearer === 'string')
  );
}

export type PollClaim =
  | { readonly granted: true; readonly pending: PendingRequest }
  | { readonly granted: false; readonly waitUntil: number };

/** Authentication requests and delegations that are kept from one run to the next. */
export class PendingStore {
  readonly #file: JsonFile<PendingDocument>;

  constructor(file: JsonFile<PendingDocument>) {
    this.#file = file;
  }

  async add(request: PendingRequest): Promise<void> {
    await this.#file.change((document) => {
      document.requests = [
        ...document.requests.filter((item) => item.auth_req_id !== request.auth_req_id),
        request,
      ].slice(-KEPT_AT_MOST);
    });
  }

  /** The last request of an owner, ended or not. */
  async last(owner: string): Promise<PendingRequest | undefined> {
    const { requests } = await this.#file.read();
    return requests.findLast((item) => item.owner === owner);
  }

  async find(authReqId: string): Promise<PendingRequest | undefined> {
    const { requests } = await this.#file.read();
    return requests.find((item) => item.auth_req_id === authReqId);
  }

  /**
   * Claims the right to send one poll, across processes: one poll at a time, and none before the interval has passed.
   * @param turn `now` in milliseconds since the epoch; `leaseMs`, how long the claim lasts if this process ends
   *   without releasing it; `early`, whether the first poll may be sent before its time
   * @returns undefined when the id is not known
   */
  async claimPoll(
    authReqId: string,
    { now, leaseMs, early }: { now: number; leaseMs: number; early: boolean },
  ): Promise<PollClaim | undefined> {
    return this.#file.change((document) => {
      const index = document.requests.findIndex((item) => item.auth_req_id === authReqId);
      const pending = document.requests[index];
      if (pending === undefined) return undefined;
      const mayCome = now >= pending.next_poll_at || (early && pending.polls === 0);
      if (!mayCome) return { granted: false, waitUntil: pending.next_poll_at };
      const claimed = { ...pending, next_poll_at: now + leaseMs, polls: pending.polls + 1 };
      document.requests[index] = claimed;
      return { granted: true, pending: claimed };
    });
  }

  /** Sets when the next poll may be sent, and the interval in seconds from now on. */
  async schedule(authReqId: string, nextPollAt: number, interval: number): Promise<void> {
    await this.#file.change((document) => {
      document.requests = document.requests.map((item) =>
        item.auth_req_id === authReqId ? { ...item, next_poll_at: nextPollAt, interval } : item,
      );
    });
  }

  /** Keeps which errors mean "still pending" for an id. */
  async keepPendingErrors(authReqId: string, errors: readonly string[]): Promise<void> {
    await this.#file.change((document) => {
      document.requests = document.requests.map((item) =>
        item.auth_req_id === authReqId ? { ...item, pending_errors: errors } : item,
      );
    });
  }

  /**
   * Marks an id as answered; it is kept, so that an older request does not become the last one. The lease of the
   * answered poll ends: a further poll has to wait for the interval only.
   * @param now milliseconds since the epoch
   */
  async end(authReqId: string, now: number): Promise<void> {
    await this.#file.change((document) => {
      document.requests = document.requests.map((item) =>
        item.auth_req_id === authReqId
          ? {
              ...item,
              next_poll_at: Math.min(item.next_poll_at, now + item.interval * 1000),
              ended: true,
            }
          : item,
      );
    });
  }

  async hold(delegation: HeldDelegation): Promise<void> {
    await this.#file.change((document) => {
      document.held = [...document.held, delegation].slice(-KEPT_AT_MOST);
    });
  }

  /** Removes the delegation of this bearer token, if it is held. */
  async releaseHeld(bearer: string): Promise<void> {
    const { held } = await this.#file.read();
    if (!held.some((item) => item.bearer === bearer)) return;
    await this.#file.change((document) => {
      document.held = document.held.filter((item) => item.bearer !== bearer);
    });
  }

  /** Removes and returns the last held delegation, so that only one process sends its result. */
  async takeHeld(): Promise<HeldDelegation | undefined> {
    return this.#file.change((document) => document.held.pop());
  }
}
