import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { MissingError, which } from './java.ts';
import { progress, run } from './process.ts';

/** The coordinates of an archive in a Maven repository. */
export interface Artifact {
  group: string;
  name: string;
  version: string;
  type: 'zip' | 'tar.gz';
}

/** Fetches an archive with Maven, which knows the machine's mirrors and proxies, unless the cache has it. */
function fetchArchive({ group, name, version, type }: Artifact, javaHome: string): Promise<string> {
  const file = `${name}-${version}.${type}`;
  return cached(join('dist', file), async (unfinished) => {
    const maven = which('mvn');
    if (maven === undefined)
      throw new MissingError(`needs Maven (mvn) to fetch ${file}, and it is not installed`);
    progress(`fetching ${file} with Maven`);
    const folder = `${unfinished}.folder`;
    await mkdir(folder, { recursive: true });
    try {
      const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
      const artifact = `${group}:${name}:${version}:${type}`;
      await run({
        command: maven,
        args: ['-B', '-q', `${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
        env: { JAVA_HOME: javaHome },
        folder,
      });
      await rename(join(folder, file), unfinished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function extract(archive: string, javaHome: string, folder: string): Promise<void> {
  if (!archive.endsWith('.zip')) {
    await run({ command: 'tar', args: ['-xzf', archive], folder });
    return;
  }
  // Debian has no unzip by itself; a JDK has jar.
  const jar = join(javaHome, 'bin', 'jar');
  if (existsSync(jar)) await run({ command: jar, args: ['-xf', archive], folder });
  else if (which('unzip')) await run({ command: 'unzip', args: ['-q', archive], folder });
  else if (which('python3'))
    await run({ command: 'python3', args: ['-m', 'zipfile', '-e', archive, '.'], folder });
  else throw new MissingError('needs jar (of a JDK), unzip or python3 to unpack a zip');
}

/**
 * Gives the unpacked distribution of a server, read-only by agreement: all runs share it.
 *
 * @param javaHome a JDK for Maven, and for `jar`
 * @param prepare finishes a freshly unpacked distribution, once
 */
export async function distribution(
  artifact: Artifact,
  javaHome: string,
  prepare: (home: string) => Promise<void> = async () => {},
): Promise<string> {
  return cached(join('unpacked', `${artifact.name}-${artifact.version}`), async (unfinished) => {
    const archive = await fetchArchive(artifact, javaHome);
    progress(`unpacking ${artifact.name} ${artifact.version}`);
    const folder = `${unfinished}.folder`;
    await mkdir(folder, { recursive: true });
    try {
      await extract(archive, javaHome, folder);
      const [top, ...others] = await readdir(folder);
      if (top === undefined || others.length > 0)
        throw new Error(`${archive} should hold exactly one folder`);
      const home = join(folder, top);
      // jar and python lose the executable bit.
      for (const name of await readdir(join(home, 'bin'))) {
        if (name.endsWith('.sh')) await chmod(join(home, 'bin', name), 0o755);
      }
      await prepare(home);
      await rename(home, unfinished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
