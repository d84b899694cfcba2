import type { Context } from '../../context.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { Target } from '../server/target.ts';
import type { Finding } from '../validation/compared-verdicts.ts';
import { openValidators, type ValidateEvent } from '../validation/validate.ts';
import type { ObservedVerdict } from '../validation/verdict-timeline.ts';
import type { KafkaResult } from './connect.ts';
import { explainBrokerDifference } from './difference.ts';

/** The verdicts of the server and of the local check on the token that a broker has checked. */
export interface BrokerValidation {
  readonly local: ObservedVerdict;
  readonly introspection: ObservedVerdict;
  /** Whether the broker agrees with the server; undefined where one of them has no verdict. */
  readonly agree: boolean | undefined;
  /** Why they differ, and how the two other verdicts differ. */
  readonly findings: readonly Finding[];
}

/**
 * Validates the token of a run locally and by introspection, and compares the verdicts with the broker's.
 * @param target with the client that introspects
 * @throws the signal's reason; nothing that the server can cause
 */
export async function compareWithBroker(
  ctx: Context,
  { target, result }: { readonly target: Target; readonly result: KafkaResult },
  onEvent: (event: ValidateEvent) => void,
): Promise<BrokerValidation> {
  const { token, refusal } = result;
  const validators = openValidators(ctx, { target, token, leeway: 0 }, onEvent);
  const local = await validators.local();
  const introspection = await validators.introspection();
  const { differences } = validators.compare(local, introspection);
  const exp = decodeUnverified(token)?.claims.exp;
  const expiresIn = typeof exp === 'number' ? exp - ctx.clock.now() / 1000 : undefined;
  const verdicts = { local: local.verdict, introspection: introspection.verdict };
  const isJudged = introspection.verdict !== 'unknown' && refusal?.reason !== 'broker_failed';
  return {
    ...verdicts,
    agree: isJudged ? (introspection.verdict === 'accepted') === (refusal === undefined) : undefined,
    findings: [...explainBrokerDifference({ refusal, ...verdicts, expiresIn }), ...differences],
  };
}
