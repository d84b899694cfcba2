import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { generateKey } from '../../src/protocol/jose/key.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { FakeClock } from './fake-clock.ts';
import {
  CLIENT_ID,
  type MisbehavingServer,
  type MisbehavingServerOptions,
  startMisbehavingServer,
} from './misbehaving-server.ts';
import { type Machine, machine } from './run.ts';

/** Answers of the server, as startMisbehavingServer takes them. */
export type Script = Omit<MisbehavingServerOptions, 'clock'>;

export interface WorkplaceOptions {
  /** The clock of the machine and of the server; one that moves by itself unless given. */
  readonly clock?: FakeClock;
  /** Environment variables of every command; CLIENT_SECRET is among them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of `profile add`, for the profile `sample` of the client CLIENT_ID; without them there is none. */
  readonly profile?: readonly string[];
}

/** A machine, and a server that its commands speak to; both go by one clock. */
export interface Workplace extends Machine {
  readonly clock: FakeClock;
  /** What it was asked stands in `server.requests`. */
  readonly server: MisbehavingServer;
  readonly store: Store;
  /** The flags that name the server and the client, for commands without a profile. */
  readonly target: readonly string[];
  /** A file for `--trace`. */
  readonly trace: string;
  /** What was written to it. */
  traced(): Promise<string>;
  /** Keeps a token response for the profile `sample`, as a grant does. */
  keep(response: Readonly<Record<string, unknown>>): Promise<void>;
  /** The parameters of a token request, the first unless told otherwise. */
  tokenForm(index?: number): Readonly<Record<string, string>>;
  /** Makes a private key in a file of the machine. */
  makeKey(alg?: string, kid?: string): Promise<{ readonly file: string; readonly jwk: JWK }>;
}

/** The client's secret, which `env:CLIENT_SECRET` refers to. */
export const CLIENT_SECRET = 'the-client-secret';

/** Sets up what most tests of commands need: a machine, a scripted server that records, a clock, a profile, keys. */
export async function startWorkplace(
  script: Script = {},
  { clock = new FakeClock(), env, profile }: WorkplaceOptions = {},
): Promise<Workplace> {
  const server = await startMisbehavingServer({ ...script, clock });
  const here = await machine();
  const { home } = here;
  const store = openStore({ OAUTHCTL_HOME: home });
  const runWith: Machine['runWith'] = (options, ...argv) =>
    here.runWith({ clock, ...options, env: { CLIENT_SECRET, ...env, ...options.env } }, ...argv);
  if (profile !== undefined) await here.addProfile(server.issuer, '--client-id', CLIENT_ID, ...profile);
  const trace = join(home, 'trace.jsonl');
  return {
    ...here,
    clock,
    server,
    store,
    target: ['--issuer', server.issuer, '--client-id', CLIENT_ID],
    runWith,
    run: (...argv) => runWith({}, ...argv),
    trace,
    traced: () => readFile(trace, 'utf8'),
    keep: (response) =>
      store.tokens.keep('sample', {
        response: { token_type: 'Bearer', ...response },
        grant_type: 'password',
        issuer: server.issuer,
        client_id: CLIENT_ID,
        received_at: clock.now(),
      }),
    tokenForm: (index = 0) => Object.fromEntries(server.to('token')[index]?.form ?? []),
    async makeKey(alg = 'ES256', kid) {
      const { jwk } = await generateKey(alg, kid);
      const file = join(home, `${alg}.json`);
      await writeFile(file, JSON.stringify(jwk));
      return { file, jwk };
    },
  };
}
