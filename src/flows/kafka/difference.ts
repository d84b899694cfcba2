import type { RefusalVerdict } from '../../protocol/kafka/refusal.ts';
import type { Finding } from '../validation/compared-verdicts.ts';
import type { WayVerdict } from '../validation/verdict-timeline.ts';

/** What broker, local check and introspection made of one token. */
export interface BrokerComparison {
  /** Undefined where the broker accepted it. */
  readonly refusal: Pick<RefusalVerdict, 'reason' | 'cause' | 'remedy'> | undefined;
  readonly local: WayVerdict;
  readonly introspection: WayVerdict;
  /** Seconds for which the token lives by its claims; undefined where nobody knows. */
  readonly expiresIn: number | undefined;
}

/**
 * Why a broker's verdict is not that of the authorization server, or of a local check.
 * @returns nothing where they agree, or where nobody else has a verdict
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
      cause: `The server calls the token active, and the broker refuses it: ${refusal.cause}`,
      remedy: refusal.remedy,
    });
  } else if (introspection === 'refused' && local === 'accepted') {
    findings.push({
      code: 'broker_introspects',
      cause:
        'The token passes a local check, and the server calls it inactive: the broker agrees with the server.',
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
        cause: `The server calls the token inactive, and the broker accepts it: this listener checks tokens locally, so it does not see that one was revoked, and goes on until ${until}.`,
        remedy: 'Let tokens live briefly, or use a listener that introspects.',
      },
    ];
  }
  if (local !== 'refused') return [];
  return [
    {
      code: 'broker_accepts_more',
      cause: 'A local check refuses the token, and the broker accepts it: the listener demands less.',
      remedy: '"oauthctl validate" shows which check fails; compare it with the settings of the listener.',
    },
  ];
}
