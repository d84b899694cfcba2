import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { bundleStoreScript } from './bundle-script.ts';
import { emptyFolder } from './folder.ts';

async function run(script: string, args: string[], home: string): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, OAUTHCTL_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

describe('processes that write at the same time', () => {
  it('lose none of each other’s profiles', async () => {
    const folder = await emptyFolder();
    const home = join(folder, 'home');
    const script = await bundleStoreScript(
      folder,
      `import { openStore } from './index.ts';
       const { profiles } = openStore(process.env);
       for (let number = 0; number < 6; number += 1)
         await profiles.add(process.argv[2] + '-' + number, { issuer: 'https://as.example' });`,
    );
    const writers = Array.from({ length: 4 }, (_, number) => `writer-${number}`);
    const results = await Promise.all(writers.map((name) => run(script, [name], home)));
    expect(results).toEqual(writers.map(() => ({ code: 0, output: '' })));
    const { current, profiles } = await openStore({ OAUTHCTL_HOME: home }).profiles.list();
    const expected = writers.flatMap((name) => Array.from({ length: 6 }, (_, number) => `${name}-${number}`));
    expect(Object.keys(profiles).toSorted()).toEqual(expected.toSorted());
    expect(expected).toContain(current);
    expect(await readdir(home)).toEqual(['profiles.json']);
  });

  it('get a held delegation once among them', async () => {
    const folder = await emptyFolder();
    const home = join(folder, 'home');
    const { pending } = openStore({ OAUTHCTL_HOME: home });
    await pending.hold({ bearer: 'only', callback_url: 'https://as.example/callback', received_at: 1 });
    const script = await bundleStoreScript(
      folder,
      `import { openStore } from './index.ts';
       const held = await openStore(process.env).pending.takeHeld();
       process.stdout.write(held?.bearer ?? 'none');`,
    );
    const results = await Promise.all(Array.from({ length: 4 }, () => run(script, [], home)));
    expect(results.map(({ output }) => output).toSorted()).toEqual(['none', 'none', 'none', 'only']);
  });
});
