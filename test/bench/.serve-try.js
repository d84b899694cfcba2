// `oauthctl serve` against Spring's multi-tenant resource server, as ratios of the two in the same run: same machine, same
// issuers, same tokens, turn by turn. Needs a JDK 17 and Maven: `npm run bench:serve`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { runnerImport } from 'vite';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const STARTS = Number(process.env.BENCH_STARTS ?? 5);
/** Milliseconds of load in a turn. */
const TURN = Number(process.env.BENCH_TURN ?? 3000);
/** Requests to each before it counts, or the seconds that they may take: a JVM compiles what it runs for a while. */
const WARM_UP = { requests: 30_000, seconds: 90 };
const CONNECTIONS = 16;
const TOKENS = 200;
const AUDIENCE = 'bench';
const PROGRAM = fileURLToPath(new URL('../../../../tmp/sv/prog/bin/oauthctl.js', import.meta.url));
const { startSpring, trustAtSpring } = (
  await runnerImport(fileURLToPath(new URL('../lab/spring.ts', import.meta.url)))
).module;

const home = mkdtempSync(join(tmpdir(), 'oauthctl-bench-'));
const issuers = [await startIssuer(), await startIssuer()];
const tokens = await Promise.all(
  Array.from({ length: TOKENS }, (_, index) => issuers[index % issuers.length].sign(index)),
);

try {
  print(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`);
  print(`RS256, 2 issuers, ${TOKENS} tokens, ${CONNECTIONS} kept connections, one log line a request\n`);
  print(`${'oauthctl serve ÷ Spring'.padEnd(34)}${'median'.padStart(8)}   spread`);
  await compareStarts();
  await compareLoad();
} finally {
  for (const issuer of issuers) issuer.close();
  rmSync(home, { recursive: true, force: true });
}
// The runner keeps what it watches.
process.exit();

/**
 * From the start of the process to its first good answer, which loads the issuer's keys on the way. Whether Spring is
 * ready is looked at every quarter of a second.
 */
async function compareStarts() {
  const ratios = [];
  for (let run = 0; run < STARTS; run += 1) {
    const ours = await timeStart(startOurs);
    const springs = await timeStart(startTheirs);
    ratios.push(ours / springs);
  }
  tell('time to the first answer', ratios);
}

async function timeStart(start) {
  const startedAt = performance.now();
  const server = await start();
  await untilGood(server.port);
  const ms = performance.now() - startedAt;
  await server.stop();
  return ms;
}

async function compareLoad() {
  const ours = await startOurs();
  const theirs = await startTheirs();
  const idle = memoryOf(ours.pid) / memoryOf(theirs.pid);
  const ratios = { rate: [], p50: [], p99: [] };
  const seen = { ours: [], theirs: [] };
  for (const { port } of [theirs, ours]) await warmUp(port);
  for (let round = 0; round < ROUNDS; round += 1) {
    // Whoever goes first, the other one goes first in the next round.
    const order = round % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours'];
    const result = {};
    for (const name of order) result[name] = await load({ ours, theirs }[name].port);
    for (const measure of Object.keys(ratios))
      ratios[measure].push(result.ours[measure] / result.theirs[measure]);
    for (const name of order) seen[name].push(result[name].rate);
  }
  tell('requests a second', ratios.rate);
  tell('time of an answer, median', ratios.p50);
  tell('time of an answer, p99', ratios.p99);
  tell('memory before the load', [idle]);
  tell('memory after the load', [memoryOf(ours.pid) / memoryOf(theirs.pid)]);
  const rate = (name) => Math.round(median(seen[name]));
  print(
    `\non this machine: ${rate('ours')} and ${rate('theirs')} requests a second, by one process that asks`,
  );
  await ours.stop();
  await theirs.stop();
}

async function warmUp(port) {
  const until = performance.now() + WARM_UP.seconds * 1000;
  for (let count = 0; count < WARM_UP.requests && performance.now() < until; )
    count += (await load(port)).count;
}

async function startOurs() {
  const child = spawn(
    process.execPath,
    [
      ...[PROGRAM, 'serve', '--listen', '127.0.0.1:0', '--json', '--audience', AUDIENCE],
      ...issuers.flatMap(({ url }) => ['--issuer', url]),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NO_PROXY: '*', OAUTHCTL_HOME: home } },
  );
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes('}\n')) break;
  }
  const { url } = JSON.parse(text);
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  };
  return { port: Number(new URL(url).port), pid: child.pid, stop };
}

async function startTheirs() {
  // All compilers, as in production; the heap is what its load needs.
  const { info, stop } = await startSpring(['-Xmx256m']);
  await trustAtSpring(
    info,
    issuers.map(({ url }) => url),
  );
  return { port: Number(new URL(info.baseUrl).port), pid: info.pid, stop };
}

/** An issuer as small as it can be. */
async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const kid = crypto.randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const server = createServer((request, response) => {
    const isKeys = request.url === '/jwks';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isKeys ? { keys: [jwk] } : metadata));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const metadata = {
    issuer: url,
    jwks_uri: `${url}/jwks`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
  const sign = (index) =>
    new SignJWT({ typ: 'Bearer', scope: 'openid profile', azp: 'bench-client', jti: `${index}` })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .setIssuer(url)
      .setAudience(AUDIENCE)
      .setSubject(`user-${index}`)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  return { url, sign, close: () => server.close() };
}

async function untilGood(port) {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { authorization: `Bearer ${tokens[0]}` },
    });
    await response.text();
    if (response.status === 200) return;
  }
}

/** Asks over kept connections, on each one request after the other; every answer has to be a 200. */
async function load(port) {
  const requests = tokens.map(
    (token) => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const times = [];
  const until = performance.now() + TURN;
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(port, '127.0.0.1').setNoDelay();
          let sentAt = 0;
          let text = '';
          const ask = () => {
            if (performance.now() >= until) return socket.destroy();
            next += 1;
            sentAt = performance.now();
            socket.write(requests[next % requests.length]);
          };
          socket.setEncoding('latin1');
          socket.once('connect', ask);
          socket.on('data', (chunk) => {
            text += chunk;
            const head = text.indexOf('\r\n\r\n');
            if (head === -1) return;
            const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
            if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(text.slice(0, head)));
            if (text.length < head + 4 + length) return;
            text = '';
            times.push(performance.now() - sentAt);
            ask();
          });
          socket.once('error', reject);
          socket.once('close', resolve);
        }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  return { count: times.length, rate: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}

/** Kilobytes that are in memory, as Linux counts them. */
function memoryOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

function tell(what, ratios) {
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)].toFixed(2);
  const spread = ratios.length > 1 ? `   ${at(0.1)}–${at(0.9)}` : '';
  print(`${what.padEnd(34)}${at(0.5).padStart(8)}${spread}`);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
