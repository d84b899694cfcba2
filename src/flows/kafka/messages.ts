import type { BrokerConnection, PartitionName, StoredMessage } from '../../context.ts';

/** Puts messages of several partitions into the order of time. */
export function byTime(one: StoredMessage, other: StoredMessage): number {
  return one.timestamp - other.timestamp || Number(one.offset - other.offset);
}

/** Reads up to so many of the newest messages of a partition. */
export async function newest(
  connection: BrokerConnection,
  partition: PartitionName,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly messages: readonly StoredMessage[]; readonly ms: number }> {
  const { first, next, ms: asked } = await connection.offsets(partition, signal);
  const start = next - BigInt(count) > first ? next - BigInt(count) : first;
  const messages: StoredMessage[] = [];
  let ms = asked;
  for (let offset = start; offset < next; ) {
    const read = await connection.fetch(partition, offset, signal);
    ms += read.ms;
    const last = read.messages.at(-1);
    // What is left are marks of transactions.
    if (last === undefined) break;
    messages.push(...read.messages);
    offset = last.offset + 1n;
  }
  return { messages, ms };
}
