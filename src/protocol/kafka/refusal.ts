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

/** What is behind a refusal. */
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
  /** How the broker validates, as far as the text gives it away. */
  readonly validation: 'introspection' | 'local' | undefined;
  readonly cause: string;
  readonly remedy: string;
}

interface Case extends RefusalVerdict {
  readonly says: RegExp;
}

const NEW_TOKEN = 'Request a new token, and connect again.';
const COMPARE_ISSUER =
  'Compare iss ("oauthctl jwt decode") with oauth.valid.issuer.uri or sasl.oauthbearer.expected.issuer of the listener, to the character.';

/** From a broker's text to what is behind it: Strimzi's and Kafka's own; the special before the general. */
const CASES: readonly Case[] = [
  {
    says: /token not active/i,
    reason: 'inactive',
    validation: 'introspection',
    cause: 'The broker asked the introspection endpoint of the server, and that called the token inactive.',
    remedy:
      '"oauthctl validate" asks the same; Keycloak 26 calls a token inactive as well where the client of the broker is not in its aud.',
  },
  {
    says: /token expired|expired at|is expired|no longer valid|expiration time/i,
    reason: 'expired',
    validation: 'local',
    cause: 'The token has expired by the clock of the broker.',
    remedy: `${NEW_TOKEN} Where it is fresh, compare the clocks.`,
  },
  {
    says: /unknown signing key|^(?=.*(?:unable to find|no suitable|no matching) ).*key/is,
    reason: 'key_unknown',
    validation: 'local',
    cause:
      'The key that the token is signed with is not in the JWKS that the broker knows: it is of another realm, or the keys were changed and the broker has not fetched them yet.',
    remedy:
      'Compare kid with "oauthctl discover" of the realm of the listener, and see oauth.jwks.endpoint.uri and oauth.jwks.refresh.seconds.',
  },
  {
    says: /issuer not allowed|^(?=.*\biss(?:uer)?\b).*(?:invalid|expected|doesn't match|does not match|rejected)/is,
    reason: 'issuer_not_allowed',
    validation: 'local',
    cause:
      'The listener takes tokens of another issuer; the same realm by another host name is another issuer.',
    remedy: COMPARE_ISSUER,
  },
  {
    says: /signature/i,
    reason: 'signature_wrong',
    validation: 'local',
    cause: 'The signature does not fit: the token was altered, or signed by somebody else.',
    remedy: NEW_TOKEN,
  },
  {
    says: /audience/i,
    reason: 'audience_missing',
    validation: 'local',
    cause: 'The listener wants its own client in aud, and the token does not name it.',
    remedy:
      'Add an audience mapper for the client of the broker to the client that the token is issued to, and get a new one.',
  },
  {
    says: /failed to parse jwt|not a (?:valid )?jwt|invalid jwt|malformed|jose object|compact serialization/i,
    reason: 'not_a_jwt',
    validation: 'local',
    cause:
      'The broker validates locally, and this is no JWT that it can read: opaque, cut short, or alg none.',
    remedy: 'An opaque token takes a listener that introspects.',
  },
  {
    says: /cannot change principals/i,
    reason: 'principal_changed',
    validation: undefined,
    cause: 'The new token is of another principal than the one that the connection was opened with.',
    remedy: 'A connection stays with one user or client: connect anew.',
  },
  {
    says: /runtime failure|failed to introspect|^(?=.*introspection ).*(?:fail|error)/is,
    reason: 'broker_failed',
    validation: undefined,
    cause:
      'The token was not judged: the broker could not ask the server, because its own client id or secret is wrong, or the endpoint is down.',
    remedy:
      "Look up the ErrId in the broker's log, and check oauth.client.id, oauth.client.secret and oauth.introspection.endpoint.uri of the listener.",
  },
  {
    says: /claim|scope|token type|username/i,
    reason: 'claim_unfit',
    validation: undefined,
    cause: 'A claim is missing, or not what the listener is configured for.',
    remedy:
      'Compare the claims ("oauthctl jwt decode") with oauth.username.claim, oauth.custom.claim.check and oauth.scope.',
  },
];

const UNTOLD = {
  reason: 'unknown',
  validation: undefined,
  cause: 'The broker does not say why.',
  remedy: 'Its log does; "oauthctl validate" shows what the server and a local check make of the token.',
} as const satisfies RefusalVerdict;

const KAFKAS_OWN = {
  ...UNTOLD,
  validation: 'local',
  cause:
    "Kafka's own validator checks signature, iss, aud and exp locally, and tells clients no more than this.",
} as const satisfies RefusalVerdict;

/** What is behind a connection that ends at its first use, the token having been accepted after it had expired. */
export const EXPIRED_WITHIN_SKEW: RefusalVerdict = {
  reason: 'expired',
  validation: 'local',
  cause:
    "The token has expired. The broker let it pass, as it allows for clocks that differ (Kafka's own validator for 30 s, sasl.oauthbearer.clock.skew.seconds), and ended the session, which lives no longer than the token.",
  remedy: NEW_TOKEN,
};

/**
 * Says what is behind a refusal: by the broker's text, or where that is silent, by the claims of the token.
 * @param claims of the token, not verified; undefined where it is opaque
 * @param now milliseconds since the epoch
 */
export function explainBrokerRefusal(
  { errorMessage, challenge }: BrokerRefusal,
  claims: JWTPayload | undefined,
  now: number,
): RefusalVerdict {
  const found = errorMessage === undefined ? undefined : CASES.find(({ says }) => says.test(errorMessage));
  const isExpired = typeof claims?.exp === 'number' && claims.exp * 1000 <= now;
  if (found === undefined) {
    const untold = challenge === undefined ? UNTOLD : KAFKAS_OWN;
    if (!isExpired) return untold;
    return {
      ...untold,
      reason: 'expired',
      cause: `${untold.cause} The token has expired.`,
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
          ? 'The token is opaque here, so there is no more to tell.'
          : 'By its claims it lives, so it was revoked, its session ended, its client or user was disabled, it is of another server, or the broker may not ask about it.'
    }`,
  };
}
