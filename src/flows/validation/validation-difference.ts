import { describeShape } from '../../protocol/jose/token-shape.ts';
import type { ComparedVerdicts, Finding } from './compared-verdicts.ts';
import { explainInactive } from './inactive-finding.ts';
import { explainLocalRefusal } from './local-refusal.ts';

/**
 * Explains why the local check and introspection do not agree, as far as the token and the answers show; likely causes first.
 * @returns nothing where they agree, or where introspection failed
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-4
 */
export function explainDifference(compared: ComparedVerdicts): readonly Finding[] {
  const { local, introspection } = compared;
  if (introspection.verdict === 'unknown' || local.verdict === introspection.verdict) return [];
  if (local.verdict === 'unknown') return explainNoLocalCheck(compared);
  return local.verdict === 'accepted' ? explainInactive(compared) : explainLocalRefusal(compared);
}

function explainNoLocalCheck({ token, local }: ComparedVerdicts): readonly Finding[] {
  const format = local.checks.find(({ name }) => name === 'format')?.reason;
  if (format === 'encrypted' || format === 'compressed') {
    return [
      {
        code: 'encrypted_token',
        cause: 'The token is encrypted (a JWE); only the resource server that it is for has the key.',
        remedy: 'Check it by introspection, or let the resource server decrypt it first.',
      },
    ];
  }
  if (format === undefined) return [];
  return [
    {
      code: 'opaque_token',
      cause: `The token is not a JWT (${describeShape(token).looksLike}), so it cannot be checked locally.`,
      remedy: 'Check it by introspection; a local check requires a JWT.',
    },
  ];
}
