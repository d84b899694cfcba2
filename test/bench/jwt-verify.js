// What verifying many tokens takes: `jwt verify --lines` against jose's jwtVerify awaited one by one, on the same tokens
// and in the same run, one after the other so that a machine that slows down slows both; and its memory.
import { spawn } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';

const ROUNDS = Number(process.env.BENCH_RUNS ?? 5);
const TOKENS = Number(process.env.BENCH_TOKENS ?? 20_000);
const LEAST_RATIO = 1.5;
/** Lines whose peak memory is compared. */
const FEW = Number(process.env.BENCH_FEW ?? 100_000);
const MANY = Number(process.env.BENCH_MANY ?? 1_000_000);
/** So many are signed; a longer file repeats them. */
const SIGNED = 2_000;
const PROGRAM = process.env.BENCH_PROGRAM ?? fileURLToPath(new URL('../../bin/oauthctl.js', import.meta.url));
const THIS = fileURLToPath(import.meta.url);
const ISSUER = 'https://as.example/realms/bench';

if (process.argv[2] === 'jose') await verifyOneByOne(process.argv[3], process.argv[4]);
else await bench();

async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'oauthctl-bench-'));
  try {
    print(
      `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${ROUNDS} rounds of ${TOKENS} tokens\n`,
    );
    print(
      `${'algorithm'.padEnd(12)}${'jose'.padStart(12)}${'--lines'.padStart(12)}${'ratio'.padStart(8)}   spread`,
    );
    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      const { jwks, tokens } = await sign(alg, folder);
      const file = join(folder, `${alg}.txt`);
      write(file, tokens, TOKENS);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const one = await run([THIS, 'jose', jwks, file]);
        const bulk = await run(linesOf(jwks), file);
        rounds.push({ one: one.ms, bulk: bulk.ms, ratio: one.ms / bulk.ms });
      }
      const [one, bulk, ratio] = ['one', 'bulk', 'ratio'].map((name) =>
        rounds.map((of) => of[name]).sort((a, b) => a - b),
      );
      const verdict = at(ratio, 0.5) >= LEAST_RATIO ? '' : `   UNDER ${LEAST_RATIO}`;
      const rate = (times) => `${Math.round(TOKENS / (at(times, 0.5) / 1000))}/s`;
      print(
        `${alg.padEnd(12)}${rate(one).padStart(12)}${rate(bulk).padStart(12)}${at(ratio, 0.5).toFixed(2).padStart(8)}   ${at(ratio, 0.1).toFixed(2)}–${at(ratio, 0.9).toFixed(2)}${verdict}`,
      );
    }
    print('\npeak memory, RS256');
    const { jwks, tokens } = await sign('RS256', folder);
    for (const count of [FEW, MANY]) {
      const file = join(folder, 'many.txt');
      write(file, tokens, count);
      const { peak, ms } = await run(linesOf(jwks), file);
      print(
        `${String(count).padStart(9)} lines ${String(Math.round(peak / 1024)).padStart(6)} MiB   ${Math.round(count / (ms / 1000))}/s`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linesOf(jwks) {
  return [
    PROGRAM,
    'jwt',
    'verify',
    '--lines',
    '--jwks',
    jwks,
    '--issuer',
    ISSUER,
    '--audience',
    'api',
    '--json',
    '-q',
  ];
}

/** What is compared with: the same checks, one after the other, each with its line of output. */
async function verifyOneByOne(jwksFile, file) {
  const { readFileSync } = await import('node:fs');
  const keys = createLocalJWKSet(JSON.parse(readFileSync(jwksFile, 'utf8')));
  let line = 0;
  for await (const token of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    line += 1;
    let valid = true;
    try {
      await jwtVerify(token, keys, { issuer: ISSUER, audience: 'api' });
    } catch {
      valid = false;
    }
    process.stdout.write(`${JSON.stringify({ line, valid })}\n`);
  }
}

/** Tokens of about the size of Keycloak's, and the file of the public key. */
async function sign(alg, folder) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwks = join(folder, `${alg}.json`);
  writeFileSync(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg, use: 'sig' }] }),
  );
  const tokens = [];
  for (let index = 0; index < SIGNED; index += 1) {
    const claims = {
      ...{
        sub: `user-${index}`,
        typ: 'Bearer',
        azp: 'app',
        sid: `session-${index}`,
        scope: 'openid profile email',
      },
      realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-bench'] },
      resource_access: { account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] } },
      preferred_username: 'taro',
      email: 'taro@example.org',
    };
    const jwt = new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', kid: 'bench' });
    tokens.push(
      await jwt
        .setIssuer(ISSUER)
        .setAudience(['api', 'account'])
        .setJti(`token-${index}`)
        .setIssuedAt(Math.floor(Date.now() / 1000) - 10)
        .setExpirationTime('10h')
        .sign(privateKey),
    );
  }
  return { jwks, tokens };
}

function write(file, tokens, count) {
  const out = openSync(file, 'w');
  const all = `${tokens.join('\n')}\n`;
  for (let left = count; left > 0; left -= tokens.length)
    writeSync(out, left >= tokens.length ? all : `${tokens.slice(0, left).join('\n')}\n`);
  closeSync(out);
}

/** Milliseconds and peak memory (KiB) of one run of Node with this file as standard input; it must succeed. */
async function run(args, input) {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  const startedAt = process.hrtime.bigint();
  const report = 'process.on("exit",()=>process.stderr.write("peak="+process.resourceUsage().maxRSS))';
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(report)}`, ...args],
    { stdio: [stdin, 'ignore', 'pipe'], env: { ...process.env, OAUTHCTL_HOME: tmpdir() } },
  );
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (input !== undefined) closeSync(stdin);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  // Threads run what is imported as well; the last to end is the process.
  const peaks = [...stderr.matchAll(/peak=(\d+)/g)].map(([, peak]) => Number(peak));
  return { ms: Number(process.hrtime.bigint() - startedAt) / 1e6, peak: Math.max(...peaks) };
}

function at(sorted, share) {
  return sorted[Math.floor((sorted.length - 1) * share)];
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
