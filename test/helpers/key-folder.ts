import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the test files of a run keep the keys that they share. */
    keyFolder: string;
  }
}

/** Makes the folder of the keys that keys.ts makes, for one run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'oauthctl-keys-'));
  project.provide('keyFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
