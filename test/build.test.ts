import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgramInto } from './helpers/built-program.ts';

// Each file costs start-up time: about as much as ten thousand characters of code that is not run.
describe('the built program', () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oauthctl-build-'));
    program = await buildProgramInto(folder);
    await writeFile(
      join(folder, 'key.json'),
      JSON.stringify({ kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I' }),
    );
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs a command that succeeds. @returns the files of dist that it loads, as Node lists them for code coverage */
  async function listLoadedFiles(args: readonly string[]): Promise<readonly string[]> {
    const coverage = await mkdtemp(join(folder, 'coverage-'));
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, OAUTHCTL_HOME: join(folder, 'home'), NODE_V8_COVERAGE: coverage },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const urls = new Set<string>();
    for (const file of await readdir(coverage)) {
      const { result } = JSON.parse(await readFile(join(coverage, file), 'utf8'));
      for (const { url } of result as { url: string }[]) if (url.includes('/dist/')) urls.add(url);
    }
    return [...urls];
  }

  it.each([
    { args: ['--help'], most: 4 },
    { args: ['profile', 'list'], most: 9 },
    { args: ['jwt', 'decode', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'], most: 12 },
    { args: ['key', 'show', 'key.json'], most: 14 },
  ])('loads few files for $args', async ({ args, most }) => {
    const files = await listLoadedFiles(args);
    expect(files.length).toBeGreaterThan(1);
    expect(files.length).toBeLessThanOrEqual(most);
  });
});
