import type { BrokerConnection, Context } from '../../context.ts';
import { TimeoutError } from '../../errors.ts';
import { type BrokerSession, type BrokerSessions, isConnectionClosed } from './broker-sessions.ts';
import type { KafkaEvent } from './events.ts';

export interface Held {
  readonly ms: number;
  readonly reauthentications: number;
}

/** Milliseconds from one use of a held session to the next. */
const HOLD_INTERVAL = 1_000;
/** The share of the session's lifetime after which the client authenticates again; Kafka's own clients use 0.85 to 0.95. */
const REAUTHENTICATION_AT = 0.8;
/** Milliseconds; a broker accepts no further authentication within a second of the last one. */
const SOONEST_REAUTHENTICATION = 1_100;
/** Milliseconds before its end from which a session counts as over. */
const EXPIRY_SLACK = 1_000;

/**
 * Keeps a session in use, and authenticates again before it ends where there are new tokens.
 * @param holdMs milliseconds
 * @returns undefined where the broker refused a new token
 * @throws TimeoutError `session_expired`
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-368
 */
export async function holdSession(
  ctx: Context,
  { sessions, session, holdMs }: { sessions: BrokerSessions; session: BrokerSession; holdMs: number },
  onEvent: (event: KafkaEvent) => void,
): Promise<Held | undefined> {
  const { clock } = ctx;
  const { connection } = session;
  const startedAt = clock.now();
  const use = <Value>(work: () => Promise<Value>) => explainEnd(ctx, sessions, session, work);
  let reauthentications = 0;
  onEvent({ type: 'hold_started', holdMs, sessionLifetimeMs: session.lifetimeMs });
  for (;;) {
    const now = clock.now();
    const leftMs = startedAt + holdMs - now;
    if (leftMs <= 0) break;
    const untilRenewal = findRenewalTime(sessions, session) - now;
    if (untilRenewal <= 0) {
      await sessions.requestToken();
      if (!(await use(() => sessions.reauthenticate(session)))) return undefined;
      reauthentications += 1;
      continue;
    }
    const end = findSessionEnd(session);
    onEvent({ type: 'holding', leftMs, sessionLeftMs: end === undefined ? undefined : end - now });
    await pause(ctx, connection, Math.min(leftMs, untilRenewal, HOLD_INTERVAL));
    // The broker checks the session before any request.
    await use(() => connection.apiVersions(ctx.signal));
  }
  return { ms: clock.now() - startedAt, reauthentications };
}

/** When to authenticate again, in milliseconds since the epoch; Infinity without new tokens or an end of the session. */
function findRenewalTime(sessions: BrokerSessions, { authenticatedAt, lifetimeMs }: BrokerSession): number {
  if (lifetimeMs === 0 || !sessions.isTokenRenewable) return Number.POSITIVE_INFINITY;
  return authenticatedAt + Math.max(SOONEST_REAUTHENTICATION, lifetimeMs * REAUTHENTICATION_AT);
}

/** When the broker ends a session, in milliseconds since the epoch; undefined for never. */
function findSessionEnd({ authenticatedAt, lifetimeMs }: BrokerSession): number | undefined {
  return lifetimeMs === 0 ? undefined : authenticatedAt + lifetimeMs;
}

/** Waits, but no longer than the connection lasts. */
async function pause({ clock, signal }: Context, { ended }: BrokerConnection, ms: number): Promise<void> {
  const over = new AbortController();
  try {
    const slept = clock.sleep(ms, AbortSignal.any([signal, over.signal]));
    // Aborted below where the connection ended first.
    slept.catch(() => {});
    await Promise.race([slept, ended]);
  } finally {
    over.abort();
  }
}

/** Turns a connection that was closed at the end of its session into an error that says so. */
async function explainEnd<Value>(
  { clock }: Context,
  sessions: BrokerSessions,
  session: BrokerSession,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const end = findSessionEnd(session);
    if (!isConnectionClosed(error) || end === undefined || clock.now() < end - EXPIRY_SLACK) throw error;
    const lifetime = `${session.lifetimeMs / 1000} s`;
    throw new TimeoutError(
      'session_expired',
      `the broker closed the connection: its session of ${lifetime}, limited by the lifetime of the token, is over`,
      {
        hint: sessions.isTokenRenewable
          ? 'The lifetime of the token is too short to renew it in time.'
          : 'A client has to authenticate again with a new token before that: omit --token, or give --refresh.',
        cause: error,
      },
    );
  }
}
