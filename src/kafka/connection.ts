import ApiVersions from 'kafkajs/src/protocol/requests/apiVersions/index.js';
import Fetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import ListOffsets from 'kafkajs/src/protocol/requests/listOffsets/index.js';
import Metadata from 'kafkajs/src/protocol/requests/metadata/index.js';
import Produce from 'kafkajs/src/protocol/requests/produce/index.js';
import SaslAuthenticate from 'kafkajs/src/protocol/requests/saslAuthenticate/index.js';
import SaslHandshake from 'kafkajs/src/protocol/requests/saslHandshake/index.js';
import { renderBroker } from '../protocol/kafka/oauthbearer.ts';
import { ClosedError } from './broker-socket.ts';
import { nameKafkaError } from './error-codes.ts';
import { BrokerRequests, type KafkaRequestOptions } from './requests.ts';
import type {
  BrokerConnection,
  ClusterMetadata,
  PartitionName,
  PartitionOffsets,
  SaslAuthentication,
  SaslHandshake as SaslHandshakeAnswer,
  StoredMessage,
  Timed,
} from './types.ts';

/** Characters of a broker's text that are read: its message and its challenge. */
const LONGEST_TEXT = 16 * 1024;
/** The most bytes of messages in one answer. */
const MAX_FETCH_BYTES = 1024 * 1024;
/** The timestamps that ListOffsets defines. */
const LATEST = -1;
const EARLIEST = -2;
/** The replica id of a client. */
const NO_REPLICA = -1;
const READ_COMMITTED = 1;
const ALL_REPLICAS = -1;

export interface ConnectionOptions
  extends Pick<BrokerConnection, 'address' | 'tcpMs' | 'tls'>,
    Omit<KafkaRequestOptions, 'where'> {
  /** Milliseconds for an exchange, which are also sent to the broker. */
  readonly timeoutMs: number;
}

