import { errorCodes } from 'kafkajs/src/protocol/error.js';
import { ExitCode, OauthctlError } from '../errors.ts';

/** Those that kafkajs does not know, or under an older name. */
const NEWER: Readonly<Record<number, string>> = { 0: 'NONE', 58: 'SASL_AUTHENTICATION_FAILED' };

/** The name of an error code of the protocol. @see https://kafka.apache.org/protocol#protocol_error_codes */
export function errorNameOf(code: number): string {
  return NEWER[code] ?? errorCodes.find((one) => one.code === code)?.type ?? `error ${code}`;
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

/**
 * The error that a refusal of the broker is, the token being good; other errors are returned as they are.
 * @param error what the codec threw
 */
export function refusalOf(error: unknown, where: string): unknown {
  const { type, code, message } = error as { type?: unknown; code?: unknown; message?: unknown };
  if (typeof type !== 'string' || typeof code !== 'number') return error;
  return Object.assign(
    new OauthctlError(type.toLowerCase(), ExitCode.refused, `${where} answered ${type} (${code}): ${message}`, {
      hint: HINTS[type],
      cause: error,
    }),
    { type },
  );
}
