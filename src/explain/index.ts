import { ExitCode, type OauthctlError, RefusedError } from '../errors.ts';
import { CASES } from './cases.ts';

export interface Explanation {
  /** Why the server refused. */
  readonly cause: string;
  /** What the user can do about it. */
  readonly remedy: string;
}

/**
 * Finds the cause and the remedy of a refusal: the first case in the table that fits.
 * @returns undefined where no case fits, or the error has a hint of its own
 */
export function explain(error: OauthctlError): Explanation | undefined {
  if (!(error instanceof RefusedError) || error.hint !== undefined) return undefined;
  const { oauth } = error;
  const isPersonsAnswer = error.exitCode === ExitCode.denied;
  return CASES.find(
    ({ when }) =>
      (when.endpoint === undefined || when.endpoint === oauth.endpoint) &&
      (when.error === undefined || when.error === oauth.error) &&
      (when.status === undefined || when.status === oauth.status) &&
      (when.isPersonsAnswer === undefined || when.isPersonsAnswer === isPersonsAnswer) &&
      (when.product === undefined || when.product === oauth.product) &&
      (when.description === undefined || when.description.test(oauth.error_description ?? '')),
  );
}
