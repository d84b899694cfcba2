import { mkdir } from 'node:fs/promises';
import { MissingError, which } from './java.ts';
import { progress, run } from './process.ts';

/**
 * Fetches what a Maven project needs at run time, with everything that those libraries need.
 *
 * @param what for the person who waits, for example `Spring`
 * @param pom the project's description
 * @param target the folder for the jars
 * @param folder removed when this process dies on the way
 * @throws MissingError where there is no Maven
 */
export async function fetchLibraries(
  what: string,
  { pom, target, folder, javaHome }: { pom: string; target: string; folder: string; javaHome: string },
): Promise<void> {
  const maven = which('mvn');
  if (maven === undefined)
    throw new MissingError(`needs Maven (mvn) to fetch ${what}, and it is not installed`);
  progress(`fetching ${what} with Maven`);
  await mkdir(folder, { recursive: true });
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
  await run({
    command: maven,
    args: [
      ...['-B', '-q', '-f', pom, `${plugin}:copy-dependencies`],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${target}`],
    ],
    env: { JAVA_HOME: javaHome },
    folder,
  });
}
