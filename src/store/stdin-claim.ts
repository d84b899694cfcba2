import { UsageError } from '../errors.ts';

/** Reserves standard input for one reader. @returns a function that throws UsageError `stdin_twice` for a second one */
export function createStdinClaim(): (reader: string) => void {
  let first: string | undefined;
  return (reader) => {
    if (first !== undefined) {
      throw new UsageError('stdin_twice', `standard input cannot be both ${first} and ${reader}`, {
        hint: 'Give one of them in another way ("oauthctl help references" lists them).',
      });
    }
    first = reader;
  };
}
