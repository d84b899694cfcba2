import { expect } from 'vitest';
import { type Context, createContext } from '../../src/context.ts';
import { OauthctlError } from '../../src/errors.ts';
import { type PollEvent, type PollOptions, pollForTokens } from '../../src/flows/polling/poll.ts';
import type { Target } from '../../src/flows/server/target.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import {
  AUTH_REQ_ID,
  CLIENT_ID,
  type MisbehavingServer,
  type MisbehavingServerOptions,
  type ScriptedStep,
  startMisbehavingServer,
} from '../helpers/misbehaving-server.ts';
import { type TestParts, testParts } from '../helpers/parts.ts';
import { until } from '../helpers/wait.ts';

export const CLIENT_SECRET = 'the-client-secret';

/** A scripted server, and a client of it over the real transport. */
export interface Lab {
  readonly clock: FakeClock;
  readonly server: MisbehavingServer;
  readonly parts: TestParts;
  readonly ctx: Context;
  readonly target: Target;
  /** The clock's time when the lab was set up. */
  readonly start: number;
}

export interface LabOptions extends Omit<MisbehavingServerOptions, 'clock'> {
  readonly clock?: FakeClock;
  readonly target?: Partial<Target>;
}

export async function startLab({
  clock = new FakeClock(),
  target,
  ...script
}: LabOptions = {}): Promise<Lab> {
  const server = await startMisbehavingServer({ ...script, clock });
  const parts = await testParts({ clock });
  return {
    clock,
    server,
    parts,
    ctx: createContext(parts),
    target: {
      metadata: server.metadata,
      client: {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      extraParameters: [],
      owner: 'test',
      keepTokens: true,
      ...target,
    },
    start: clock.now(),
  };
}

/** The poll engine by itself: no store, no ID token. */
export interface Polling extends Lab {
  readonly events: PollEvent[];
  readonly run: () => ReturnType<typeof pollForTokens>;
}

/** Options in milliseconds from the start. */
export interface PollingOptions
  extends Partial<Omit<PollOptions, 'tokenEndpoint' | 'send' | 'firstAt' | 'expiresAt' | 'deadlineAt'>> {
  readonly first?: number;
  readonly expires?: number;
  readonly deadline?: number;
  readonly clock?: FakeClock;
}

export async function startPolling(
  token: readonly ScriptedStep[],
  options: PollingOptions = {},
): Promise<Polling> {
  const { first, expires, deadline, clock, intervalSeconds = 5, ...rest } = options;
  const lab = await startLab({ token, ...(clock && { clock }) });
  const events: PollEvent[] = [];
  const url = `${lab.server.issuer}/token`;
  const body = new URLSearchParams({ auth_req_id: AUTH_REQ_ID }).toString();
  const after = (ms: number | undefined) => (ms === undefined ? undefined : lab.start + ms);
  const run = () =>
    pollForTokens(
      lab.ctx,
      {
        ...rest,
        tokenEndpoint: url,
        send: async (timeoutMs, signal) =>
          (await lab.ctx.http()).send({ method: 'POST', url, endpoint: 'token', body, timeoutMs }, signal),
        intervalSeconds,
        firstAt: lab.start + (first ?? intervalSeconds * 1000),
        expiresAt: after(expires),
        deadlineAt: after(deadline),
      },
      (event) => events.push(event),
    );
  return { ...lab, events, run };
}

/** The events of one type. */
export function ofType<Event extends { type: string }, Type extends Event['type']>(
  events: readonly Event[],
  type: Type,
): Extract<Event, { type: Type }>[] {
  return events.filter((event): event is Extract<Event, { type: Type }> => event.type === type);
}

/** What a run failed with; a success fails the test. */
export async function awaitFailure(run: Promise<unknown>): Promise<OauthctlError> {
  const outcome = await run.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) expect.fail(`it succeeded with ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof OauthctlError)) throw outcome.error;
  return outcome.error;
}

/** Moves a manual clock second by second, whenever every run is asleep, until all have ended. */
export async function drive(clock: FakeClock, runs: readonly Promise<unknown>[]): Promise<void> {
  let running = runs.length;
  for (const run of runs) {
    const ended = () => {
      running -= 1;
    };
    run.then(ended, ended);
  }
  for (;;) {
    await until(() => running === 0 || clock.asleep === running, 'every run is asleep');
    if (running === 0) return;
    clock.advance(1000);
  }
}
