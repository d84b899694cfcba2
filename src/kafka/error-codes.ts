import { errorCodes } from 'kafkajs/src/protocol/error.js';
import { ExitCode, OauthctlError } from '../errors.ts';

/** The name of an error code of the protocol. @see https://kafka.apache.org/protocol#protocol_error_codes */
export function nameKafkaError(code: number): string {
  return code === 0 ? 'NONE' : (errorCodes.find((one) => one.code === code)?.type ?? `error ${code}`);
}

const HINTS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "The token was accepted, and its principal may not do this: the broker's ACLs (or its authorizer) have to allow it for the topic.",
  CLUSTER_AUTHORIZATION_FAILED:
    'The token was accepted, and its principal may not do this with the cluster: the ACLs of the broker decide.',
  UNKNOWN_TOPIC_OR_PARTITION:
    'Check the name of the topic; it is not created here. Without the right to describe it a topic looks like one that is not there.',
  LEADER_NOT_AVAILABLE: 'A topic that is new looks like this for a moment; try again.',
};

/** What kafkajs throws for an error code of an answer. */
interface ProtocolError extends Error {
  readonly type: string;
  readonly code: number;
}

/** Whether an error is the broker's answer, and not for want of one. */
export function isProtocolError(error: unknown): error is ProtocolError {
  const { type, code } = (error ?? {}) as { type?: unknown; code?: unknown };
  return error instanceof Error && typeof type === 'string' && typeof code === 'number';
}

/** The error that a refusal of the broker is, the token being good; any other error is returned as it is. */
export function toBrokerError(error: unknown, where: string): unknown {
  if (!isProtocolError(error)) return error;
  const { type, code, message } = error;
  return new OauthctlError(
    type.toLowerCase(),
    ExitCode.refused,
    `${where} answered ${type} (${code}): ${message}`,
    {
      hint: HINTS[type],
      cause: error,
    },
  );
}
