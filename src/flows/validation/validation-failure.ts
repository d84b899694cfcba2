import { type OauthctlError, ValidationError } from '../../errors.ts';
import type { Comparison } from './validate.ts';

/**
 * Builds the error of a comparison; undefined where one check accepts the token and none refuses it or failed.
 * @param reasons possible causes of a refusal by introspection, where the token cannot be checked locally
 */
export function buildValidationFailure(
  { local, introspection, agree, differences, remarks }: Comparison,
  reasons: () => readonly string[],
): OauthctlError | undefined {
  const error = introspection.error ?? local.error;
  if (error !== undefined) return error;
  const [first] = [...differences, ...remarks];
  const hint = first && `${first.cause} ${first.remedy}`;
  if (agree === false) {
    const [one, other] = local.verdict === 'accepted' ? ['accepts', 'refuses'] : ['refuses', 'accepts'];
    return new ValidationError(
      'verdicts_differ',
      `the local check ${one} the token, but introspection ${other} it`,
      { hint },
    );
  }
  if (introspection.verdict === 'accepted') return undefined;
  if (local.verdict === 'unknown')
    return new ValidationError('token_refused', 'introspection refuses the token', {
      hint: reasons().join(' '),
    });
  const said = local.checks
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ name, detail }) => `${name}: ${detail}`);
  return new ValidationError('token_refused', `both checks refuse the token: ${said.join('; ')}`, {
    hint: hint ?? 'See its claims with "oauthctl jwt decode".',
  });
}
