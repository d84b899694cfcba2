import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Clock, type ContextParts, systemClock, systemRandom } from '../../src/context.ts';
import { Redactor } from '../../src/redact.ts';

export interface TestParts extends ContextParts {
  /** What was written to stdout and stderr so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Aborts the run, as a signal would. */
  readonly abort: (reason: unknown) => void;
  /** The folder of this test's files; removed when it ends. */
  readonly home: string;
}

export interface TestPartsOptions {
  readonly clock?: Clock;
  readonly random?: (bytes: number) => Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly showSecrets?: boolean;
}

/** The parts of a context for one test: captured output, an own home, no terminal, nothing of this process. */
export async function testParts(options: TestPartsOptions = {}): Promise<TestParts> {
  const home = await mkdtemp(join(tmpdir(), 'oauthctl-test-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const redactor = new Redactor(options.showSecrets ?? false);
  const abort = new AbortController();
  let stdout = '';
  let stderr = '';
  return {
    home,
    env: { OAUTHCTL_HOME: home, NO_PROXY: '*', ...options.env },
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    signal: abort.signal,
    abort: (reason) => abort.abort(reason),
    redactor,
    stdout: () => stdout,
    stderr: () => stderr,
    io: {
      out: (text) => {
        stdout += text;
      },
      err: (text) => {
        stderr += redactor.text(text);
      },
      readStdin: async () => options.stdin ?? '',
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      get terminal(): never {
        throw new Error('there is no terminal in a test');
      },
    },
  };
}
