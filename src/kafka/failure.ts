import { NetworkError, OauthctlError, TimeoutError, UsageError } from '../errors.ts';
import { describeFailure } from '../http/failure.ts';
import { renderBroker } from '../protocol/kafka/oauthbearer.ts';
import { ClosedError, type ForeignAnswer, ForeignAnswerError } from './broker-socket.ts';
import { isProtocolError } from './error-codes.ts';
import type { BrokerAddress } from './types.ts';

/** The stage that an exchange with a broker had reached. */
export interface BrokerProgress {
  readonly stage: 'tcp' | 'tls' | 'exchange';
  /** Whether the connection uses TLS. */
  readonly isTls: boolean;
  readonly timeoutMs: number;
  readonly now: number;
}

const FOREIGN: Readonly<Record<ForeignAnswer, readonly [code: string, what: string, hint: string]>> = {
  http: [
    'not_kafka',
    'answers with HTTP, so it is not a Kafka broker',
    "Check the port: the bootstrap server of a cluster is a listener of a broker, not its REST proxy or the authorization server's.",
  ],
  tls: [
    'tls',
    'speaks TLS on this port, but the connection is plaintext',
    'Add --ssl, and --ca-cert FILE if the certificate is from a private certificate authority.',
  ],
  too_large: ['answer_too_large', 'announces a larger answer than oauthctl reads', 'Check the port.'],
  unreadable: ['answer_invalid', 'sent an answer that is not in the Kafka protocol', 'Check host and port.'],
};

/** Describes a failed connection or exchange; an OauthctlError or an error code of the broker is returned unchanged. */
export function describeBrokerFailure(
  error: unknown,
  address: BrokerAddress,
  progress: BrokerProgress,
): unknown {
  if (error instanceof OauthctlError || isProtocolError(error)) return error;
  // kafkajs itself decompresses gzip only.
  if (error instanceof Error && error.name === 'KafkaJSNotImplemented')
    return new UsageError('compression_unsupported', `oauthctl cannot read the messages: ${error.message}`, {
      hint: 'oauthctl reads messages that are not compressed or are compressed with gzip.',
    });
  const { stage, isTls, timeoutMs, now } = progress;
  const where = renderBroker(address);
  const network = (code: string, message: string, hint: string) =>
    new NetworkError(code, `${where} ${message}`, { hint, cause: error });
  if (error instanceof DeadlineError) {
    return new TimeoutError(
      stage === 'exchange' ? 'answer_timeout' : 'connect_timeout',
      `${where} did not ${{ tcp: 'accept the connection', tls: 'finish the TLS handshake', exchange: 'answer' }[stage]} within ${timeoutMs / 1000} s`,
      { hint: 'Check host and port, or allow more time with --timeout SECONDS.', cause: error },
    );
  }
  if (error instanceof ForeignAnswerError) return network(...FOREIGN[error.reason]);
  // Thrown when an answer is shorter than its format requires.
  if (error instanceof RangeError || error instanceof TypeError) return network(...FOREIGN.unreadable);
  const isClosed = error instanceof ClosedError || isReset(error);
  if (stage === 'tls') {
    const isPlain = /wrong version number|WRONG_VERSION|packet length too long/i.test(String(error));
    if (isClosed || isPlain)
      return network(
        'tls',
        isPlain ? 'does not speak TLS on this port' : 'closed the connection during the TLS handshake',
        'The listener may be plaintext (omit --ssl), or may require a client certificate (--cert, --key).',
      );
  }
  if (stage === 'exchange' && isClosed) {
    return network(
      'connection_closed',
      'closed the connection without an answer',
      isTls
        ? 'See the log of the broker for the reason.'
        : 'The listener may require TLS (add --ssl), or may not be for clients; see the log of the broker for the reason.',
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

/** The deadline of an exchange has passed. */
export class DeadlineError extends Error {}

function isReset(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
