// What starting the program costs, as ratios to `node -e 0` in the same run: `npm run bench`.
// Every run of a command is paired with one of the baseline, so that a machine that slows down slows both.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNS = Number(process.env.BENCH_RUNS ?? 31);
const WARM_UP = 3;
const RUN_TIMEOUT = 20_000;
const PROGRAM = fileURLToPath(new URL('../../bin/oauthctl.js', import.meta.url));
/** A bearer that names the loopback server as its issuer; nobody signed it, and nobody checks it. */
const bearerOf = (issuer) =>
  `${[{ alg: 'none' }, { iss: issuer }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')}.`;

const home = mkdtempSync(join(tmpdir(), 'oauthctl-bench-'));
const server = createServer((request, response) => {
  request.resume();
  const issuer = `http://${request.headers.host}`;
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({ issuer, token_endpoint: `${issuer}/token`, expires_in: 300, token_type: 'Bearer' }),
  );
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const cases = [
  { name: 'oauthctl --version', limit: 1.2, args: [PROGRAM, '--version'] },
  { name: 'oauthctl --help', limit: 1.35, args: [PROGRAM, '--help'] },
  // One POST with credentials and its answer, which is what a client-credentials request is.
  {
    name: 'one POST and its answer',
    limit: 2,
    args: [PROGRAM, 'ciba', 'callback', 'succeed', '--bearer', 'env:BENCH_BEARER', '-q'],
  },
  // One GET whose answer is checked and printed.
  { name: 'one GET and its answer', limit: 2, args: [PROGRAM, 'discover', issuer, '--json'] },
];

const env = { ...process.env, NO_PROXY: '*', OAUTHCTL_HOME: home, BENCH_BEARER: bearerOf(issuer) };

try {
  print(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${RUNS} pairs each\n`);
  print(`${'command'.padEnd(26)}${'× node -e 0'.padStart(12)}${'at most'.padStart(10)}   spread`);
  for (const { name, limit, args } of cases) {
    const ratios = [];
    for (let run = 0; run < WARM_UP + RUNS; run += 1) {
      const baseline = await time(['-e', '0']);
      const command = await time(args);
      if (run >= WARM_UP) ratios.push(command / baseline);
    }
    ratios.sort((a, b) => a - b);
    const at = (share) => ratios[Math.floor((ratios.length - 1) * share)].toFixed(2);
    const verdict = Number(at(0.5)) <= limit ? '' : '   OVER';
    print(
      `${name.padEnd(26)}${at(0.5).padStart(12)}${String(limit).padStart(10)}   ${at(0.1)}–${at(0.9)}${verdict}`,
    );
  }
} finally {
  server.close();
  rmSync(home, { recursive: true, force: true });
}

/** Milliseconds from start to end of one run of Node; it must succeed. */
function time(args) {
  return new Promise((resolve, reject) => {
    const startedAt = process.hrtime.bigint();
    const child = spawn(process.execPath, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: RUN_TIMEOUT,
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - startedAt) / 1e6);
      else reject(new Error(`${args.join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
