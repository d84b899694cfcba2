import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Bundles the program as it is installed: bin and dist side by side.
 * @param folder where it is put
 * @returns the path of its start script
 */
export async function buildProgramInto(folder: string): Promise<string> {
  const build = spawn(process.execPath, [join(ROOT, 'bin/build.js'), join(folder, 'dist')], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const [code] = await once(build, 'close');
  if (code !== 0) throw new Error(`bin/build.js ended with ${code}`);
  for (const part of ['bin', 'package.json'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  return join(folder, 'bin', 'oauthctl.js');
}
