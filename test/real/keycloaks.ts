import { afterAll, beforeAll, beforeEach, describe, inject, type TestContext } from 'vitest';
import type { KeycloakServer } from '../lab/keycloak.ts';
import { createSampleRealm, type SampleRealm, type SampleRealmOptions } from '../lab/sample-realm.ts';
import { type Cli, type CliOptions, openCli } from './cli.ts';

type Cleaner = Pick<TestContext, 'onTestFinished'>;

/** What the tests of one file and one Keycloak share. */
export interface Stage {
  readonly version: 26 | 14;
  readonly server: KeycloakServer;
  /** The realm of this file; made before its first test. */
  readonly sample: SampleRealm;
  /** Chooses what this version is expected to do. */
  expected<Value>(on26: Value, on14: Value): Value;
  /** Runs once before the first test, where the server is there: without it the tests are skipped, and nothing fails. */
  prepare(run: () => Promise<void>): unknown;
  /** Makes another realm for one test. */
  realm(context: Cleaner, options: SampleRealmOptions): Promise<SampleRealm>;
  /** Opens a shell with the profile `sample` in use. */
  cli(context: Cleaner, sample?: SampleRealm, options?: Omit<CliOptions, 'profile'>): Promise<Cli>;
}

/**
 * Defines the same tests for Keycloak 26 and for 14, which run side by side; on each of them one test follows the other,
 * since a Keycloak knows one authentication device only.
 */
export function onEachKeycloak(options: SampleRealmOptions, define: (stage: Stage) => void): void {
  describe.concurrent.each([
    ['keycloak26', 26],
    ['keycloak14', 14],
  ] as const)('%s', (name, version) => {
    describe.sequential('one test after another', () => {
      const provided = inject(name);
      let sample: SampleRealm | undefined;
      const preparations: (() => Promise<void>)[] = [];

      beforeAll(async () => {
        if ('skipped' in provided) return;
        sample = await createSampleRealm(provided, options);
        for (const prepare of preparations) await prepare();
      });

      beforeEach((context) => {
        if ('skipped' in provided) context.skip(provided.skipped);
      });

      afterAll(() => sample?.remove());

      const stage: Stage = {
        version,
        get server() {
          if ('skipped' in provided) throw new Error(provided.skipped);
          return provided;
        },
        get sample() {
          if (sample === undefined) throw new Error('The realm is not there yet');
          return sample;
        },
        expected: (on26, on14) => (version === 26 ? on26 : on14),
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
    });
  });
}
