import { timingSafeEqual } from 'node:crypto';
import { ValidationError } from '../../errors.ts';
import { readSingleValue } from '../../protocol/oauth/authorization.ts';
import type { FormParameters } from '../../protocol/oauth/form.ts';
import type { FindingVerdict } from './browser-wait.ts';

/** A request to the redirect URI whose `state` is not the one that was sent. */
export interface StateMismatch {
  /** What is wrong with its state, in words that follow "it has". */
  readonly reason: string;
  /** The error that it brought, in its own words. */
  readonly broughtError: string | undefined;
}

/**
 * Compares the `state` of a response with the one that was sent.
 * @param state of the response, where it does not stand in the parameters themselves
 * @returns undefined where it is the one that was sent, or none was sent
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-10.12
 */
export function findStateMismatch(
  sent: FormParameters,
  received: FormParameters,
  state: unknown = readSingleValue(received, 'state'),
): StateMismatch | undefined {
  const isRepeated = received.filter(([name]) => name === 'state').length > 1;
  const reason = describeState(readSingleValue(sent, 'state'), state, isRepeated);
  return reason === undefined ? undefined : { reason, broughtError: readBroughtError(received) };
}

/**
 * Turns a response away because of its state.
 * @param isFinding whether the wait ends with it where nothing else comes
 */
export function refuseResponse(
  mismatch: StateMismatch,
  { isFinding = true }: { readonly isFinding?: boolean } = {},
): FindingVerdict<never> {
  const { reason, broughtError } = mismatch;
  return {
    kind: 'turned_away',
    reason,
    ...(broughtError !== undefined && { detail: `it brought the error ${broughtError}` }),
    ...(isFinding && { finding: buildStateMismatchError(mismatch) }),
  };
}

function buildStateMismatchError({ reason, broughtError }: StateMismatch): ValidationError {
  const brought = broughtError === undefined ? '' : `; it brought the error ${broughtError}`;
  return new ValidationError('state_mismatch', `the response that came back has ${reason}${brought}`, {
    hint:
      'The server, or a proxy before it, must return "state" as it was sent (RFC 6749 §4.1.2). Otherwise it is the ' +
      'response to another request, or a forged one. Nothing of it was used.',
  });
}

function describeState(sent: string | undefined, received: unknown, isRepeated: boolean): string | undefined {
  if (sent === undefined) return undefined;
  if (isRepeated) return 'more than one state';
  if (typeof received !== 'string') return 'no state';
  const [one, other] = [sent, received].map((text) => Buffer.from(text));
  const isSame =
    one !== undefined && other !== undefined && one.length === other.length && timingSafeEqual(one, other);
  return isSame ? undefined : 'another state than the one that was sent';
}

/** Characters of a server's text that are shown. */
const LONGEST_TEXT = 300;

function readBroughtError(received: FormParameters): string | undefined {
  const [error, description] = ['error', 'error_description'].map((name) => readSingleValue(received, name));
  if (!error) return undefined;
  const text = description ? `${error}: ${description}` : error;
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
