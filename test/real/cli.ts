import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, type TestContext } from 'vitest';
import type { KeycloakServer } from '../lab/keycloak.ts';
import type { SampleClient, SampleRealm } from '../lab/sample-realm.ts';

/** One line of a trace file. */
export interface TracedExchange {
  direction: 'out' | 'in';
  endpoint: string;
  /** ISO 8601. */
  at: string;
  request: { method: string; url: string; headers: Record<string, string>; body: string };
  answer?: { status: number; ms: number; body: string };
  failure?: string;
}

/** The line of JSON that a failure ends in under `--json`. */
export interface ErrorDocument {
  code: string;
  message: string;
  hint?: string;
  exit_code: number;
  /** Without a status where it came by the browser. */
  oauth?: { error: string; error_description?: string; status?: number };
}

/** What one run of the program left behind. */
export interface Run {
  args: readonly string[];
  exitCode: number | null;
  stdout: string;
  stderr: string;
  trace: readonly TracedExchange[];
  traceText: string;
}

export interface RunningProgram {
  /** Waits until stderr has said something. @returns the match @throws Error when the program ends before */
  says(text: string | RegExp): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Run>;
}

/** The environment variable that holds the client's secret; the arguments only name it. */
export const SECRET_VARIABLE = 'SAMPLE_CLIENT_SECRET';

/** After this long a run is ended, and its test fails. Milliseconds. */
const DEADLINE = 180_000;

/** A shell of one person: it runs the program as a child process, with a home of its own. */
export class Cli {
  readonly home: string;
  readonly runs: Run[] = [];
  readonly #env: Record<string, string>;
  readonly #secrets = new Set<string>();
  readonly #children = new Set<ChildProcess>();
  #count = 0;

  constructor(home: string, env: Record<string, string>) {
    this.home = home;
    this.#env = env;
  }

  /** Names a value that must not appear on stderr or in a trace of any run. */
  know(...secrets: string[]): void {
    for (const secret of secrets) {
      this.#secrets.add(secret);
      this.#secrets.add(encodeURIComponent(secret));
      // A part of a token gives away as much: each holds the claims or the signature.
      for (const part of secret.split('.')) if (part.length >= 24) this.#secrets.add(part);
    }
  }

  /** Runs the program to its end. Every run records a trace, and is searched for secrets. */
  run(...args: string[]): Promise<Run> {
    return this.start(...args).ended;
  }

  /** Runs the program under `--json`. @returns the result @throws when it exits with anything but 0 */
  async json(...args: string[]): Promise<Record<string, unknown>> {
    const run = await this.run(...args, '--json');
    expect(run, describeRun(run)).toMatchObject({ exitCode: 0 });
    return JSON.parse(run.stdout);
  }

  /** Runs the program under `--json` and expects it to fail: nothing on stdout, one line of JSON at the end of stderr. */
  async fails(exitCode: number, ...args: string[]): Promise<ErrorDocument> {
    return failure(await this.run(...args, '--json'), exitCode);
  }

  /** Starts the program. */
  start(...args: string[]): RunningProgram {
    this.#count += 1;
    const traceFile = join(this.home, `trace-${this.#count}.jsonl`);
    const child = spawn(process.execPath, [inject('program'), ...args, '--trace', traceFile], {
      cwd: this.home,
      env: { PATH: process.env.PATH, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    const output = { stdout: '', stderr: '' };
    const heard = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        for (const listener of heard) listener();
      });
    }
    const ended = (async (): Promise<Run> => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, DEADLINE);
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
      });
      clearTimeout(timer);
      this.#children.delete(child);
      const traceText = existsSync(traceFile) ? await readFile(traceFile, 'utf8') : '';
      const trace = traceText
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      const run = { args, exitCode, ...output, traceText, trace };
      if (late) throw new Error(`The program did not end within ${DEADLINE / 1000} s.\n${describeRun(run)}`);
      this.runs.push(run);
      await this.#learn(run);
      this.#expectDiscretion(run);
      return run;
    })();
    ended.catch(() => {});
    return {
      ended,
      signal: (signal) => child.kill(signal),
      says: (text) =>
        new Promise((resolve, reject) => {
          const listener = () => {
            const said = output.stderr.match(text);
            if (said === null) return;
            heard.delete(listener);
            resolve(said);
          };
          heard.add(listener);
          listener();
          ended.then(
            (run) => reject(new Error(`It ended without saying ${text}.\n${describeRun(run)}`)),
            reject,
          );
        }),
    };
  }

  /** The exchanges of every run so far, in the order of time. */
  exchanges(endpoint?: string): TracedExchange[] {
    return this.runs
      .flatMap(({ trace }) => trace)
      .filter((exchange) => endpoint === undefined || exchange.endpoint === endpoint)
      .sort((one, other) => one.at.localeCompare(other.at));
  }

  /** Ends what still runs, searches every run again by what became known later, and removes the home. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await closed;
    }
    await rm(this.home, { recursive: true, force: true });
    for (const run of this.runs) this.#expectDiscretion(run);
  }

  /** Collects the secrets that a run met: in its result, and in the files of its home. */
  async #learn({ stdout }: Run): Promise<void> {
    const texts = [stdout];
    for (const file of ['pending.json', 'tokens.json']) {
      const path = join(this.home, file);
      if (existsSync(path)) texts.push(await readFile(path, 'utf8'));
    }
    for (const text of texts) {
      for (const [, value = ''] of text.matchAll(
        /"(?:access_token|refresh_token|id_token|auth_req_id|bearer)": ?"([^"]+)"/g,
      ))
        if (!value.includes('(masked)')) this.know(value);
    }
  }

  /**
   * No run shows a secret, known by its value or recognisable by its shape (a bearer of the server that this process
   * never learns is a JWT), and no server ever had to ask for slower polls.
   */
  #expectDiscretion(run: Run): void {
    const { stderr, traceText } = run;
    for (const [where, text] of Object.entries({ stderr, trace: traceText })) {
      expect(text, `${where} of ${commandLine(run)}`).not.toContain('slow_down');
      if (run.args.includes('--show-secrets')) continue;
      const told = [
        ...[...this.#secrets].filter((secret) => text.includes(secret)),
        ...(text.match(SECRET_SHAPES) ?? []),
      ];
      expect(told, `secrets in ${where} of ${commandLine(run)}`).toEqual([]);
    }
  }
}

