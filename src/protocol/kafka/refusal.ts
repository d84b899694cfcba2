import type { JWTPayload } from 'jose';
import type { OauthbearerChallenge } from './oauthbearer.ts';

/** What a broker said when it refused to authenticate. */
export interface BrokerRefusal {
  /** Of the protocol; 0 where a challenge came instead. */
  readonly errorCode: number;
  /** The broker's own text. */
  readonly errorMessage: string | undefined;
  readonly challenge: OauthbearerChallenge | undefined;
}

/** The explanation of a refusal. */
export interface RefusalVerdict {
  /** Stable, in snake_case. */
  readonly reason:
    | 'inactive'
    | 'expired'
    | 'signature_wrong'
    | 'key_unknown'
    | 'issuer_not_allowed'
    | 'audience_missing'
    | 'not_a_jwt'
    | 'claim_unfit'
    | 'principal_changed'
    | 'broker_failed'
    | 'unknown';
  /** How the broker validates tokens, if the text shows it. */
  readonly validation: 'introspection' | 'local' | undefined;
  readonly cause: string;
  readonly remedy: string;
}

interface Case extends RefusalVerdict {
  /** Patterns one of which the text matches; of a pair, the second matches what follows the first. */
  readonly says: readonly (RegExp | readonly [RegExp, RegExp])[];
}

const NEW_TOKEN = 'Request a new token, and connect again.';
const COMPARE_ISSUER =
  'Compare iss ("oauthctl jwt decode") with oauth.valid.issuer.uri or sasl.oauthbearer.expected.issuer of the listener; they must be identical.';

