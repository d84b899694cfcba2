import type {
  BrokerAddress,
  BrokerConnection,
  ClusterMetadata,
  Context,
  PartitionName,
  StoredMessage,
} from '../../context.ts';
import { NetworkError, type OauthctlError, TimeoutError, UsageError } from '../../errors.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import {
  buildClientMessage,
  DUMMY_CLIENT_MESSAGE,
  isHost,
  OAUTHBEARER,
  type OauthbearerChallenge,
  parseOauthbearerChallenge,
  type SaslExtension,
} from '../../protocol/kafka/oauthbearer.ts';
import { EXPIRED_WITHIN_SKEW, explainRefusal } from '../../protocol/kafka/refusal.ts';
import { byTime, newest } from './messages.ts';
import { handshakeRefused, type KafkaRefusal } from './refusal.ts';

/** Where the tokens come from. */
export interface TokenSource {
  /** Whether `next` gives a fresh one each time; else it gives the same again. */
  readonly isRenewable: boolean;
  next(): Promise<string>;
}

export interface KafkaConnectOptions {
  /** Tried in turn, until one accepts the connection. */
  readonly bootstrap: readonly BrokerAddress[];
  readonly isTls: boolean;
  readonly tokens: TokenSource;
  readonly extensions: readonly SaslExtension[];
  readonly topic?: string | undefined;
  /** A message for the topic. */
  readonly message?: string | undefined;
  /** How many of the topic's newest messages to read. */
  readonly consume?: number | undefined;
  /** For how long to keep the session in use. */
  readonly holdMs?: number | undefined;
}

/** What a step took, in milliseconds. */
export interface KafkaStep {
  readonly name:
    | 'token'
    | 'tcp'
    | 'tls'
    | 'api_versions'
    | 'sasl_handshake'
    | 'sasl_authenticate'
    | 'metadata'
    | 'produce'
    | 'consume'
    | 'reauthenticate';
  readonly ms: number;
  /** Whom it was taken with; undefined where that is no broker. */
  readonly address?: BrokerAddress;
}

export type KafkaEvent =
  | { readonly type: 'connecting'; readonly address: BrokerAddress; readonly isTls: boolean }
  | { readonly type: 'unreachable'; readonly address: BrokerAddress; readonly error: OauthctlError }
  | { readonly type: 'connected'; readonly connection: Pick<BrokerConnection, 'tcpMs' | 'tls'> }
  | { readonly type: 'api_versions'; readonly count: number; readonly ms: number }
  | { readonly type: 'sasl_handshake'; readonly mechanisms: readonly string[]; readonly ms: number }
  | { readonly type: 'challenge'; readonly challenge: OauthbearerChallenge; readonly ms: number }
  | {
      readonly type: 'authenticated';
      readonly sessionLifetimeMs: number;
      readonly ms: number;
      readonly isAgain: boolean;
    }
  | { readonly type: 'refused'; readonly refusal: KafkaRefusal; readonly ms: number | undefined }
  | { readonly type: 'metadata'; readonly cluster: ClusterMetadata }
  | { readonly type: 'produced'; readonly produced: Produced; readonly ms: number }
  | { readonly type: 'consumed'; readonly count: number; readonly wanted: number; readonly ms: number }
  | { readonly type: 'hold_started'; readonly holdMs: number; readonly sessionLifetimeMs: number }
  | { readonly type: 'holding'; readonly leftMs: number; readonly sessionLeftMs: number | undefined };

export interface Produced extends PartitionName {
  readonly offset: bigint | undefined;
}

/** What came of it; what was not asked for or not reached is undefined. */
export interface KafkaResult {
  readonly address: BrokerAddress;
  readonly isTls: boolean;
  readonly mechanisms: readonly string[];
  /** The token that was judged last. */
  readonly token: string;
  /** Undefined where the broker accepted it. */
  readonly refusal: KafkaRefusal | undefined;
  /** Milliseconds; 0 where the broker does not look at the token again. */
  readonly sessionLifetimeMs: number | undefined;
  readonly cluster: ClusterMetadata | undefined;
  readonly produced: Produced | undefined;
  readonly consumed: readonly StoredMessage[] | undefined;
  readonly held: { readonly ms: number; readonly reauthentications: number } | undefined;
  readonly steps: readonly KafkaStep[];
}

interface LedPartition extends PartitionName {
  /** The id of a node; negative for none. */
  readonly leader: number;
}

/** A connection on which the token was accepted. */
interface BrokerSession {
  readonly connection: BrokerConnection;
  /** Milliseconds since the epoch. */
  authenticatedAt: number;
  lifetimeMs: number;
}

