import type { SaslHandshake } from '../../context.ts';
import { ExitCode, OauthctlError, UsageError, ValidationError } from '../../errors.ts';
import { OAUTHBEARER, type OauthbearerChallenge } from '../../protocol/kafka/oauthbearer.ts';
import type { RefusalVerdict } from '../../protocol/kafka/refusal.ts';

/** That the broker did not accept the token, in its own words, and what is behind it. */
export interface KafkaRefusal extends RefusalVerdict {
  readonly errorCode: number;
  readonly errorName: string;
  readonly errorMessage: string | undefined;
  readonly challenge: OauthbearerChallenge | undefined;
}

/** The failure that a refusal is; undefined where the broker accepted the token. */
export function brokerError({
  refusal,
}: {
  readonly refusal: KafkaRefusal | undefined;
}): OauthctlError | undefined {
  if (refusal === undefined) return undefined;
  const { reason, cause, remedy } = refusal;
  const hint = `${cause} ${remedy}`;
  const message = `the broker refused the token: ${quoteBroker(refusal)}`;
  // The token was not judged.
  if (reason === 'broker_failed')
    return new OauthctlError('broker_failed', ExitCode.refused, message, { hint });
  return new ValidationError('token_refused_by_broker', message, { hint });
}

/** What the broker said, word for word; where it said nothing, what it did. */
export function quoteBroker({ errorCode, errorMessage, errorName, challenge }: KafkaRefusal): string {
  const unsaid = errorCode === 0 ? 'it closed the connection' : errorName;
  return errorMessage ?? challenge?.text ?? unsaid;
}

/** The failure that a listener is which does not take this mechanism. */
export function handshakeRefused({ errorCode, errorName, mechanisms }: SaslHandshake): OauthctlError {
  const said = `${errorName} (${errorCode})`;
  if (mechanisms.length > 0 && !mechanisms.includes(OAUTHBEARER)) {
    return new UsageError(
      'mechanism_not_enabled',
      `the broker answered ${said}: this listener takes ${mechanisms.join(', ')}, and not ${OAUTHBEARER}`,
      {
        hint: 'Connect to the listener whose sasl.enabled.mechanisms has OAUTHBEARER, or enable it there.',
      },
    );
  }
  return new UsageError('sasl_not_enabled', `the broker answered ${said}: this listener takes no SASL`, {
    hint: 'It takes anybody without a token. Connect to the listener of SASL_PLAINTEXT or SASL_SSL.',
  });
}
