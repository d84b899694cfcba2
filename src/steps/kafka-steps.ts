import type { KafkaEvent } from '../flows/kafka/events.ts';
import { quoteBroker } from '../flows/kafka/refusal.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { renderBroker } from '../protocol/kafka/oauthbearer.ts';

/** The events after the authentication. */
type SessionUse = Extract<
  KafkaEvent,
  { type: 'metadata' | 'produced' | 'consumed' | 'hold_started' | 'holding' }
>;

/** Reports the requests to the broker and its responses. */
export class KafkaSteps {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reports one event. */
  readonly report = (event: KafkaEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'connecting':
        this.#sent(
          `connects to ${printable(renderBroker(event.address))}  ${event.isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT'}`,
        );
        return;
      case 'unreachable':
        reporter.warning(`${printable(event.error.message)}; trying the next bootstrap server`);
        return;
      case 'connected': {
        const { tcpMs, tls } = event.connection;
        this.#came('connected', tcpMs);
        if (tls) this.#came(tls.protocol, tls.ms);
        return;
      }
      case 'api_versions':
        this.#came(`ApiVersions: ${event.count} APIs`, event.ms);
        return;
      case 'sasl_handshake':
        this.#came(`SaslHandshake: ${printable(event.mechanisms.join(', ')) || 'no mechanism'}`, event.ms);
        return;
      case 'challenge':
        this.#came(`SaslAuthenticate: ${printable(event.challenge.text)}`, event.ms, 'bad');
        return;
      case 'authenticated':
        this.#came(
          `SaslAuthenticate${event.isAgain ? ' again' : ''}: token accepted · ${sessionInWords(event.sessionLifetimeMs)}`,
          event.ms,
          'good',
        );
        return;
      case 'refused': {
        const { refusal, ms } = event;
        reporter.step({
          mark: '',
          parties: 'broker → client',
          text:
            refusal.errorCode === 0
              ? 'refused'
              : `SaslAuthenticate: ${refusal.errorName} (${refusal.errorCode})`,
          ms,
          tone: 'bad',
          details: [printable(quoteBroker(refusal))],
        });
        return;
      }
      default:
        this.#reportUse(event);
    }
  };

  #reportUse(event: SessionUse): void {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'metadata': {
        const { nodes, topics, ms } = event.cluster;
        this.#came(`Metadata: ${count(nodes.length, 'node')}, ${count(topics.length, 'topic')}`, ms);
        return;
      }
      case 'produced': {
        const { topic, partition, offset } = event.produced;
        const where = `${printable(topic)}, partition ${partition}${offset === undefined ? '' : `, offset ${offset}`}`;
        this.#came(`Produce: stored in ${where}`, event.ms, 'good');
        return;
      }
      case 'consumed': {
        const fewer = event.count < event.wanted ? '; there are no more' : '';
        this.#came(`Fetch: ${count(event.count, 'message')}${fewer}`, event.ms, 'good');
        return;
      }
      case 'hold_started':
        reporter.note(
          `holding for ${inWords(event.holdMs / 1000)}${event.sessionLifetimeMs === 0 ? ' · the broker does not check the token again, even after it has expired' : ''}`,
        );
        return;
      case 'holding':
        reporter.live(
          `${inWords(event.leftMs / 1000)} left${event.sessionLeftMs === undefined ? '' : ` · session ends in ${inWords(event.sessionLeftMs / 1000)}`}`,
        );
    }
  }

  #sent(text: string): void {
    this.#reporter.step({ mark: '', parties: 'client → broker', text });
  }

  #came(text: string, ms: number, tone: 'plain' | 'good' | 'bad' = 'plain'): void {
    this.#reporter.step({ mark: '', parties: 'broker → client', text, ms, tone });
  }
}

/** Describes how long the broker serves the connection without re-authentication. */
export function sessionInWords(lifetimeMs: number): string {
  return lifetimeMs === 0 ? 'session without an expiry' : `session of ${inWords(lifetimeMs / 1000)}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