/** Milliseconds from one use of a held session to the next. */
const HOLD_INTERVAL = 1_000;
/** By which part of the session's lifetime the client authenticates again; Kafka's own takes 85 to 95 %. */
const REAUTHENTICATION_AT = 0.8;
/** Milliseconds; a broker takes no further authentication within a second of the last one. */
const SOONEST_REAUTHENTICATION = 1_100;
/** Milliseconds before its end that a session counts as over. */
const EXPIRY_SLACK = 1_000;

/**
 * Authenticates to a Kafka broker with an access token, and uses the session.
 * @returns the broker's verdict, refused or not
 * @throws NetworkError, TimeoutError where there is no verdict; UsageError `mechanism_not_enabled`, `sasl_not_enabled`;
 *   OauthctlError of the broker's refusals on topics; whatever the source of tokens throws
 * @see https://www.rfc-editor.org/rfc/rfc7628
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-368
 */
export async function connectToKafka(
  ctx: Context,
  options: KafkaConnectOptions,
  onEvent: (event: KafkaEvent) => void,
): Promise<KafkaResult> {
  const run = new KafkaRun(ctx, options, onEvent);
  try {
    return await run.run();
  } finally {
    run.close();
  }
}

/** One run: its connections, and what came of its steps so far. */
class KafkaRun {
  readonly #ctx: Context;
  readonly #options: KafkaConnectOptions;
  readonly #tell: (event: KafkaEvent) => void;
  readonly #connections: BrokerConnection[] = [];
  readonly #sessions: BrokerSession[] = [];
  readonly #steps: KafkaStep[] = [];
  /** Who judged the token last. */
  #address: BrokerAddress | undefined;
  #mechanisms: readonly string[] = [];
  #token = '';
  #refusal: KafkaRefusal | undefined;
  #cluster: ClusterMetadata | undefined;
  #produced: Produced | undefined;
  #consumed: readonly StoredMessage[] | undefined;
  #held: KafkaResult['held'];

  constructor(ctx: Context, options: KafkaConnectOptions, tell: (event: KafkaEvent) => void) {
    this.#ctx = ctx;
    this.#options = options;
    this.#tell = tell;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async run(): Promise<KafkaResult> {
    await this.#requestToken();
    const connection = await this.#connectToAny();
    const session = await this.#authenticate(connection);
    if (session !== undefined) await this.#use(session);
    return {
      address: this.#address ?? connection.address,
      isTls: this.#options.isTls,
      mechanisms: this.#mechanisms,
      token: this.#token,
      refusal: this.#refusal,
      sessionLifetimeMs: this.#sessions.at(-1)?.lifetimeMs,
      cluster: this.#cluster,
      produced: this.#produced,
      consumed: this.#consumed,
      held: this.#held,
      steps: this.#steps,
    };
  }

  async #requestToken(): Promise<void> {
    const { tokens, extensions } = this.#options;
    const startedAt = this.#ctx.clock.now();
    this.#token = await tokens.next();
    this.#ctx.redactor.know(this.#token);
    // One that cannot be sent is found before anything is connected.
    buildClientMessage(this.#token, extensions);
    if (tokens.isRenewable) this.#steps.push({ name: 'token', ms: this.#ctx.clock.now() - startedAt });
  }

