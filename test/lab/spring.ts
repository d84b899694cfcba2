import { createHash } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, temporaryFolder } from './cache.ts';
import { findJava } from './java.ts';
import { fetchLibraries } from './libraries.ts';
import { freePort } from './ports.ts';
import { progress, run, startServer } from './process.ts';
import type { Started } from './servers.ts';

/** Spring's own multi-tenant resource server. */
export interface SpringServer {
  /** Without a trailing slash. */
  baseUrl: string;
  /** Its process, for a measurement of its memory. */
  pid: number;
}

const project = fileURLToPath(new URL('./spring/', import.meta.url));
const mainClass = 'lab.ResourceServer';

/**
 * Starts the resource server of `test/lab/spring` on a free port of 127.0.0.1. It trusts no issuer yet.
 *
 * Libraries and classes are kept in the cache, by what the project holds.
 *
 * @param jvmOptions for a measurement; by default what starts fast
 */
export async function startSpring(
  jvmOptions: readonly string[] = ['-Xmx128m', '-XX:TieredStopAtLevel=1'],
): Promise<Started<SpringServer>> {
  const javaHome = findJava(17);
  const home = await compiled(javaHome);
  const folder = await temporaryFolder('spring');
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  progress(`Spring: starting on ${baseUrl}`);
  let pid = 0;
  const server = await startServer(
    'Spring',
    {
      command: join(javaHome, 'bin', 'java'),
      args: [
        ...jvmOptions,
        `-Djava.io.tmpdir=${folder}`,
        ...['-cp', `${join(home, 'classes')}:${join(home, 'lib')}/*`, mainClass],
        ...['--server.address=127.0.0.1', `--server.port=${port}`, '--spring.main.banner-mode=off'],
      ],
      folder,
    },
    async () => {
      const response = await fetch(baseUrl, { signal: AbortSignal.timeout(15_000) });
      await response.body?.cancel();
      if (response.status !== 401) return false;
      pid = Number(/ with PID (\d+) /.exec(await readFile(join(folder, 'server.log'), 'utf8'))?.[1]);
      return pid > 0;
    },
  );
  return { info: { baseUrl, pid }, stop: server.stop };
}

/** Tells the Spring server which issuers it trusts from now on. */
export async function trustAtSpring({ baseUrl }: SpringServer, issuers: readonly string[]): Promise<void> {
  const response = await fetch(`${baseUrl}/trusted`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(issuers),
  });
  if (!response.ok) throw new Error(`Spring answered ${response.status} to the list of issuers`);
}

/** The folder of the libraries that Maven fetched, `lib`, and of the project compiled against them, `classes`. */
async function compiled(javaHome: string): Promise<string> {
  const source = join(project, 'src/main/java', `${mainClass.replace('.', '/')}.java`);
  const pom = join(project, 'pom.xml');
  const digest = createHash('sha256');
  for (const file of [pom, source]) digest.update(await readFile(file));
  return cached(join('built', `spring-${digest.digest('hex').slice(0, 12)}`), async (unfinished) => {
    const folder = `${unfinished}.folder`;
    const lib = join(folder, 'lib');
    try {
      await fetchLibraries('Spring', { pom, target: lib, folder, javaHome });
      progress('compiling the resource server on Spring');
      await run({
        command: join(javaHome, 'bin', 'javac'),
        args: [
          ...['--release', '17', '-parameters', '-proc:none'],
          ...['-cp', join(lib, '*'), '-d', join(folder, 'classes'), source],
        ],
        folder,
      });
      await rename(folder, unfinished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
