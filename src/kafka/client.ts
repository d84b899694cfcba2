import { buildTlsOptions } from '../http/tls-options.ts';
import type { Recorder, TransportOptions } from '../http/types.ts';
import { BrokerSocket, openTcp, openTls } from './broker-socket.ts';
import { KafkaConnection } from './connection.ts';
import { type BrokerProgress, DeadlineError, describeBrokerFailure } from './failure.ts';
import type { BrokerAddress, KafkaClient } from './types.ts';

/**
 * Creates the client of Kafka brokers. kafkajs encodes the requests; none is retried.
 * @param options deadlines in milliseconds, PEM texts; proxies do not apply to brokers
 * @param recorder receives every exchange, answered or not
 * @param now milliseconds since the epoch
 */
export function createKafkaClient(
  options: TransportOptions,
  recorder: Recorder,
  now: () => number,
): KafkaClient {
  /** Runs a step under its deadline, and describes its failure. */
  const within = async <Value>(
    address: BrokerAddress,
    progress: Pick<BrokerProgress, 'stage' | 'isTls'>,
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
      throw describeBrokerFailure(error, address, { ...progress, timeoutMs, now: now() });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async connect(address, { tls: isTls }, signal) {
      const { certificate: _, ...tls } = isTls ? await buildTlsOptions(options) : {};
      const tcp = await within(address, { stage: 'tcp', isTls }, signal, (both) =>
        openTcp(address, both, now),
      );
      const secured = isTls
        ? await within(address, { stage: 'tls', isTls }, signal, (both) =>
            openTls(tcp.socket, address, tls, both, now),
          )
        : undefined;
      return new KafkaConnection({
        address,
        tcpMs: tcp.ms,
        tls: secured && { protocol: secured.socket.getProtocol() ?? 'TLS', ms: secured.ms },
        socket: new BrokerSocket(secured?.socket ?? tcp.socket),
        recorder,
        timeoutMs: options.timeoutMs,
        now,
        within: (sending, work) => within(address, { stage: 'exchange', isTls }, sending, work),
      });
    },
  };
}
