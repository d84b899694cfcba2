#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import module from 'node:module';

const argv = process.argv.slice(2);

// --version, which scripts often call, is answered before anything else is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.on('error', ({ code }) => {
    if (code !== 'EPIPE') process.stderr.write(`error: the version could not be written: ${code}\n`);
    process.exitCode = 9;
  });
  process.stdout.write(`${version}\n`);
} else {
  // From Node 22 on, the compiled code is cached for the next run.
  module.enableCompileCache?.();
  const { main } = await import('../dist/main.js');
  process.exitCode = await main(argv);
}
