import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** Something that the machine lacks: the tests that need it are skipped with this reason (an error where `CI` is set). */
export class MissingError extends Error {}

/** Finds a program on the PATH. */
export function which(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function children(folder: string, inside = ''): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name, inside));
}

/** The major version of the JDK in a folder, from its `release` file: cheaper than starting a JVM to ask. */
function majorVersion(home: string): number | undefined {
  if (!existsSync(join(home, 'bin', 'java')) || !existsSync(join(home, 'release'))) return undefined;
  const version = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1];
  return version === undefined ? undefined : Number(version);
}

/**
 * Finds an installed JDK: `JAVA_HOME`, the `java` on the PATH, then the usual folders.
 *
 * @param min @param max the major versions that fit, both included
 * @returns its home folder
 * @throws MissingError naming the versions that were found instead
 */
export function findJava(min: number, max = Number.POSITIVE_INFINITY): string {
  const onPath = which('java');
  const homes = [
    process.env.JAVA_HOME,
    onPath && dirname(dirname(realpathSync(onPath))),
    ...children('/usr/lib/jvm'),
    ...children('/opt/java'),
    ...children(join(homedir(), '.sdkman', 'candidates', 'java')),
    ...children('/Library/Java/JavaVirtualMachines', 'Contents/Home'),
  ].filter((home): home is string => Boolean(home));

  const found = new Set<number>();
  for (const home of homes) {
    const version = majorVersion(home);
    if (version === undefined) continue;
    if (version >= min && version <= max) return home;
    found.add(version);
  }
  const wanted = max === min ? `JDK ${min}` : `JDK ${min} or later`;
  const others = found.size === 0 ? 'no JDK at all' : `only ${[...found].join(', ')}`;
  throw new MissingError(`needs a ${wanted}; JAVA_HOME, PATH and the usual folders have ${others}`);
}
