import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a bundled program as a process of its own, without standard input. @param env its whole environment */
export async function runBundle(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env.PATH, NO_PROXY: '*', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}
