import { inject, type TestContext } from 'vitest';
import type { LabServers, ServerName, Skipped } from './servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    keycloak26: LabServers['keycloak26'] | Skipped;
    keycloak14: LabServers['keycloak14'] | Skipped;
    /** Where the laboratory is asked for a server. */
    labUrl: string;
    /** The program, freshly built: what `node` is given. */
    program: string;
  }
}

/**
 * Asks the laboratory for a server, which is started now if it is not running yet.
 *
 * @returns how to reach it, or why there is none
 * @throws Error when it could not be started
 */
export async function askFor<Name extends ServerName>(name: Name): Promise<LabServers[Name] | Skipped> {
  const response = await fetch(`${inject('labUrl')}/${name}`);
  const body = await response.text();
  if (!response.ok) throw new Error(body);
  return JSON.parse(body);
}

/** Gives a test its server, or reports the test as skipped, with the reason. */
export async function server<Name extends ServerName>(
  context: Pick<TestContext, 'skip'>,
  name: Name,
): Promise<LabServers[Name]> {
  const answer = await askFor(name);
  if ('skipped' in answer) return context.skip(answer.skipped);
  return answer;
}