/** A JWT or JWE, and credentials in an Authorization header. */
export const SECRET_SHAPES = /\beyJ[\w-]{8,}\.[\w.-]+|\b(?:Basic|Bearer) +(?!error=|realm=)[\w+/=.-]{8,}/g;

/** What a client authenticates with. */
export type ClientCredentials = Pick<SampleClient, 'clientId' | 'secret'>;

export interface CliOptions {
  client?: ClientCredentials;
  /** Further environment variables; their values count as secrets. */
  env?: Record<string, string>;
  /** The profile `sample` for this server and client, which is then in use. */
  profile?: { server: KeycloakServer; extra?: readonly string[] };
}

/** Opens a shell for one test, whose end closes it; `USER_PASSWORD` is that of the realm's user. */
export async function openCli(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  sample?: SampleRealm,
  { client = sample?.client, env = {}, profile }: CliOptions = {},
): Promise<Cli> {
  const home = await mkdtemp(join(tmpdir(), 'oauthctl-real-'));
  const cli = new Cli(home, {
    HOME: home,
    OAUTHCTL_HOME: home,
    ...(client && { [SECRET_VARIABLE]: client.secret }),
    ...(sample && { USER_PASSWORD: sample.user.password }),
    ...env,
  });
  cli.know(...Object.values(env));
  onTestFinished(() => cli.close());
  if (sample) cli.know(sample.user.password);
  if (client) cli.know(client.secret, Buffer.from(`${client.clientId}:${client.secret}`).toString('base64'));
  if (profile && sample && client) await addProfile(cli, profile.server, sample, client, profile.extra);
  return cli;
}

/** Runs `profile add`. @returns what it printed */
export function addProfile(
  cli: Cli,
  server: KeycloakServer,
  { realm }: SampleRealm,
  client: ClientCredentials,
  extra: readonly string[] = [],
): Promise<Record<string, unknown>> {
  return cli.json(
    ...['profile', 'add', 'sample', '--url', serverUrl(server), '--realm', realm],
    ...['--client-id', client.clientId, '--client-secret', `env:${SECRET_VARIABLE}`],
    ...['--device-listen', server.deviceListen, ...extra],
  );
}

/** The address that a person knows: what stands below it differs from version to version. */
export function serverUrl(server: KeycloakServer): string {
  return server.baseUrl.replace(/\/auth$/, '');
}

/**
 * Reads the line of JSON that a run ended in. Where a server refused, `oauth` must say what it sent, as the trace shows it.
 */
export function failure(run: Run, exitCode: number): ErrorDocument {
  expect(run, describeRun(run)).toMatchObject({ exitCode, stdout: '' });
  const { error } = JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '') as { error: ErrorDocument };
  expect(error.exit_code).toBe(exitCode);
  // Metadata that is not there is no error of OAuth's, so its name is ours.
  if (error.oauth?.status !== undefined && error.code !== 'metadata_not_found') {
    const { status, body = '' } = run.trace.findLast(({ answer }) => answer)?.answer ?? {};
    expect(error.oauth.status).toBe(status);
    // A resource may say it in a header alone, which a trace does not hold.
    if (body === '') return error;
    const { error: code, error_description } = JSON.parse(body) as NonNullable<ErrorDocument['oauth']>;
    expect(error.oauth).toEqual({ status, error: code, ...(error_description && { error_description }) });
    // A word of the server's own is no code.
    expect([code, 'refused']).toContain(error.code);
  }
  return error;
}

function describeRun(run: Run): string {
  return `${commandLine(run)}\nexit code ${run.exitCode}\nstdout: ${run.stdout}\nstderr: ${run.stderr}`;
}

/** Tokens among the arguments are cut short. */
function commandLine({ args }: Run): string {
  return `oauthctl ${args.map((arg) => (arg.length > 60 ? `${arg.slice(0, 12)}…` : arg)).join(' ')}`;
}
