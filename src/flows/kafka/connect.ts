import type { BrokerAddress, ClusterMetadata, Context, StoredMessage } from '../../context.ts';
import {
  type BrokerSession,
  type BrokerSessionOptions,
  BrokerSessions,
  isConnectionClosed,
} from './broker-sessions.ts';
import type { KafkaEvent, KafkaStep, Produced } from './events.ts';
import type { KafkaRefusal } from './refusal.ts';
import { type Held, holdSession } from './session-hold.ts';
import { KafkaTopic } from './topic.ts';

export interface KafkaConnectOptions extends BrokerSessionOptions {
  /** Bootstrap servers, tried in turn until one accepts the connection. */
  readonly bootstrap: readonly BrokerAddress[];
  readonly topic?: string | undefined;
  /** A message to write to the topic. */
  readonly message?: string | undefined;
  /** How many of the topic's newest messages to read. */
  readonly consume?: number | undefined;
  /** Milliseconds for which the session is kept in use. */
  readonly holdMs?: number | undefined;
}

/** Members are undefined where the step was not requested or not reached. */
export interface KafkaResult {
  readonly address: BrokerAddress;
  readonly isTls: boolean;
  readonly mechanisms: readonly string[];
  /** The token that the broker checked last. */
  readonly token: string;
  /** Undefined where the broker accepted the token. */
  readonly refusal: KafkaRefusal | undefined;
  /** Milliseconds; 0 where the broker does not check the token again. */
  readonly sessionLifetimeMs: number | undefined;
  readonly cluster: ClusterMetadata | undefined;
  readonly produced: Produced | undefined;
  readonly consumed: readonly StoredMessage[] | undefined;
  readonly held: Held | undefined;
  readonly steps: readonly KafkaStep[];
}

type Used = Partial<Pick<KafkaResult, 'cluster' | 'produced' | 'consumed' | 'held'>>;

/**
 * Authenticates to a Kafka broker with an access token, and uses the session.
 * @returns the broker's verdict, refused or not
 * @throws NetworkError, TimeoutError where there is no verdict; UsageError `mechanism_not_enabled`, `sasl_not_enabled`;
 *   OauthctlError of the broker's refusals on topics; as the source of tokens
 * @see https://www.rfc-editor.org/rfc/rfc7628
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-368
 */
export async function connectToKafka(
  ctx: Context,
  options: KafkaConnectOptions,
  onEvent: (event: KafkaEvent) => void,
): Promise<KafkaResult> {
  const sessions = new BrokerSessions(ctx, options, onEvent);
  try {
    await sessions.requestToken();
    const connection = await sessions.connectToAny(options.bootstrap);
    const session = await sessions.authenticate(connection);
    const used = session === undefined ? {} : await useSession(ctx, { sessions, session, options }, onEvent);
    return {
      address: sessions.address ?? connection.address,
      isTls: options.isTls,
      mechanisms: sessions.mechanisms,
      token: sessions.token,
      refusal: sessions.refusal,
      sessionLifetimeMs: sessions.lastSession?.lifetimeMs,
      cluster: used.cluster,
      produced: used.produced,
      consumed: used.consumed,
      held: used.held,
      steps: sessions.steps,
    };
  } finally {
    sessions.close();
  }
}

interface UseOptions {
  readonly sessions: BrokerSessions;
  readonly session: BrokerSession;
  readonly options: KafkaConnectOptions;
}

/** Takes the requested steps in turn; a broker that refuses the token ends them. */
async function useSession(
  ctx: Context,
  { sessions, session, options }: UseOptions,
  onEvent: (event: KafkaEvent) => void,
): Promise<Used> {
  const { message, consume, holdMs } = options;
  const cluster = await readMetadata(ctx, { sessions, session, options }, onEvent);
  if (cluster === undefined) return {};
  const topic = new KafkaTopic(ctx, { sessions, cluster }, onEvent);
  const produced = message === undefined ? undefined : await topic.produce(message);
  if (message !== undefined && produced === undefined) return { cluster };
  const consumed = consume === undefined ? undefined : await topic.consume(consume);
  const used = { cluster, produced: produced?.value, consumed: consumed?.value };
  if ((consume !== undefined && consumed === undefined) || holdMs === undefined) return used;
  const last = consumed?.session ?? produced?.session ?? session;
  return { ...used, held: await holdSession(ctx, { sessions, session: last, holdMs }, onEvent) };
}

/** @returns undefined where the broker accepted an expired token and closed the connection at the first request */
async function readMetadata(
  ctx: Context,
  { sessions, session: { connection }, options: { topic } }: UseOptions,
  onEvent: (event: KafkaEvent) => void,
): Promise<ClusterMetadata | undefined> {
  try {
    const cluster = await connection.metadata(topic === undefined ? [] : [topic], ctx.signal);
    onEvent({ type: 'metadata', cluster });
    sessions.addStep('metadata', cluster.ms, connection);
    return cluster;
  } catch (error) {
    if (!isConnectionClosed(error) || !sessions.isTokenExpired()) throw error;
    sessions.refuseExpired();
    return undefined;
  }
}
