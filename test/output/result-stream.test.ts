import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputError } from '../../src/errors.ts';
import { ResultStream, type WritableOutput } from '../../src/output/result-stream.ts';
import { buildProgramInto } from '../helpers/built-program.ts';

/** A stream whose writes end as the test says: undefined is a success, a text the code of a failure. */
function streamWith(...outcomes: (string | undefined)[]) {
  const emitter = new EventEmitter();
  const written: string[] = [];
  const stream = Object.assign(emitter, {
    write(chunk: string | Uint8Array, onWritten?: (error?: Error | null) => void) {
      const code = outcomes.shift();
      const error = code === undefined ? undefined : Object.assign(new Error(code), { code });
      if (error === undefined) written.push(String(chunk));
      setImmediate(() => {
        onWritten?.(error);
        if (error) emitter.emit('error', error);
      });
      return true;
    },
  }) as unknown as WritableOutput;
  const closed: OutputError[] = [];
  return {
    output: new ResultStream(
      () => stream,
      (reason) => closed.push(reason),
    ),
    written,
    closed,
  };
}

describe('the stream of results', () => {
  it('writes everything, and then is flushed', async () => {
    const { output, written, closed } = streamWith();
    output.write('a');
    await output.writeDrained('b');
    await output.flushed();
    expect(written).toEqual(['a', 'b']);
    expect(closed).toEqual([]);
  });

  it.each(['ENOSPC', 'EDQUOT', 'EIO', 'EBADF'])(
    'fails with 9 at %s, also after a part arrived',
    async (code) => {
      const { output, closed } = streamWith(undefined, code);
      output.write('a');
      output.write('b');
      await expect(output.flushed()).rejects.toMatchObject({ code: 'output_failed', exitCode: 9 });
      expect(closed).toHaveLength(1);
    },
  );

  it('fails with 9 where its reader is gone before anything arrived', async () => {
    const { output } = streamWith('EPIPE');
    output.write('a');
    await expect(output.flushed()).rejects.toMatchObject({ code: 'output_closed', exitCode: 9 });
  });

  it('is no failure where its reader had enough; what comes after is dropped', async () => {
    const { output, written, closed } = streamWith(undefined, 'EPIPE');
    output.write('a');
    output.write('b');
    await output.flushed();
    output.write('c');
    expect(written).toEqual(['a']);
    expect(closed).toMatchObject([{ exitCode: 0 }]);
  });
});

describe('the program', () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oauthctl-output-'));
    program = await buildProgramInto(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function runWith(stdout: number | 'pipe', ...args: string[]) {
    const child = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, OAUTHCTL_HOME: folder },
      stdio: ['ignore', stdout, 'pipe'],
    });
    // A reader that is gone before the program writes.
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, stderr };
  }

  it
    .runIf(existsSync('/dev/full'))
    .each([['--help'], ['--version'], ['ciba', 'start', '--approve', '--json', '-q']])(
    'says in one line that the disk is full, and exits with 9: %s %s',
    async (...args) => {
      const { code, stderr } = await runWith(openSync('/dev/full', 'w'), ...args);
      expect(code).toBe(9);
      expect(stderr).toMatch(/could not be written/);
      expect(stderr).not.toMatch(/ at |node:|file:\/\//);
    },
    60_000,
  );

  it.each([['--help'], ['--version'], ['ciba', 'start', '--approve', '--json', '-q']])(
    'exits with 9 where nobody reads its result: %s %s',
    async (...args) => {
      const { code, stderr } = await runWith('pipe', ...args);
      expect(code).toBe(9);
      expect(stderr).not.toMatch(/ at |node:|file:\/\//);
    },
    60_000,
  );
});
