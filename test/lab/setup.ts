import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { Lab } from './lab.ts';
import { progress } from './process.ts';
import { bundleLabProgram } from './program.ts';
import { eagerNames, serverNames } from './servers.ts';
import './provided.ts';

/**
 * Opens the laboratory before the first `*.real.ts` and closes it after the last; builds the program as well.
 *
 * - `OAUTHCTL_LAB_ONLY=26` (or `24`, `14`, or names by commas) starts those servers alone.
 * - `OAUTHCTL_LAB_KEYCLOAK26=http://127.0.0.1:8080,3000` (or `…24`, `…14`) uses a Keycloak that runs already, whose
 *   authentication device it expects at port 3000, instead of starting one.
 * - `OAUTHCTL_LAB_CACHE` is where downloads are kept, `~/.cache/oauthctl-lab` by default.
 * - `CI` makes a missing JDK or Maven an error; otherwise the tests that need it are skipped.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const lab = new Lab(process.env);
  const unwatch = endWithNpm();
  const [built, ...answers] = await Promise.allSettled([
    bundleLabProgram(),
    ...eagerNames.map((name) => lab.server(name)),
  ]);
  const failures = [built, ...answers].flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (failures.length > 0 || built.status === 'rejected') {
    await lab.close();
    if (built.status === 'fulfilled') await built.value.remove();
    throw failures.length === 1 ? failures[0] : new Error(failures.map(String).join('\n'));
  }
  for (const [index, name] of eagerNames.entries()) {
    const answer = answers[index];
    if (answer?.status !== 'fulfilled') continue;
    if ('skipped' in answer.value) progress(`${name}: skipped, ${answer.value.skipped}`);
    project.provide(name, answer.value);
  }
  const desk = await openDesk(lab);
  project.provide('labUrl', desk.url);
  project.provide('program', built.value.path);
  return async () => {
    unwatch();
    await desk.close();
    await lab.close();
    await built.value.remove();
  };
}

/** Where the tests, which run in other processes, ask for a server by its name: `GET /NAME`. */
async function openDesk(lab: Lab): Promise<{ url: string; close(): Promise<void> }> {
  const desk = createServer(async (request, response) => {
    const name = serverNames.find((known) => `/${known}` === request.url);
    try {
      if (name === undefined) throw new Error(`The laboratory has no server ${request.url}`);
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(await lab.server(name)));
    } catch (error) {
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(error));
    }
  });
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(desk.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        desk.close(() => resolve());
        desk.closeAllConnections();
      }),
  };
}

/** npm dies of a SIGTERM without passing it on to vitest; the run then ends as if it had. */
function endWithNpm(): () => void {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== npm) process.kill(process.pid, 'SIGTERM');
  }, 1000);
  timer.unref();
  return () => clearInterval(timer);
}
