import createRequest from 'kafkajs/src/protocol/request.js';
import ApiVersions from 'kafkajs/src/protocol/requests/apiVersions/index.js';
import type { Api, Message } from 'kafkajs/src/protocol/requests/codec';
import Fetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import ListOffsets from 'kafkajs/src/protocol/requests/listOffsets/index.js';
import Metadata from 'kafkajs/src/protocol/requests/metadata/index.js';
import Produce from 'kafkajs/src/protocol/requests/produce/index.js';
import SaslAuthenticate from 'kafkajs/src/protocol/requests/saslAuthenticate/index.js';
import SaslHandshake from 'kafkajs/src/protocol/requests/saslHandshake/index.js';
import { NetworkError } from '../errors.ts';
import { tlsOptions } from '../http/tls-options.ts';
import type { Recorder, TransportOptions } from '../http/types.ts';
import { renderBroker } from '../protocol/kafka/oauthbearer.ts';
import { BrokerSocket, ClosedError, ForeignAnswerError, openTcp, openTls } from './broker-socket.ts';
import { isProtocolError, nameKafkaError, toBrokerError } from './error-codes.ts';
import { brokerFailure, DeadlineError, type Progress } from './failure.ts';
import type { BrokerAddress, BrokerConnection, KafkaClient, PartitionName, StoredMessage } from './types.ts';

const CLIENT_ID = 'oauthctl';
/** The numbers of the protocol. @see https://kafka.apache.org/protocol#protocol_api_keys */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  SaslHandshake: 17,
  ApiVersions: 18,
  SaslAuthenticate: 36,
} as const;
type ApiName = keyof typeof API_KEYS;

/** Bytes of messages that one answer may hold. */
const MOST_FETCHED = 1024 * 1024;
/** What ListOffsets takes for a time. */
const LATEST = -1;
const EARLIEST = -2;
const NO_REPLICA = -1;
const READ_COMMITTED = 1;

interface Versions {
  readonly min: number;
  readonly max: number;
}

/**
 * Makes the client of Kafka brokers. Requests are encoded by kafkajs; nothing is retried and nothing is sent unasked.
 * @param options deadlines in milliseconds, PEM texts; proxies are not for brokers
 * @param recorder hears of every exchange, answered or not
 * @param now milliseconds since the epoch
 */
export function createKafkaClient(
  options: TransportOptions,
  recorder: Recorder,
  now: () => number,
): KafkaClient {
  /** Gives work its deadline, and its failure a name. */
  const within = async <Value>(
    address: BrokerAddress,
    progress: Pick<Progress, 'stage' | 'isTls'>,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> => {
    const { connectTimeoutMs, timeoutMs: exchangeMs } = options;
    const timeoutMs = progress.stage === 'exchange' ? exchangeMs : Math.min(connectTimeoutMs, exchangeMs);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new DeadlineError()), timeoutMs);
    try {
      return await work(AbortSignal.any([signal, deadline.signal]));
    } catch (error) {
      signal.throwIfAborted();
      throw brokerFailure(error, address, { ...progress, timeoutMs, now: now() });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async connect(address, { tls: isTls }, signal) {
      const { certificate: _, ...tls } = isTls ? await tlsOptions(options) : {};
      const tcp = await within(address, { stage: 'tcp', isTls }, signal, (both) =>
        openTcp(address, both, now),
      );
      const secured = isTls
        ? await within(address, { stage: 'tls', isTls }, signal, (both) =>
            openTls(tcp.socket, address, tls, both, now),
          )
        : undefined;
      const socket = new BrokerSocket(secured?.socket ?? tcp.socket);
      return openConnection({
        address,
        tcpMs: tcp.ms,
        tls: secured && { protocol: secured.socket.getProtocol() ?? 'TLS', ms: secured.ms },
        socket,
        recorder,
        timeoutMs: options.timeoutMs,
        now,
        within: (sending, work) => within(address, { stage: 'exchange', isTls }, sending, work),
      });
    },
  };
}

