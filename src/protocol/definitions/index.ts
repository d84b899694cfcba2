import { ANSWERS, HEADERS } from './answers.ts';
import { GRANTS } from './grants/index.ts';
import { isSecretClass, type ParameterDefinitions } from './parameter.ts';
import { REQUESTS } from './requests.ts';

/** The wire names, in lower case, whose values are secrets in any request, answer or header. */
export function listSecretNames(): ReadonlySet<string> {
  const requests: readonly ParameterDefinitions[] = [
    ...GRANTS.map(({ parameters }) => parameters),
    ...Object.values(REQUESTS),
  ];
  return new Set([
    ...requests.flatMap((parameters) =>
      Object.keys(parameters).filter((name) => isSecretClass(parameters[name]?.is ?? 'secret')),
    ),
    ...[...Object.values(ANSWERS), HEADERS].flatMap((members) =>
      Object.entries(members).flatMap(([name, secrecy]) => (secrecy === 'secret' ? [name] : [])),
    ),
  ]);
}