/** The requests of the Kafka protocol on an open socket. */
export class KafkaConnection implements BrokerConnection {
  readonly address: BrokerConnection['address'];
  readonly tcpMs: number;
  readonly tls: BrokerConnection['tls'];
  readonly ended: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #requests: BrokerRequests;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.address = options.address;
    this.tcpMs = options.tcpMs;
    this.tls = options.tls;
    this.ended = options.socket.ended;
    this.#requests = new BrokerRequests({ ...options, where: renderBroker(options.address) });
  }

  close(): void {
    this.#options.socket.close();
  }

  async apiVersions(signal: AbortSignal): Promise<Timed & { readonly count: number }> {
    // A broker answers a version that it does not support in the format of version 0.
    for (const version of ApiVersions.versions.map(Number).reverse()) {
      try {
        const { decoded, ms } = await this.#requests.demand(
          ApiVersions.protocol({ version })({}),
          {},
          signal,
        );
        const supported = new Map(
          decoded.apiVersions.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }]),
        );
        this.#requests.setSupportedVersions(supported);
        return { count: supported.size, ms };
      } catch (error) {
        if (version === 0 || (error as { code?: unknown }).code !== 'unsupported_version') throw error;
      }
    }
    throw new ClosedError();
  }

  async saslHandshake(mechanism: string, signal: AbortSignal): Promise<SaslHandshakeAnswer> {
    const message = this.#requests.build('SaslHandshake', SaslHandshake, { mechanism });
    const { decoded, ms } = await this.#requests.send(message, { mechanism }, signal);
    const { errorCode, enabledMechanisms: mechanisms } = decoded;
    return { errorCode, errorName: nameKafkaError(errorCode), mechanisms, ms };
  }

  async saslAuthenticate(text: string, signal: AbortSignal): Promise<SaslAuthentication> {
    const authentication = { authBytes: addLength(text) };
    const message = this.#requests.build('SaslAuthenticate', SaslAuthenticate, authentication);
    const { decoded, ms } = await this.#requests.send(message, { auth_bytes: text }, signal);
    const { errorCode, errorMessage, authBytes, sessionLifetimeMs = '0' } = decoded;
    return {
      errorCode,
      errorName: nameKafkaError(errorCode),
      // Kafka sends an empty message if there is no error.
      errorMessage: errorMessage?.slice(0, LONGEST_TEXT) || undefined,
      authBytes: authBytes.subarray(4, 4 + LONGEST_TEXT).toString('utf8'),
      sessionLifetimeMs: Number(sessionLifetimeMs),
      ms,
    };
  }

  async metadata(names: readonly string[], signal: AbortSignal): Promise<ClusterMetadata> {
    const parameters = { topics: names, allowAutoTopicCreation: false };
    const message = this.#requests.build('Metadata', Metadata, parameters);
    const { decoded, ms } = await this.#requests.demand(message, { topics: names }, signal);
    return {
      clusterId: decoded.clusterId ?? undefined,
      nodes: decoded.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: decoded.topicMetadata.map(({ topic, partitionMetadata }) => ({
        topic,
        partitions: partitionMetadata.map(({ partitionId: partition, leader }) => ({ partition, leader })),
      })),
      ms,
    };
  }

  async produce(
    { topic, partition }: PartitionName,
    value: string,
    signal: AbortSignal,
  ): Promise<Timed & { readonly offset: bigint | undefined }> {
    const { now, timeoutMs } = this.#options;
    const message = { key: null, value, headers: {}, timestamp: now() };
    const topicData = [{ topic, partitions: [{ partition, firstSequence: 0, messages: [message] }] }];
    const parameters = { acks: ALL_REPLICAS, timeout: timeoutMs, topicData };
    const request = this.#requests.build('Produce', Produce, parameters);
    const shown = { topic, partition, bytes: Buffer.byteLength(value) };
    const { decoded, ms } = await this.#requests.demand(request, shown, signal);
    const [stored] = decoded.topics[0]?.partitions ?? [];
    const offset = stored?.baseOffset ?? stored?.offset;
    return { offset: offset === undefined ? undefined : BigInt(offset), ms };
  }

  async offsets(of: PartitionName, signal: AbortSignal): Promise<PartitionOffsets> {
    const first = await this.#listOffset(of, EARLIEST, signal);
    const next = await this.#listOffset(of, LATEST, signal);
    return { first: first.offset, next: next.offset, ms: first.ms + next.ms };
  }

  async #listOffset({ topic, partition }: PartitionName, timestamp: number, signal: AbortSignal) {
    const topics = [{ topic, partitions: [{ partition, timestamp }] }];
    const parameters = { replicaId: NO_REPLICA, isolationLevel: READ_COMMITTED, topics };
    const message = this.#requests.build('ListOffsets', ListOffsets, parameters);
    const { decoded, ms } = await this.#requests.demand(message, { topics }, signal);
    const [found] = decoded.responses[0]?.partitions ?? [];
    return { offset: BigInt(found?.offset ?? found?.offsets?.[0] ?? 0), ms };
  }

  async fetch(
    { topic, partition }: PartitionName,
    offset: bigint,
    signal: AbortSignal,
  ): Promise<Timed & { readonly messages: readonly StoredMessage[] }> {
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: MAX_FETCH_BYTES }];
    const limits = { maxWaitTime: 0, minBytes: 0, maxBytes: MAX_FETCH_BYTES };
    const parameters = { ...limits, topics: [{ topic, partitions }], rackId: '' };
    const request = this.#requests.build('Fetch', Fetch, parameters);
    const shown = { topic, partition, offset: String(offset) };
    const { decoded, ms } = await this.#requests.demand(request, shown, signal);
    const messages = (decoded.responses[0]?.partitions[0]?.messages ?? [])
      .filter(({ isControlRecord }) => isControlRecord !== true)
      .map(
        (one): StoredMessage => ({
          topic,
          partition,
          offset: BigInt(one.offset),
          timestamp: Number(one.timestamp ?? 0),
          key: one.key ?? undefined,
          value: one.value ?? undefined,
        }),
      )
      // A batch is returned whole, from before the requested offset.
      .filter((one) => one.offset >= offset);
    return { messages, ms };
  }
}

/** Prefixes a text with its length, as kafkajs requires it. */
function addLength(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
