import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** After this long a block is ended, and its test fails. Milliseconds. */
const DEADLINE = 60_000;

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs until the shell closes. */
export interface Running {
  readonly output: () => Output;
}

export interface ShellOptions {
  /** What `npx oauthctl` runs: a file for `node`. */
  readonly program: string;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the documents say and what it is here, such as an address; replaced in every command. */
  readonly replacements: Map<string, string>;
}

/**
 * A terminal in which the commands of one page are run as they are written, by `sh`, in a folder and with a store of
 * their own. `npx oauthctl` runs the program under test.
 */
export class Shell {
  readonly folder: string;
  readonly replacements: Map<string, string>;
  readonly #options: ShellOptions;
  readonly #running: { child: ChildProcess; output: Output; describe: () => string }[] = [];

  private constructor(folder: string, options: ShellOptions) {
    this.folder = folder;
    this.#options = options;
    this.replacements = options.replacements;
  }

  static async open(options: ShellOptions): Promise<Shell> {
    const folder = await mkdtemp(join(tmpdir(), 'oauthctl-docs-'));
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'work'));
    const commands = {
      npx: `[ "$1" = oauthctl ] || { echo "npx $1 is not run here" >&2; exit 97; }\nshift\nexec '${process.execPath}' '${options.program}' "$@"`,
      // The tests themselves need what it installs, so it has run.
      npm: `[ "$*" = ci ] || { echo "npm $* is not run here" >&2; exit 97; }`,
    };
    for (const [name, script] of Object.entries(commands)) {
      const path = join(folder, 'bin', name);
      await writeFile(path, `#!/bin/sh\n${script}\n`);
      await chmod(path, 0o755);
    }
    return new Shell(folder, options);
  }

  /**
   * Runs the commands of a block one after the other. Each must exit with 0, or with what its comment states
   * (`# exit 4`).
   *
   * @param options.home the folder of the program's store, `home` by default
   * @param options.onStderr hears what is written to stderr while it runs
   * @throws Error with the commands and their output
   */
  async run(
    text: string,
    options: { readonly home?: string; readonly onStderr?: (stderr: string) => void } = {},
  ): Promise<Output> {
    const script = buildScript(this.replace(text));
    const { child, output } = this.#spawn(script, options.home);
    child.stderr?.on('data', () => options.onStderr?.(output.stderr));
    const timer = setTimeout(() => kill(child), DEADLINE);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    clearTimeout(timer);
    if (code !== 0) throw new Error(describe(this.replace(text), code, output));
    return output;
  }

  /**
   * Starts one command and waits until it has written a text.
   * @throws Error when it ends before
   */
  async start(text: string, until: string, options: { readonly home?: string } = {}): Promise<Running> {
    const [command, expected] = [this.replace(text), this.replace(until)];
    const { child, output } = this.#spawn(`exec ${command}`, options.home);
    const running = { child, output, describe: () => describe(command, child.exitCode, output) };
    this.#running.push(running);
    await waitForText(running, expected).catch((error) => {
      this.#running.splice(this.#running.indexOf(running), 1);
      throw error;
    });
    return { output: () => output };
  }

  /**
   * Waits until a command that stays running has written a text.
   * @throws Error when none is running, or when all have ended before
   */
  async waitFor(text: string): Promise<void> {
    await Promise.any(this.#running.map((running) => waitForText(running, this.replace(text))));
  }

  /**
   * Ends what still runs as Ctrl-C does, the last first, and removes the folder.
   * @throws Error when a command ended otherwise than with 130, the exit code of an interruption
   */
  async close(): Promise<void> {
    const failures: string[] = [];
    for (const { child, describe } of this.#running.reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGINT');
        await closed;
      }
      if (child.exitCode !== 130) failures.push(describe());
    }
    await rm(this.folder, { recursive: true, force: true });
    if (failures.length > 0) throw new Error(failures.join('\n'));
  }

  /** Puts what is here in place of what the documents say. */
  replace(text: string): string {
    let replaced = text;
    for (const [from, to] of this.replacements) replaced = replaced.replaceAll(from, to);
    return replaced;
  }

  #spawn(script: string, home = 'home') {
    const path = [join(this.folder, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(':');
    const child = spawn('sh', ['-c', script], {
      cwd: join(this.folder, 'work'),
      env: {
        PATH: path,
        HOME: this.folder,
        OAUTHCTL_HOME: join(this.folder, home),
        NO_PROXY: '*',
        ...this.#options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a deadline ends what the shell has started as well.
      detached: true,
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        output[name] += chunk;
      });
    }
    return { child, output };
  }
}

/** @throws Error when the command ends before it has written the text, or does not write it in time */
function waitForText(
  { child, output, describe }: { child: ChildProcess; output: Output; describe: () => string },
  text: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      kill(child);
    }, DEADLINE);
    const look = () => {
      if (!output.stdout.includes(text) && !output.stderr.includes(text)) return;
      clearTimeout(timer);
      resolve();
    };
    const fail = () => {
      clearTimeout(timer);
      reject(new Error(`"${text}" was not written: ${describe()}`));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', fail);
    child.once('close', fail);
    look();
  });
}

function kill({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

/** Divides a block into its commands, comment lines left out, and checks the exit code of each. */
export function buildScript(text: string): string {
  const commands = text
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  return [
    'check() { [ "$1" -eq "$2" ] || { echo "command $3 exited with $1, and not with $2" >&2; exit 99; }; }',
    ...commands.flatMap((command, index) => {
      const stated = / #.*\bexit (\d+)/.exec(command)?.[1] ?? '0';
      return [command, `check $? ${stated} ${index + 1}`];
    }),
  ].join('\n');
}

function describe(command: string, code: number | null, { stdout, stderr }: Output): string {
  return `${command}\nexit code ${code}\nstdout: ${stdout}\nstderr: ${stderr}`;
}
