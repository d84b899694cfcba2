import type { SaslHandshake } from '../../context.ts';
import { ExitCode, OauthctlError, UsageError, ValidationError } from '../../errors.ts';
import { OAUTHBEARER, type OauthbearerChallenge } from '../../protocol/kafka/oauthbearer.ts';
import type { RefusalVerdict } from '../../protocol/kafka/refusal.ts';

/** The broker's refusal of a token in its own words, with cause and remedy. */
export interface KafkaRefusal extends RefusalVerdict {
  readonly errorCode: number;
  readonly errorName: string;
  readonly errorMessage: string | undefined;
  readonly challenge: OauthbearerChallenge | undefined;
}

/** Builds the error of a refusal; undefined where the broker accepted the token. */
export function brokerError({
  refusal,
}: {
  readonly refusal: KafkaRefusal | undefined;
}): OauthctlError | undefined {
  if (refusal === undefined) return undefined;
  const { reason, cause, remedy } = refusal;
  const hint = `${cause} ${remedy}`;
  const message = `the broker refused the token: ${quoteBroker(refusal)}`;
  // The broker did not check the token.
  if (reason === 'broker_failed')
    return new OauthctlError('broker_failed', ExitCode.refused, message, { hint });
  return new ValidationError('token_refused_by_broker', message, { hint });
}

/** Quotes the broker; where it sent no message, says what it did. */
export function quoteBroker({ errorCode, errorMessage, errorName, challenge }: KafkaRefusal): string {
  const unsaid = errorCode === 0 ? 'it closed the connection' : errorName;
  return errorMessage ?? challenge?.text ?? unsaid;
}

/** Builds the error of a listener that does not enable OAUTHBEARER. */
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
