import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('../../src/store', import.meta.url));

/**
 * Bundles a script over the store, so that plain Node runs it.
 * @param script imports from `./index.ts` and other files of the store
 * @returns its path
 */
export async function bundleStoreScript(folder: string, script: string): Promise<string> {
  const outfile = join(folder, 'script.mjs');
  await build({
    stdin: { contents: script, resolveDir: SOURCE, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    define: { __filename: '"script"' },
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}
