import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const guard = fileURLToPath(new URL('./guard.sh', import.meta.url));

/** Tells the person who waits what the laboratory is doing: stdout belongs to the test reporter. */
export function progress(message: string): void {
  process.stderr.write(`[lab] ${message}\n`);
}

/** What a laboratory program inherits: settings meant for other Keycloaks and JVMs would change what is tested. */
export function cleanEnvironment(extra: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(KC|KEYCLOAK|JAVA|JBOSS|JDK_JAVA|QUARKUS)_|^(DEBUG|RUN_CONF)$/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

interface Launch {
  command: string;
  args: string[];
  /** Removed by the guard when this process dies before the program does. */
  folder: string;
  env?: Record<string, string>;
  cwd?: string;
}

function launch({ command, args, folder, env = {}, cwd }: Launch, output: 'pipe' | number): ChildProcess {
  // Detached: a Ctrl-C on the terminal must not end the guard before it has ended its charge.
  const child = spawn('bash', [guard, folder, command, ...args], {
    cwd: cwd ?? folder,
    detached: true,
    env: cleanEnvironment(env),
    stdio: ['pipe', output, output],
  });
  child.stdin?.on('error', () => {});
  return child;
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed, both streams together
 * @throws Error with the last lines of its output when it cannot be started or exits with anything but 0
 */
export async function run(program: Launch): Promise<string> {
  const child = launch(program, 'pipe');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program.command} exited with ${code}:\n${lastLines(output)}`);
  return output;
}

export interface RunningProcess {
  /** Where the program's stdout and stderr go. */
  logFile: string;
  /** Ends the program and everything it started, and removes its folder; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param ready asks the server once; true when it answers as it should
 * @param deadline in seconds, from the start
 * @throws Error with the tail of the server's log when it exits early or is not ready in time; it is ended then
 */
export async function startServer(
  name: string,
  program: Launch,
  ready: () => Promise<boolean>,
  deadline = 480,
): Promise<RunningProcess> {
  const logFile = join(program.folder, 'server.log');
  const log = openSync(logFile, 'a');
  const child = launch(program, log);
  closeSync(log);

  let exit: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      exit = `could not be started: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      exit ??= `exited with ${code ?? signal}`;
      resolve();
    });
  });
  const stop = async () => {
    child.stdin?.end();
    await exited;
    await rm(program.folder, { recursive: true, force: true });
  };

  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  let told = 0;
  while (!(await ready().catch(() => false))) {
    if (exit !== undefined || seconds() >= deadline) {
      const reason = exit ?? `was not ready within ${deadline} s`;
      const tail = lastLines(await readFile(logFile, 'utf8').catch(() => ''));
      await stop();
      throw new Error(`${name} ${reason}; the end of its log:\n${tail}`);
    }
    if (seconds() - told >= 15) {
      told = seconds();
      progress(`${name}: still starting after ${told} s`);
    }
    await sleep(250);
  }
  progress(`${name}: ready after ${seconds()} s`);
  return { logFile, stop };
}

function lastLines(text: string, count = 40): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
