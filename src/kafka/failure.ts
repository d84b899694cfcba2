import { NetworkError, OauthctlError, TimeoutError, UsageError } from '../errors.ts';
import { describeFailure } from '../http/failure.ts';
import { renderBroker } from '../protocol/kafka/oauthbearer.ts';
import { ClosedError, type ForeignAnswer, ForeignAnswerError } from './broker-socket.ts';
import { isProtocolError } from './error-codes.ts';
import type { BrokerAddress } from './types.ts';

/** How far an exchange with a broker came. */
export interface Progress {
  readonly stage: 'tcp' | 'tls' | 'exchange';
  /** Whether the connection is to be one of TLS. */
  readonly isTls: boolean;
  readonly timeoutMs: number;
  readonly now: number;
}

const FOREIGN: Readonly<Record<ForeignAnswer, readonly [code: string, what: string, hint: string]>> = {
  http: [
    'not_kafka',
    'answers by HTTP, and is no Kafka broker',
    "Check the port: the bootstrap server of a cluster is a listener of a broker, not its REST proxy or the authorization server's.",
  ],
  tls: [
    'tls',
    'speaks TLS on this port, and was spoken to in clear',
    'Add --ssl, and --ca-cert FILE where the certificate is of an authority of your own.',
  ],
  too_large: ['answer_too_large', 'announces a larger answer than oauthctl reads', 'Check the port.'],
  unreadable: ['answer_invalid', 'answered what is not the protocol of Kafka', 'Check host and port.'],
};

/** The error that a failed connection or exchange is; one of ours, or of an answer, is returned as it is. */
export function brokerFailure(error: unknown, address: BrokerAddress, progress: Progress): unknown {
  if (error instanceof OauthctlError || isProtocolError(error)) return error;
  // kafkajs brings along no more than gzip.
  if (error instanceof Error && error.name === 'KafkaJSNotImplemented')
    return new UsageError('compression_unsupported', `the messages cannot be read here: ${error.message}`, {
      hint: 'Messages that are not compressed, or with gzip, can be read.',
    });
  const { stage, isTls, timeoutMs, now } = progress;
  const where = renderBroker(address);
  const network = (code: string, message: string, hint: string) =>
    new NetworkError(code, `${where} ${message}`, { hint, cause: error });
  if (error instanceof DeadlineError) {
    return new TimeoutError(
      stage === 'exchange' ? 'answer_timeout' : 'connect_timeout',
      `${where} did not ${{ tcp: 'accept the connection', tls: 'finish the TLS handshake', exchange: 'answer' }[stage]} within ${timeoutMs / 1000} s`,
      { hint: 'Check host and port, and give it longer with --timeout SECONDS.', cause: error },
    );
  }
  if (error instanceof ForeignAnswerError) return network(...FOREIGN[error.reason]);
  // What reads an answer beyond its end.
  if (error instanceof RangeError || error instanceof TypeError) return network(...FOREIGN.unreadable);
  const isClosed = error instanceof ClosedError || isReset(error);
  if (stage === 'tls') {
    const isPlain = /wrong version number|WRONG_VERSION|packet length too long/i.test(String(error));
    if (isClosed || isPlain)
      return network(
        'tls',
        isPlain ? 'does not speak TLS on this port' : 'closed the connection during the TLS handshake',
        'A listener in clear looks like this: leave --ssl out. One that wants a client certificate takes --cert and --key.',
      );
  }
  if (stage === 'exchange' && isClosed) {
    return network(
      'connection_closed',
      'closed the connection without an answer',
      isTls
        ? 'The log of the broker says why.'
        : 'A listener of TLS looks like this (add --ssl), and so does one that is not for clients; the log of the broker says why.',
    );
  }
  return describeFailure(error, {
    url: new URL(`kafka://${where}`),
    proxy: undefined,
    answering: false,
    tlsFailure: undefined,
    certificate: undefined,
    timeoutMs,
    now,
  });
}

/** The time for an exchange is up. */
export class DeadlineError extends Error {}

function isReset(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
