import { afterAll, beforeAll, beforeEach, describe, inject, type TestContext } from 'vitest';
import type { KeycloakServer } from '../lab/keycloak.ts';
import { askFor } from '../lab/provided.ts';
import { createSampleRealm, type SampleRealm, type SampleRealmOptions } from '../lab/sample-realm.ts';
import type { Skipped } from '../lab/servers.ts';
import { type Cli, type CliOptions, openCli } from './cli.ts';

type Cleaner = Pick<TestContext, 'onTestFinished'>;

/** What the tests of one file and one Keycloak share. */
export interface Stage {
  readonly version: 26 | 24 | 14;
  readonly server: KeycloakServer;
  /** The realm of this file; made before its first test. */
  readonly sample: SampleRealm;
  /** Chooses what this version is expected to do; 24 does as 26 does unless told otherwise. */
  expected<Value>(on26: Value, on14: Value, on24?: Value): Value;
  /** Runs once before the first test, where the server is there: without it the tests are skipped, and nothing fails. */
  prepare(run: () => Promise<void>): unknown;
  /** Makes another realm for one test. */
  realm(context: Cleaner, options: SampleRealmOptions): Promise<SampleRealm>;
  /** Opens a shell with the profile `sample` in use. */
  cli(context: Cleaner, sample?: SampleRealm, options?: Omit<CliOptions, 'profile'>): Promise<Cli>;
}

/** What onEachKeycloak takes: the options of the file's realm, and more. */
export interface KeycloakOptions extends SampleRealmOptions {
  /** Runs the tests on Keycloak 24 as well, once the others are done: it starts when a file first asks for it. */
  also24?: boolean;
}

/**
 * Defines the same tests for Keycloak 26 and for 14, which run side by side; on each of them one test follows the other,
 * since a Keycloak knows one authentication device only.
 */
export function onEachKeycloak(
  { also24 = false, ...options }: KeycloakOptions,
  define: (stage: Stage) => void,
): void {
  describe.concurrent.each([
    ['keycloak26', 26],
    ['keycloak14', 14],
  ] as const)('%s', (name, version) => {
    describe.sequential('one test after another', () => {
      onKeycloak(version, async () => inject(name), options, define);
    });
  });
  // Not at the same time as the others: its start takes the processors from them, and their tests measure time.
  if (also24) {
    describe.sequential('keycloak24', () => onKeycloak(24, () => askFor('keycloak24'), options, define));
  }
}

/** Seconds that Keycloak may take to be fetched, built and started by the file that asks for it first. */
const START = 600;

/** Defines the tests for one Keycloak, which `find` gives or says why it is not there. */
function onKeycloak(
  version: Stage['version'],
  find: () => Promise<KeycloakServer | Skipped>,
  options: SampleRealmOptions,
  define: (stage: Stage) => void,
): void {
  let found: KeycloakServer | Skipped = { skipped: 'not asked for yet' };
  let sample: SampleRealm | undefined;
  const preparations: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    found = await find();
    if ('skipped' in found) return;
    sample = await createSampleRealm(found, options);
    for (const prepare of preparations) await prepare();
  }, START * 1000);

  beforeEach((context) => {
    if ('skipped' in found) context.skip(found.skipped);
  });

  afterAll(() => sample?.remove());

  const stage: Stage = {
    version,
    get server() {
      if ('skipped' in found) throw new Error(found.skipped);
      return found;
    },
    get sample() {
      if (sample === undefined) throw new Error('The realm is not there yet');
      return sample;
    },
    expected: (on26, on14, on24 = on26) => ({ 26: on26, 24: on24, 14: on14 })[version],
    prepare: (run) => preparations.push(run),
    async realm({ onTestFinished }, realmOptions) {
      const made = await createSampleRealm(stage.server, realmOptions);
      onTestFinished(() => made.remove());
      return made;
    },
    cli: (context, of = stage.sample, cliOptions = {}) =>
      openCli(context, of, { ...cliOptions, profile: { server: stage.server } }),
  };
  define(stage);
}
