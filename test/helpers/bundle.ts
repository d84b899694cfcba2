import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * Bundles the program into a folder, so that Node runs it as a process of its own. The sandbox is left out.
 * @param plugins may change the sources
 * @returns the path of the script
 */
export async function bundleProgram(folder: string, plugins: readonly Plugin[] = []): Promise<string> {
  await build({
    stdin: {
      contents: `import { main } from './main.ts'; process.exitCode = await main(process.argv.slice(2));`,
      resolveDir: SOURCE,
      loader: 'ts',
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Only the code of the command that runs is loaded.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['oidc-provider'],
    define: { __filename: '"oauthctl"' },
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
    plugins: [...plugins],
  });
  return join(folder, 'stdin.mjs');
}
