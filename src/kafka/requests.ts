import createRequest from 'kafkajs/src/protocol/request.js';
import type { Api, Message } from 'kafkajs/src/protocol/requests/codec';
import { NetworkError } from '../errors.ts';
import type { Recorder } from '../http/types.ts';
import { type BrokerSocket, ForeignAnswerError } from './broker-socket.ts';
import { isProtocolError, toBrokerError } from './error-codes.ts';

const CLIENT_ID = 'oauthctl';
/** @see https://kafka.apache.org/protocol#protocol_api_keys */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  SaslHandshake: 17,
  ApiVersions: 18,
  SaslAuthenticate: 36,
} as const;
export type ApiName = keyof typeof API_KEYS;

/** The versions of an API that the broker supports. */
export interface SupportedVersions {
  readonly min: number;
  readonly max: number;
}

export interface KafkaAnswer<Decoded> {
  readonly decoded: Decoded;
  readonly ms: number;
}

export interface KafkaRequestOptions {
  readonly socket: BrokerSocket;
  /** Host and port of the broker. */
  readonly where: string;
  readonly recorder: Recorder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs an exchange under its deadline, and describes its failure. */
  within<Value>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Value>): Promise<Value>;
}

/** Sends requests on one connection, one at a time, and records each exchange. */
export class BrokerRequests {
  readonly #options: KafkaRequestOptions;
  #lastCorrelationId = 0;
  #supported: ReadonlyMap<number, SupportedVersions> = new Map();

  constructor(options: KafkaRequestOptions) {
    this.#options = options;
  }

  /** @param versions by API key, as the broker listed them */
  setSupportedVersions(versions: ReadonlyMap<number, SupportedVersions>): void {
    this.#supported = versions;
  }

  /** Builds a request in the newest version that both sides support. @throws NetworkError `api_unsupported` */
  build<Parameters, Decoded>(
    name: ApiName,
    api: Api<Parameters, Decoded>,
    parameters: Parameters,
  ): Message<Decoded> {
    const { min, max } = this.#supported.get(API_KEYS[name]) ?? { min: 0, max: -1 };
    const version = Math.max(...api.versions.map(Number).filter((one) => one >= min && one <= max));
    if (Number.isFinite(version)) return api.protocol({ version })(parameters);
    const message = `${this.#options.where} supports no version of ${name} that oauthctl supports`;
    throw new NetworkError('api_unsupported', message, {
      hint: 'Kafka 1.0 and later support all APIs that are needed; the port may be an inter-broker listener.',
    });
  }

  /**
   * Sends a request and decodes the answer, whatever its error code.
   * @param shown what the record of the exchange shows of the request
   */
  async send<Decoded>(
    { request, response }: Message<Decoded>,
    shown: object,
    signal: AbortSignal,
  ): Promise<KafkaAnswer<Decoded>> {
    const { socket, where, recorder, now, within } = this.#options;
    const startedAt = now();
    this.#lastCorrelationId += 1;
    const correlationId = this.#lastCorrelationId;
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
      const answered = await within(signal, async (both) => {
        const answer = await socket.exchange(frame.buffer, both);
        const received = now();
        if (answer.readInt32BE(0) !== correlationId) throw new ForeignAnswerError('unreadable');
        return { decoded: await response.decode(answer.subarray(4)), ms: received - startedAt };
      });
      const { decoded, ms } = answered;
      const status = (decoded as { errorCode?: number }).errorCode ?? 0;
      recorder.record({ ...recorded, answer: { status, headers: {}, body: renderAnswer(decoded), ms } });
      return answered;
    } catch (error) {
      // After an answer that cannot be read, the start of the next one is unknown.
      if (!isProtocolError(error)) socket.close();
      const failure = toBrokerError(error, where);
      recorder.record({ ...recorded, failure: failure instanceof Error ? failure.message : String(failure) });
      throw failure;
    }
  }

  /** As `send`; an error code in the answer is thrown. */
  async demand<Decoded>(
    message: Message<Decoded>,
    shown: object,
    signal: AbortSignal,
  ): Promise<KafkaAnswer<Decoded>> {
    const answered = await this.send(message, shown, signal);
    try {
      await message.response.parse(answered.decoded);
    } catch (error) {
      throw toBrokerError(error, this.#options.where);
    }
    return answered;
  }
}

/** Renders an answer for the record, without the contents of messages. */
function renderAnswer(decoded: unknown): string {
  return JSON.stringify(decoded, (name, value) => {
    if (name === 'messages' && Array.isArray(value)) return `${value.length} messages`;
    if (name === 'apiVersions' && Array.isArray(value)) return `${value.length} APIs`;
    if (typeof value === 'bigint') return String(value);
    if (value?.type === 'Buffer') return Buffer.from(value.data).subarray(4).toString('utf8');
    return value;
  });
}