interface Parts extends Pick<BrokerConnection, 'address' | 'tcpMs' | 'tls'> {
  readonly socket: BrokerSocket;
  readonly recorder: Recorder;
  readonly timeoutMs: number;
  readonly now: () => number;
  within<Value>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Value>): Promise<Value>;
}

function openConnection({ socket, recorder, timeoutMs, now, within, ...facts }: Parts): BrokerConnection {
  const where = renderBroker(facts.address);
  let lastCorrelationId = 0;
  let known: ReadonlyMap<number, Versions> = new Map();

  const exchange = async <Decoded>(
    { request, response }: Message<Decoded>,
    shown: object,
    signal: AbortSignal,
  ): Promise<{ readonly decoded: Decoded; readonly ms: number }> => {
    const startedAt = now();
    lastCorrelationId += 1;
    const correlationId = lastCorrelationId;
    const recorded = {
      direction: 'out' as const,
      endpoint: 'kafka_broker' as const,
      startedAt,
      request: {
        method: `${request.apiName} v${request.apiVersion}`,
        url: `kafka://${where}`,
        headers: {},
        body: JSON.stringify(shown),
      },
    };
    try {
      const frame = await createRequest({ request, correlationId, clientId: CLIENT_ID });
      const { decoded, ms } = await within(signal, async (both) => {
        const answer = await socket.exchange(frame.buffer, both);
        const received = now();
        if (answer.readInt32BE(0) !== correlationId) throw new ForeignAnswerError('unreadable');
        return { decoded: await response.decode(answer.subarray(4)), ms: received - startedAt };
      });
      const status = (decoded as { errorCode?: number }).errorCode ?? 0;
      recorder.record({ ...recorded, answer: { status, headers: {}, body: renderAnswer(decoded), ms } });
      return { decoded, ms };
    } catch (error) {
      // Nothing that comes after an answer that cannot be read makes sense.
      if (!isProtocolError(error)) socket.close();
      const failure = toBrokerError(error, where);
      recorder.record({ ...recorded, failure: failure instanceof Error ? failure.message : String(failure) });
      throw failure;
    }
  };

  /** The newest version of an API that both sides know. */
  const pick = <Parameters, Decoded>(name: ApiName, api: Api<Parameters, Decoded>) => {
    const broker = known.get(API_KEYS[name]) ?? { min: 0, max: -1 };
    const version = Math.max(
      ...api.versions.map(Number).filter((one) => one >= broker.min && one <= broker.max),
    );
    if (Number.isFinite(version)) return api.protocol({ version });
    throw new NetworkError('api_unsupported', `${where} takes ${name} in no version that is known here`, {
      hint: 'Kafka 1.0 and later speak all that is needed; the port may be one for the brokers among themselves.',
    });
  };

  /** An exchange whose error codes are failures. */
  const demand = async <Decoded>(message: Message<Decoded>, shown: object, signal: AbortSignal) => {
    const answered = await exchange(message, shown, signal);
    try {
      await message.response.parse(answered.decoded);
    } catch (error) {
      throw toBrokerError(error, where);
    }
    return answered;
  };

  const listOffset = async ({ topic, partition }: PartitionName, timestamp: number, signal: AbortSignal) => {
    const topics = [{ topic, partitions: [{ partition, timestamp }] }];
    const parameters = { replicaId: NO_REPLICA, isolationLevel: READ_COMMITTED, topics };
    const { decoded, ms } = await demand(pick('ListOffsets', ListOffsets)(parameters), { topics }, signal);
    const [found] = decoded.responses[0]?.partitions ?? [];
    return { offset: BigInt(found?.offset ?? found?.offsets?.[0] ?? 0), ms };
  };

  return {
    ...facts,
    ended: socket.ended,
    close: () => socket.close(),

    async apiVersions(signal) {
      // A broker that does not know a version says so in the form of version 0.
      for (const version of ApiVersions.versions.map(Number).reverse()) {
        try {
          const { decoded, ms } = await demand(ApiVersions.protocol({ version })({}), {}, signal);
          known = new Map(
            decoded.apiVersions.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }]),
          );
          return { count: known.size, ms };
        } catch (error) {
          if (version === 0 || (error as { code?: unknown }).code !== 'unsupported_version') throw error;
        }
      }
      throw new ClosedError();
    },

    async saslHandshake(mechanism, signal) {
      const message = pick('SaslHandshake', SaslHandshake)({ mechanism });
      const { decoded, ms } = await exchange(message, { mechanism }, signal);
      const { errorCode, enabledMechanisms: mechanisms } = decoded;
      return { errorCode, errorName: nameKafkaError(errorCode), mechanisms, ms };
    },

    async saslAuthenticate(text, signal) {
      const message = pick('SaslAuthenticate', SaslAuthenticate)({ authBytes: withLength(text) });
      const { decoded, ms } = await exchange(message, { auth_bytes: text }, signal);
      const { errorCode, errorMessage, authBytes, sessionLifetimeMs = '0' } = decoded;
      return {
        errorCode,
        errorName: nameKafkaError(errorCode),
        // Where there is no error, Kafka sends an empty text.
        errorMessage: errorMessage || undefined,
        authBytes: authBytes.subarray(4).toString('utf8'),
        sessionLifetimeMs: Number(sessionLifetimeMs),
        ms,
      };
    },

    async metadata(names, signal) {
      const parameters = { topics: names, allowAutoTopicCreation: false };
      const { decoded, ms } = await demand(pick('Metadata', Metadata)(parameters), { topics: names }, signal);
      return {
        clusterId: decoded.clusterId ?? undefined,
        nodes: decoded.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
        topics: decoded.topicMetadata.map(({ topic, partitionMetadata }) => ({
          topic,
          partitions: partitionMetadata.map(({ partitionId, leader }) => ({
            partition: partitionId,
            leader,
          })),
        })),
        ms,
      };
    },

    async produce({ topic, partition }, value, signal) {
      const message = { key: null, value, headers: {}, timestamp: now() };
      const topicData = [{ topic, partitions: [{ partition, firstSequence: 0, messages: [message] }] }];
      const parameters = { acks: -1, timeout: timeoutMs, topicData };
      const shown = { topic, partition, bytes: Buffer.byteLength(value) };
      const { decoded, ms } = await demand(pick('Produce', Produce)(parameters), shown, signal);
      const [stored] = decoded.topics[0]?.partitions ?? [];
      const offset = stored?.baseOffset ?? stored?.offset;
      return { offset: offset === undefined ? undefined : BigInt(offset), ms };
    },

    async offsets(of, signal) {
      const first = await listOffset(of, EARLIEST, signal);
      const next = await listOffset(of, LATEST, signal);
      return { first: first.offset, next: next.offset, ms: first.ms + next.ms };
    },

    async fetch({ topic, partition }, offset, signal) {
      const partitions = [{ partition, fetchOffset: String(offset), maxBytes: MOST_FETCHED }];
      const parameters = {
        maxWaitTime: 0,
        minBytes: 0,
        maxBytes: MOST_FETCHED,
        topics: [{ topic, partitions }],
        rackId: '',
      };
      const shown = { topic, partition, offset: String(offset) };
      const { decoded, ms } = await demand(pick('Fetch', Fetch)(parameters), shown, signal);
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
        // A batch comes whole, whatever offset in it was asked for.
        .filter((one) => one.offset >= offset);
      return { messages, ms };
    },
  };
}

/** Bytes behind their length, as kafkajs wants them here. */
function withLength(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** What `-v` shows of an answer: no contents of messages, which are nobody's business. */
function renderAnswer(decoded: unknown): string {
  return JSON.stringify(decoded, (name, value) => {
    if (name === 'messages' && Array.isArray(value)) return `${value.length} messages`;
    if (name === 'apiVersions' && Array.isArray(value)) return `${value.length} APIs`;
    if (typeof value === 'bigint') return String(value);
    if (value?.type === 'Buffer') return Buffer.from(value.data).subarray(4).toString('utf8');
    return value;
  });
}
