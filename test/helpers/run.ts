import { onTestFinished } from 'vitest';
import { InterruptedError } from '../../src/errors.ts';
import { main } from '../../src/main.ts';
import { type TestParts, type TestPartsOptions, testParts } from './parts.ts';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  /** Folder of the files that are kept from run to run. */
  readonly home: string;
  /** Runs one command, as a process of its own would. */
  run(...argv: string[]): Promise<Run>;
  /** As `run`, with an environment and standard input. */
  runWith(options: TestPartsOptions, ...argv: string[]): Promise<Run>;
  /** Adds the profile `sample`, which is then in use; of a client `a` unless the flags name another. */
  addProfile(issuer: string, ...flags: string[]): Promise<void>;
}

/** A machine without a terminal, whose files last until the test ends. */
export async function machine(): Promise<Machine> {
  const { home } = await testParts();
  const runWith = async (options: TestPartsOptions, ...argv: string[]): Promise<Run> => {
    const parts = await testParts({
      ...options,
      env: { OAUTHCTL_HOME: home, ...options.env },
      showSecrets: argv.includes('--show-secrets'),
    });
    const code = await main(argv, parts);
    return { code, stdout: parts.stdout(), stderr: parts.stderr() };
  };
  return {
    home,
    runWith,
    run: (...argv) => runWith({}, ...argv),
    async addProfile(issuer, ...flags) {
      const client = flags.includes('--client-id') ? [] : ['--client-id', 'a'];
      const add = ['profile', 'add', 'sample', '--issuer', issuer, ...client, ...flags];
      const { code, stderr } = await runWith({}, ...add);
      if (code !== 0) throw new Error(`the profile was not added: ${stderr}`);
    },
  };
}

/** A command that runs until it is interrupted. */
export interface Started {
  readonly parts: TestParts;
  /** Interrupts it. @returns its exit code */
  end(signal?: 'SIGINT' | 'SIGTERM'): Promise<number>;
}

/** Starts one command on a machine of its own, until it is interrupted or the test ends. */
export async function startCommand(options: TestPartsOptions, ...argv: string[]): Promise<Started> {
  const parts = await testParts(options);
  const ended = main(argv, parts);
  const end = async (signal: 'SIGINT' | 'SIGTERM' = 'SIGINT') => {
    parts.abort(new InterruptedError(signal));
    return ended;
  };
  onTestFinished(async () => void (await end()));
  return { parts, end };
}

/** Runs one command on a machine of its own. */
export async function run(...argv: string[]): Promise<Run> {
  return (await machine()).run(...argv);
}

/** The failure under `--json`: one line, the last of stderr, and nothing on stdout. */
export function readFailure({ stdout, stderr }: Run): Record<string, unknown> {
  const lines = stderr.split('\n');
  if (stdout !== '') throw new Error(`stdout is not empty: ${stdout}`);
  if (lines.pop() !== '') throw new Error(`stderr does not end with a whole line: ${stderr}`);
  const { error, ...others } = JSON.parse(lines.pop() ?? '');
  if (Object.keys(others).length > 0) throw new Error(`it has other members: ${stderr}`);
  return error;
}
