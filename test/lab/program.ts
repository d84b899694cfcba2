import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './cache.ts';
import { progress, run } from './process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The program, built from the sources as they are now. */
export interface BuiltProgram {
  /** What `node` is given. */
  path: string;
  remove(): Promise<void>;
}

/**
 * Builds the program as `npm run build` does, but into a folder of its own: the tests never run a stale `dist`, and
 * somebody else's build does not pull it from under them.
 *
 * @throws Error with the bundler's complaints
 */
export async function bundleLabProgram(): Promise<BuiltProgram> {
  const folder = await temporaryFolder('program');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    progress('building the program');
    await run({
      command: 'npm',
      args: ['run', '--silent', 'build', '--', join(folder, 'dist')],
      cwd: root,
      folder,
    });
    for (const part of ['bin', 'package.json'])
      await cp(join(root, part), join(folder, part), { recursive: true });
  } catch (error) {
    await remove();
    throw error;
  }
  return { path: join(folder, 'bin', 'oauthctl.js'), remove };
}
