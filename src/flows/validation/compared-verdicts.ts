import type { ClockOffset } from '../../protocol/clock-offset.ts';
import type { Check } from '../../protocol/jose/jwt-verdict.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ObservedVerdict } from './verdict-timeline.ts';

/** A cause of a difference or another remark on two verdicts, and its remedy. */
export interface Finding {
  /** Stable, in snake_case. */
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Both verdicts on one token, and what they depend on. */
export interface ComparedVerdicts {
  readonly token: string;
  readonly local: { readonly verdict: ObservedVerdict; readonly checks: readonly Check[] };
  readonly introspection: { readonly verdict: ObservedVerdict; readonly answer?: JsonObject | undefined };
  /** The claims of the token, unverified; undefined where they cannot be read. */
  readonly claims?: JsonObject | undefined;
  /** What the local check expects. */
  readonly issuer: string;
  readonly audience?: readonly string[] | undefined;
  /** Whether the server was recognised as Keycloak. */
  readonly isKeycloak?: boolean | undefined;
  /** The client that introspected. */
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds. */
  readonly leeway: number;
  /** Undefined where the server sends no Date header. */
  readonly clock?: ClockOffset | undefined;
  /** Whether introspection had accepted the token before. */
  readonly wasActive?: boolean | undefined;
}

/** The client that a token was issued to. */
export function readClient({ azp, client_id }: JsonObject): string | undefined {
  return [azp, client_id].find((id) => typeof id === 'string');
}

/**
 * Says how a client gets into the `aud` of the tokens of another client.
 * @param issuedTo the client that the tokens are issued to
 */
export function describeAudienceRemedy(
  client: string | undefined,
  issuedTo: string | undefined,
  isKeycloak = false,
): string {
  if (isKeycloak)
    return `Add an audience mapper for ${client} to the client ${issuedTo ?? 'that the token was issued to'}`;
  return `Let the server put ${client} into the aud of the tokens of ${issuedTo ?? 'this client'}`;
}

/** The finding that the clocks differ. */
export function buildSkewFinding(cause: string): Finding {
  return {
    code: 'clock_skew',
    cause: `The clocks differ: ${cause}.`,
    remedy: 'Set both clocks by the same source (NTP), or allow a difference with --leeway SECONDS.',
  };
}
