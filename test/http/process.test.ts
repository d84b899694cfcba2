import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpServer, tcpServer } from './servers.ts';

/** Milliseconds after which a process has not ended by itself; a loaded machine takes seconds to start one. */
const PATIENCE = 60_000;
/** A deadline of the exchange that keeps a process longer than that. */
const NEVER = 600_000;

const SOURCE = fileURLToPath(new URL('../../src/http', import.meta.url));

let folder: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oauthctl-http-'));
  script = join(folder, 'client.mjs');
  await build({
    stdin: {
      resolveDir: SOURCE,
      loader: 'ts',
      contents: `import { createHttpClient } from './client.ts';
        const options = { connectTimeoutMs: ${NEVER}, timeoutMs: Number(process.argv[3]), maxBodyBytes: 1_000 };
        const client = await createHttpClient(options, { record() {} }, Date.now);
        const { status } = await client.send({ method: 'GET', url: process.argv[2], endpoint: 'metadata' }).catch((error) => ({ status: error.code }));
        process.stdout.write(String(status));`,
    },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(url: string, timeoutMs = NEVER): Promise<{ output: string; code: number }> {
  const child = spawn(process.execPath, [script, url, String(timeoutMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  try {
    const [code] = await once(child, 'close', { signal: AbortSignal.timeout(PATIENCE) });
    return { output, code };
  } finally {
    child.kill();
  }
}

describe('the process ends by itself', () => {
  it('after an answer, although the server would keep the connection', async () => {
    const port = await tcpServer((socket) =>
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nkeep-alive: timeout=600\r\ncontent-length: 2\r\n\r\n{}',
        ),
      ),
    );
    expect(await run(`http://127.0.0.1:${port}/`)).toEqual({ output: '200', code: 0 });
  });

  it('after an answer that is larger than its limit', async () => {
    const port = await httpServer((_request, response) => {
      response.write('x'.repeat(5_000));
    });
    expect(await run(`http://127.0.0.1:${port}/`)).toEqual({ output: 'answer_too_large', code: 0 });
  });

  it('after a deadline that passed during the TLS handshake', async () => {
    const port = await tcpServer(() => {});
    expect(await run(`https://127.0.0.1:${port}/`, 50)).toEqual({ output: 'answer_timeout', code: 0 });
  });
});