  async #connectToAny(): Promise<BrokerConnection> {
    const { bootstrap } = this.#options;
    for (const [index, address] of bootstrap.entries()) {
      try {
        return await this.#connect(address);
      } catch (error) {
        const isDown = error instanceof NetworkError || error instanceof TimeoutError;
        if (!isDown || index === bootstrap.length - 1) throw error;
        this.#tell({ type: 'unreachable', address, error });
      }
    }
    throw new UsageError('bootstrap_invalid', 'no broker is named');
  }

  async #connect(address: BrokerAddress): Promise<BrokerConnection> {
    const { isTls } = this.#options;
    const { signal } = this.#ctx;
    this.#tell({ type: 'connecting', address, isTls });
    const connection = await (await this.#ctx.kafka()).connect(address, { tls: isTls }, signal);
    this.#connections.push(connection);
    const { tcpMs, tls } = connection;
    this.#tell({ type: 'connected', connection });
    this.#took('tcp', tcpMs, connection);
    if (tls) this.#took('tls', tls.ms, connection);
    const { count, ms } = await connection.apiVersions(signal);
    this.#tell({ type: 'api_versions', count, ms });
    this.#took('api_versions', ms, connection);
    return connection;
  }

  /** @returns undefined where the broker refused the token, which is remembered */
  async #authenticate(connection: BrokerConnection): Promise<BrokerSession | undefined> {
    const accepted = await this.#saslExchange(connection, false);
    if (accepted === undefined) return undefined;
    const session = { connection, ...accepted };
    this.#sessions.push(session);
    return session;
  }

  /** One authentication, or another one on the same connection. */
  async #saslExchange(
    connection: BrokerConnection,
    isAgain: boolean,
  ): Promise<Pick<BrokerSession, 'authenticatedAt' | 'lifetimeMs'> | undefined> {
    const { signal, clock } = this.#ctx;
    this.#address = connection.address;
    const handshake = await connection.saslHandshake(OAUTHBEARER, signal);
    const { mechanisms } = handshake;
    if (!isAgain) {
      this.#mechanisms = mechanisms;
      this.#tell({ type: 'sasl_handshake', mechanisms, ms: handshake.ms });
      this.#took('sasl_handshake', handshake.ms, connection);
    }
    if (handshake.errorCode !== 0) throw handshakeRefused(handshake);
    const message = buildClientMessage(this.#token, this.#options.extensions);
    const answer = await connection.saslAuthenticate(message, signal);
    const authenticatedAt = clock.now();
    const { ms, sessionLifetimeMs } = answer;
    this.#took(isAgain ? 'reauthenticate' : 'sasl_authenticate', ms, connection);
    const challenge = answer.errorCode === 0 ? parseOauthbearerChallenge(answer.authBytes) : undefined;
    if (answer.errorCode === 0 && challenge === undefined) {
      this.#tell({ type: 'authenticated', sessionLifetimeMs, ms, isAgain });
      return { authenticatedAt, lifetimeMs: sessionLifetimeMs };
    }
    if (challenge) this.#tell({ type: 'challenge', challenge, ms });
    const last = challenge ? ((await this.#concede(connection)) ?? answer) : answer;
    const { errorCode, errorName, errorMessage } = last;
    const said = { errorCode, errorName, errorMessage, challenge };
    const claims = decodeUnverified(this.#token)?.claims;
    this.#refusal = { ...said, ...explainRefusal(said, claims, clock.now()) };
    this.#tell({ type: 'refused', refusal: this.#refusal, ms: last.ms });
    return undefined;
  }

  /** Ends an authentication that was answered with a challenge; a broker may close the connection instead of answering. */
  async #concede(connection: BrokerConnection) {
    try {
      return await connection.saslAuthenticate(DUMMY_CLIENT_MESSAGE, this.#ctx.signal);
    } catch (error) {
      if (error instanceof NetworkError || error instanceof TimeoutError) return undefined;
      throw error;
    }
  }

  async #use(first: BrokerSession): Promise<void> {
    const { signal } = this.#ctx;
    const { topic, message, consume, holdMs } = this.#options;
    try {
      this.#cluster = await first.connection.metadata(topic === undefined ? [] : [topic], signal);
    } catch (error) {
      if (!isClosed(error) || !this.#isExpired()) throw error;
      const said = { errorCode: 0, errorName: 'NONE', errorMessage: undefined, challenge: undefined };
      this.#refusal = { ...said, ...EXPIRED_WITHIN_SKEW };
      this.#tell({ type: 'refused', refusal: this.#refusal, ms: undefined });
      return;
    }
    this.#tell({ type: 'metadata', cluster: this.#cluster });
    this.#took('metadata', this.#cluster.ms, first.connection);
    let session: BrokerSession | undefined = first;
    if (message !== undefined) session = await this.#produce(message);
    if (session && consume !== undefined) session = await this.#consume(consume);
    if (session && holdMs !== undefined) await this.#hold(session, holdMs);
  }

  #isExpired(): boolean {
    const exp = decodeUnverified(this.#token)?.claims.exp;
    return typeof exp === 'number' && exp * 1000 <= this.#ctx.clock.now();
  }

  async #produce(message: string): Promise<BrokerSession | undefined> {
    const partitions = this.#partitions();
    const partition = partitions.find(({ leader }) => leader >= 0) ?? partitions[0];
    const session = await this.#sessionWith(partition.leader);
    if (session === undefined) return undefined;
    const { offset, ms } = await session.connection.produce(partition, message, this.#ctx.signal);
    this.#produced = { topic: partition.topic, partition: partition.partition, offset };
    this.#tell({ type: 'produced', produced: this.#produced, ms });
    this.#took('produce', ms, session.connection);
    return session;
  }

  async #consume(wanted: number): Promise<BrokerSession | undefined> {
    const found: StoredMessage[] = [];
    let session: BrokerSession | undefined;
    let ms = 0;
    for (const partition of this.#partitions()) {
      session = await this.#sessionWith(partition.leader);
      if (session === undefined) return undefined;
      const read = await newest(session.connection, partition, wanted, this.#ctx.signal);
      found.push(...read.messages);
      ms += read.ms;
    }
    this.#consumed = wanted === 0 ? [] : found.sort(byTime).slice(-wanted);
    this.#tell({ type: 'consumed', count: this.#consumed.length, wanted, ms });
    if (session) this.#took('consume', ms, session.connection);
    return session;
  }

  /** The partitions of the topic, of which there is at least one. @throws NetworkError `topic_unanswered` */
  #partitions(): readonly [LedPartition, ...LedPartition[]] {
    const [first, ...others] = (this.#cluster?.topics ?? []).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, ...partition })),
    );
    if (first !== undefined) return [first, ...others];
    throw new NetworkError('topic_unanswered', 'the broker names no partition of the topic', {
      hint: 'One that is new looks like this for a moment; try again.',
    });
  }

  /** The session with a node: messages are written to and read from the leader of their partition. */
  async #sessionWith(leader: number): Promise<BrokerSession | undefined> {
    const node = this.#cluster?.nodes.find(({ nodeId }) => nodeId === leader);
    if (node === undefined) {
      throw new NetworkError(
        'leader_unavailable',
        `the leader of the partition, node ${leader}, is not among the nodes`,
        {
          hint: 'The cluster may be electing one; try again.',
        },
      );
    }
    const { host, port } = node;
    if (!isHost(host)) {
      throw new NetworkError('address_unusable', `node ${leader} is advertised under the name "${host}"`, {
        hint: 'See advertised.listeners of that broker.',
      });
    }
    const open = this.#sessions.find(
      ({ connection: { address } }) => address.host === host && address.port === port,
    );
    return open ?? this.#authenticate(await this.#connect({ host, port }));
  }

  /** Keeps a session in use, and authenticates again in time where there are fresh tokens. */
  async #hold(session: BrokerSession, holdMs: number): Promise<void> {
    const { clock } = this.#ctx;
    const { connection } = session;
    const startedAt = clock.now();
    let reauthentications = 0;
    this.#tell({ type: 'hold_started', holdMs, sessionLifetimeMs: session.lifetimeMs });
    for (;;) {
      const now = clock.now();
      const leftMs = startedAt + holdMs - now;
      if (leftMs <= 0) break;
      const untilRenewal = this.#renewalAt(session) - now;
      if (untilRenewal <= 0) {
        await this.#requestToken();
        const accepted = await this.#alive(session, () => this.#saslExchange(connection, true));
        if (accepted === undefined) return;
        Object.assign(session, accepted);
        reauthentications += 1;
        continue;
      }
      const end = sessionEnd(session);
      this.#tell({ type: 'holding', leftMs, sessionLeftMs: end === undefined ? undefined : end - now });
      await this.#pause(connection, Math.min(leftMs, untilRenewal, HOLD_INTERVAL));
      // Whatever is asked: a broker looks at the session first.
      await this.#alive(session, () => connection.apiVersions(this.#ctx.signal));
    }
    this.#held = { ms: clock.now() - startedAt, reauthentications };
  }

  /** When to authenticate again, in milliseconds since the epoch; never without fresh tokens, or without need. */
  #renewalAt({ authenticatedAt, lifetimeMs }: BrokerSession): number {
    if (lifetimeMs === 0 || !this.#options.tokens.isRenewable) return Number.POSITIVE_INFINITY;
    return authenticatedAt + Math.max(SOONEST_REAUTHENTICATION, lifetimeMs * REAUTHENTICATION_AT);
  }

  /** Waits, or for less where the connection ends before. */
  async #pause({ ended }: BrokerConnection, ms: number): Promise<void> {
    const { clock, signal } = this.#ctx;
    const over = new AbortController();
    try {
      const slept = clock.sleep(ms, AbortSignal.any([signal, over.signal]));
      // The wait that loses the race is ended, and nobody hears of it.
      slept.catch(() => {});
      await Promise.race([slept, ended]);
    } finally {
      over.abort();
    }
  }

  /** Names the end of a session for what it is. */
  async #alive<Value>(session: BrokerSession, use: () => Promise<Value>): Promise<Value> {
    try {
      return await use();
    } catch (error) {
      const { clock } = this.#ctx;
      const end = sessionEnd(session);
      if (!isClosed(error) || end === undefined || clock.now() < end - EXPIRY_SLACK) throw error;
      throw new TimeoutError(
        'session_expired',
        `the broker closed the connection: its session of ${session.lifetimeMs / 1000} s, as long as the token lived, was over`,
        {
          hint: this.#options.tokens.isRenewable
            ? 'The token lives too briefly to be renewed in time.'
            : 'A client has to authenticate again with a fresh token before that: leave --token out, or give --refresh.',
          cause: error,
        },
      );
    }
  }

  #took(name: KafkaStep['name'], ms: number, { address }: BrokerConnection): void {
    this.#steps.push({ name, ms, address });
  }
}

/** Whether the broker closed a connection instead of answering. */
function isClosed(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'connection_closed';
}

/** When the broker ends a session, in milliseconds since the epoch; undefined for never. */
function sessionEnd({ authenticatedAt, lifetimeMs }: BrokerSession): number | undefined {
  return lifetimeMs === 0 ? undefined : authenticatedAt + lifetimeMs;
}
