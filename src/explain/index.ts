import { type OauthctlError, RefusedError } from '../errors.ts';
import { CASES } from './cases.ts';

export interface Explanation {
  /** Why the server answered so. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * Finds the cause and the remedy of a refusal: the first case in the table that fits.
 * @returns undefined where the table knows nothing, or the error brings its own hint
 */
export function explain(error: OauthctlError): Explanation | undefined {
  if (!(error instanceof RefusedError) || error.hint !== undefined) return undefined;
  const { oauth } = error;
  return CASES.find(
    ({ when }) =>
      (when.endpoint === undefined || when.endpoint === oauth.endpoint) &&
      (when.error === undefined || when.error === oauth.error) &&
      (when.status === undefined || when.status === oauth.status) &&
      (when.description === undefined || when.description.test(oauth.error_description ?? '')),
  );
}
