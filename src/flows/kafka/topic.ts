import type {
  BrokerConnection,
  ClusterMetadata,
  Context,
  PartitionName,
  StoredMessage,
} from '../../context.ts';
import { NetworkError } from '../../errors.ts';
import { isHost } from '../../protocol/kafka/oauthbearer.ts';
import type { BrokerSession, BrokerSessions } from './broker-sessions.ts';
import type { KafkaEvent, Produced } from './events.ts';

interface LedPartition extends PartitionName {
  /** The node id of the leader; negative for none. */
  readonly leader: number;
}

/** The session that a step ended with, and its result. */
interface Used<Value> {
  readonly session: BrokerSession;
  readonly value: Value;
}

/** Writes to and reads from the one topic of the metadata. Both return undefined where a broker refused the token. */
export class KafkaTopic {
  readonly #ctx: Context;
  readonly #sessions: BrokerSessions;
  readonly #cluster: ClusterMetadata;
  readonly #onEvent: (event: KafkaEvent) => void;

  constructor(
    ctx: Context,
    { sessions, cluster }: { sessions: BrokerSessions; cluster: ClusterMetadata },
    onEvent: (event: KafkaEvent) => void,
  ) {
    this.#ctx = ctx;
    this.#sessions = sessions;
    this.#cluster = cluster;
    this.#onEvent = onEvent;
  }

  async produce(message: string): Promise<Used<Produced> | undefined> {
    const partitions = this.#listPartitions();
    const { topic, partition, leader } = partitions.find((one) => one.leader >= 0) ?? partitions[0];
    const session = await this.#openSession(leader);
    if (session === undefined) return undefined;
    const { connection } = session;
    const { offset, ms } = await connection.produce({ topic, partition }, message, this.#ctx.signal);
    const produced = { topic, partition, offset };
    this.#onEvent({ type: 'produced', produced, ms });
    this.#sessions.addStep('produce', ms, connection);
    return { session, value: produced };
  }

  /** Reads the newest messages of all partitions, in the order of their time. */
  async consume(wanted: number): Promise<Used<readonly StoredMessage[]> | undefined> {
    const found: StoredMessage[] = [];
    let session: BrokerSession | undefined;
    let ms = 0;
    for (const partition of this.#listPartitions()) {
      session = await this.#openSession(partition.leader);
      if (session === undefined) return undefined;
      const read = await readNewest(session.connection, partition, wanted, this.#ctx.signal);
      found.push(...read.messages);
      ms += read.ms;
    }
    if (session === undefined) return undefined;
    const consumed = wanted === 0 ? [] : found.sort(compareTimes).slice(-wanted);
    this.#onEvent({ type: 'consumed', count: consumed.length, wanted, ms });
    this.#sessions.addStep('consume', ms, session.connection);
    return { session, value: consumed };
  }

  /** @throws NetworkError `topic_unanswered` where there is no partition */
  #listPartitions(): readonly [LedPartition, ...LedPartition[]] {
    const [first, ...others] = this.#cluster.topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, ...partition })),
    );
    if (first !== undefined) return [first, ...others];
    throw new NetworkError('topic_unanswered', 'the broker names no partition of the topic', {
      hint: 'A new topic may have no partition for a moment; try again.',
    });
  }

  /** Opens the session with the leader of a partition, which alone accepts reads and writes. */
  #openSession(leader: number): Promise<BrokerSession | undefined> {
    const node = this.#cluster.nodes.find(({ nodeId }) => nodeId === leader);
    if (node === undefined) {
      const message = `the leader of the partition, node ${leader}, is not in the metadata of the cluster`;
      throw new NetworkError('leader_unavailable', message, {
        hint: 'The cluster may be electing a leader; try again.',
      });
    }
    if (!isHost(node.host)) {
      throw new NetworkError('address_unusable', `node ${leader} is advertised as "${node.host}"`, {
        hint: 'Check advertised.listeners of that broker.',
      });
    }
    return this.#sessions.openWith(node);
  }
}

/** Orders messages of several partitions by their time. */
function compareTimes(one: StoredMessage, other: StoredMessage): number {
  return one.timestamp - other.timestamp || Number(one.offset - other.offset);
}

/** Reads up to `count` of the newest messages of a partition. */
async function readNewest(
  connection: BrokerConnection,
  { topic, partition }: PartitionName,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly messages: readonly StoredMessage[]; readonly ms: number }> {
  const from = { topic, partition };
  const { first, next, ms: listed } = await connection.offsets(from, signal);
  const start = next - BigInt(count) > first ? next - BigInt(count) : first;
  const messages: StoredMessage[] = [];
  let ms = listed;
  for (let offset = start; offset < next; ) {
    const read = await connection.fetch(from, offset, signal);
    ms += read.ms;
    const last = read.messages.at(-1);
    // The remaining offsets are transaction markers.
    if (last === undefined) break;
    messages.push(...read.messages);
    offset = last.offset + 1n;
  }
  return { messages, ms };
}