/** The explanations by the text of the broker, Strimzi's and Kafka's; the more specific first. */
const CASES: readonly Case[] = [
  {
    says: [/token not active/i],
    reason: 'inactive',
    validation: 'introspection',
    cause: 'The broker introspected the token, and the server answered that it is inactive.',
    remedy:
      '"oauthctl validate" introspects it as well. A server may call a token inactive if the client of the broker is not in its aud.',
  },
  {
    says: [/token expired|expired at|is expired|no longer valid|expiration time/i],
    reason: 'expired',
    validation: 'local',
    cause: 'The token has expired by the clock of the broker.',
    remedy: `${NEW_TOKEN} If the token is new, compare the clocks.`,
  },
  {
    says: [/unknown signing key/i, [/unable to find |no suitable |no matching /i, /key/i]],
    reason: 'key_unknown',
    validation: 'local',
    cause:
      'The key that the token is signed with is not in the JWKS of the broker: the token is from another issuer, or the keys were changed and the broker has not fetched them yet.',
    remedy:
      'Compare kid with the keys of the issuer, and check oauth.jwks.endpoint.uri and oauth.jwks.refresh.seconds of the listener.',
  },
  {
    says: [
      /issuer not allowed/i,
      [/issuer /i, /invalid|expected/i],
      [/iss/i, /doesn't match|does not match|rejected/i],
    ],
    reason: 'issuer_not_allowed',
    validation: 'local',
    cause:
      'The listener accepts tokens of another issuer; the same server under another host name is another issuer.',
    remedy: COMPARE_ISSUER,
  },
  {
    says: [/signature/i],
    reason: 'signature_wrong',
    validation: 'local',
    cause: 'The signature is wrong: the token was altered, or signed with another key.',
    remedy: NEW_TOKEN,
  },
  {
    says: [/audience/i],
    reason: 'audience_missing',
    validation: 'local',
    cause: 'The listener requires its own client in aud, but the token does not have it.',
    remedy: 'Let the server put the client of the broker into the aud of the token, and request a new one.',
  },
  {
    says: [
      /failed to parse jwt|not a (?:valid )?jwt|invalid jwt|malformed|jose object|compact serialization/i,
    ],
    reason: 'not_a_jwt',
    validation: 'local',
    cause:
      'The broker validates tokens locally and cannot read this one as a JWT: it is opaque, cut short, or not signed (alg none).',
    remedy: 'An opaque token requires a listener that introspects.',
  },
  {
    says: [/cannot change principals/i],
    reason: 'principal_changed',
    validation: undefined,
    cause: 'The new token is for another principal than that of the connection.',
    remedy: 'The user or client of a connection cannot change: open a new connection.',
  },
  {
    says: [/runtime failure|failed to introspect/i, [/introspection /i, /fail|error/i]],
    reason: 'broker_failed',
    validation: undefined,
    cause:
      'The token was not checked: the broker could not introspect it, because its own client id or secret is wrong, or the endpoint is down.',
    remedy:
      "Look up the ErrId in the broker's log, and check oauth.client.id, oauth.client.secret and oauth.introspection.endpoint.uri of the listener.",
  },
  {
    says: [/claim|scope|token type|username/i],
    reason: 'claim_unfit',
    validation: undefined,
    cause: 'A claim is missing, or does not have the value that the listener requires.',
    remedy:
      'Compare the claims ("oauthctl jwt decode") with oauth.username.claim, oauth.custom.claim.check and oauth.scope.',
  },
];

const UNEXPLAINED = {
  reason: 'unknown',
  validation: undefined,
  cause: 'The broker does not say why.',
  remedy: 'Check the log of the broker; "oauthctl validate" checks the token locally and by introspection.',
} as const satisfies RefusalVerdict;

const KAFKA_VALIDATOR = {
  ...UNEXPLAINED,
  validation: 'local',
  cause:
    "Kafka's own validator checks signature, iss, aud and exp locally, and does not tell clients which check failed.",
} as const satisfies RefusalVerdict;

/** The explanation of a connection that is closed at its first use, because the token had expired before. */
export const EXPIRED_WITHIN_SKEW: RefusalVerdict = {
  reason: 'expired',
  validation: 'local',
  cause:
    "The token has expired. The broker accepted it, because it allows a clock difference (Kafka's own validator 30 s, sasl.oauthbearer.clock.skew.seconds), but ended the session, which cannot outlive the token.",
  remedy: NEW_TOKEN,
};

/** Whether a text matches a pattern, or two of them one after the other. */
function isSaid(pattern: Case['says'][number], text: string): boolean {
  if (pattern instanceof RegExp) return pattern.test(text);
  const [first, second] = pattern;
  const found = first.exec(text);
  return found !== null && second.test(text.slice(found.index + found[0].length));
}

/**
 * Explains a refusal by the text of the broker or, if there is none, by the claims of the token.
 * @param claims of the token, not verified; undefined where it is opaque
 * @param now milliseconds since the epoch
 */
export function explainBrokerRefusal(
  { errorMessage, challenge }: BrokerRefusal,
  claims: JWTPayload | undefined,
  now: number,
): RefusalVerdict {
  const found =
    errorMessage === undefined
      ? undefined
      : CASES.find(({ says }) => says.some((one) => isSaid(one, errorMessage)));
  const isExpired = typeof claims?.exp === 'number' && claims.exp * 1000 <= now;
  if (found === undefined) {
    const unexplained = challenge === undefined ? UNEXPLAINED : KAFKA_VALIDATOR;
    if (!isExpired) return unexplained;
    return {
      ...unexplained,
      reason: 'expired',
      cause: `${unexplained.cause} The token has expired.`,
      remedy: NEW_TOKEN,
    };
  }
  const { says: _, ...verdict } = found;
  if (verdict.reason !== 'inactive') return verdict;
  return {
    ...verdict,
    cause: `${verdict.cause} ${
      isExpired
        ? 'It has expired.'
        : claims === undefined
          ? 'The token is opaque, so its claims are not known here.'
          : 'By its claims it is valid, so it was revoked, its session ended, its client or user was disabled, it is from another server, or the broker may not introspect it.'
    }`,
  };
}
