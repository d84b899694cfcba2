import type { RefusalVerdict } from '../../protocol/kafka/refusal.ts';
import type { Finding } from '../validation/compared-verdicts.ts';
import type { ObservedVerdict } from '../validation/verdict-timeline.ts';

/** The verdicts of broker, local check and introspection on one token. */
export interface BrokerComparison {
  /** Undefined where the broker accepted it. */
  readonly refusal: Pick<RefusalVerdict, 'reason' | 'cause' | 'remedy'> | undefined;
  readonly local: ObservedVerdict;
  readonly introspection: ObservedVerdict;
  /** Seconds until the token expires by its claims; undefined where they do not say. */
  readonly expiresIn: number | undefined;
}

/**
 * Explains why the verdict of a broker differs from that of the authorization server or of the local check.
 * @returns an empty list where they agree, or where there is no other verdict
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-4
 */
export function explainBrokerDifference(compared: BrokerComparison): readonly Finding[] {
  const { refusal, local, introspection } = compared;
  if (refusal === undefined) return explainAcceptance(compared);
  if (refusal.reason === 'broker_failed') return [];
  const findings: Finding[] = [];
  if (introspection === 'accepted') {
    findings.push({
      code: 'broker_refuses_alone',
      cause: `The server calls the token active, but the broker refuses it: ${refusal.cause}`,
      remedy: refusal.remedy,
    });
  } else if (introspection === 'refused' && local === 'accepted') {
    findings.push({
      code: 'broker_introspects',
      cause:
        'The token passes the local check, but the server calls it inactive: the broker agrees with the server.',
      remedy: 'The token was revoked or its session ended: request a new one.',
    });
  }
  return findings;
}

function explainAcceptance({ local, introspection, expiresIn }: BrokerComparison): readonly Finding[] {
  if (introspection === 'refused') {
    const until =
      expiresIn === undefined ? 'it expires' : `it expires, in ${Math.max(0, Math.round(expiresIn))} s`;
    return [
      {
        code: 'revocation_unseen',
        cause: `The server calls the token inactive, but the broker accepts it: this listener checks tokens locally, so it does not notice a revocation and accepts the token until ${until}.`,
        remedy: 'Use short-lived tokens, or a listener that introspects.',
      },
    ];
  }
  if (local !== 'refused') return [];
  return [
    {
      code: 'broker_accepts_more',
      cause: 'The local check refuses the token, but the broker accepts it: the listener requires less.',
      remedy: '"oauthctl validate" shows which check fails; compare it with the settings of the listener.',
    },
  ];
}
