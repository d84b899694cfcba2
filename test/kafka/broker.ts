import type { Socket } from 'node:net';
import type { BrokerAddress } from '../../src/context.ts';
import { tcpServer } from '../http/servers.ts';

/** A request as a broker reads it. */
export interface BrokerRequest {
  readonly api: number;
  readonly version: number;
  readonly correlationId: number;
  readonly body: Buffer;
}

/** What a broker answers: the body of a response, or something else that it does with the socket. */
export type BrokerAnswer = Buffer | ((socket: Socket, request: BrokerRequest) => void);

export const API = { metadata: 3, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 } as const;

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
export const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};
const string = (value: string | null) =>
  value === null ? int16(-1) : Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
const array = (items: readonly Buffer[]) => Buffer.concat([int32(items.length), ...items]);

/** The answers of a broker, as Kafka encodes them. */
export const answers = {
  /** @param apis number, lowest and highest version */
  apiVersions: (apis: readonly (readonly [number, number, number])[], errorCode = 0) =>
    Buffer.concat([
      int16(errorCode),
      array(apis.map((numbers) => Buffer.concat(numbers.map(int16)))),
      int32(0),
    ]),
  saslHandshake: (mechanisms: readonly string[], errorCode = 0) =>
    Buffer.concat([int16(errorCode), array(mechanisms.map(string))]),
  saslAuthenticate: ({
    errorCode = 0,
    errorMessage = null as string | null,
    text = '',
    lifetimeMs = 0,
  } = {}) =>
    Buffer.concat([
      int16(errorCode),
      string(errorMessage),
      Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]),
      int64(lifetimeMs),
    ]),
  /** Of a cluster of one node, in version 1. */
  metadata: (port: number, topic?: { name: string; errorCode?: number }) =>
    Buffer.concat([
      array([Buffer.concat([int32(1), string('127.0.0.1'), int32(port), string(null)])]),
      int32(1),
      array(
        topic === undefined
          ? []
          : [Buffer.concat([int16(topic.errorCode ?? 0), string(topic.name), Buffer.of(0), array([])])],
      ),
    ]),
};

/** What a broker of our time speaks, as far as it is asked. */
export const SPOKEN = answers.apiVersions([
  [API.metadata, 0, 1],
  [API.saslHandshake, 0, 1],
  [API.apiVersions, 0, 2],
  [API.saslAuthenticate, 0, 1],
]);

/** Sends the body of a response. */
export function reply(
  socket: Socket,
  { correlationId }: Pick<BrokerRequest, 'correlationId'>,
  body: Buffer,
): void {
  socket.write(Buffer.concat([int32(body.length + 4), int32(correlationId), body]));
}

/**
 * A broker that answers each request as the test says.
 * @param answer undefined leaves a request without an answer
 */
export async function broker(
  answer: (request: BrokerRequest, port: number) => BrokerAnswer | undefined,
): Promise<BrokerAddress & { readonly requests: BrokerRequest[] }> {
  const requests: BrokerRequest[] = [];
  const port = await tcpServer((socket) => {
    let buffered = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const size = buffered.readInt32BE(0);
        const frame = buffered.subarray(4, 4 + size);
        buffered = buffered.subarray(4 + size);
        const clientIdLength = frame.readInt16BE(8);
        const request = {
          api: frame.readInt16BE(0),
          version: frame.readInt16BE(2),
          correlationId: frame.readInt32BE(4),
          body: frame.subarray(10 + clientIdLength),
        };
        requests.push(request);
        const given = answer(request, port);
        if (typeof given === 'function') given(socket, request);
        else if (given !== undefined) reply(socket, request, given);
      }
    });
  });
  return { host: '127.0.0.1', port, requests };
}
