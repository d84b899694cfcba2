import { errorCodes } from 'kafkajs/src/protocol/error.js';
import { ExitCode, OauthctlError } from '../errors.ts';

/** The name of an error code of the protocol. @see https://kafka.apache.org/protocol#protocol_error_codes */
export function nameKafkaError(code: number): string {
  return code === 0 ? 'NONE' : (errorCodes.find((one) => one.code === code)?.type ?? `error ${code}`);
}

const HINTS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "The token was accepted, but its principal is not allowed to do this: the broker's ACLs or authorizer must allow it for the topic.",
  CLUSTER_AUTHORIZATION_FAILED:
    'The token was accepted, but its principal is not allowed to do this with the cluster: the ACLs of the broker must allow it.',
  UNKNOWN_TOPIC_OR_PARTITION:
    'Check the name of the topic; oauthctl does not create it. A topic that the principal may not describe is reported as unknown, too.',
  LEADER_NOT_AVAILABLE: 'A new topic may have no leader for a moment; try again.',
};

/** What kafkajs throws for an error code of an answer. */
interface ProtocolError extends Error {
  readonly type: string;
  readonly code: number;
}

/** Whether an error is an error code in an answer of the broker. */
export function isProtocolError(error: unknown): error is ProtocolError {
  const { type, code } = (error ?? {}) as { type?: unknown; code?: unknown };
  return error instanceof Error && typeof type === 'string' && typeof code === 'number';
}

/** Builds the error of a request that the broker refused after authentication; any other error is returned unchanged. */
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
