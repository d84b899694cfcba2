import { defineConfig } from 'vitest/config';

/**
 * Milliseconds after which a test hangs. It says nothing about speed: on a loaded machine a test takes ten times as
 * long as on an idle one.
 */
const LIMIT = 180_000;

const POLL = { timeout: LIMIT / 2 };

/** `unit` needs nothing but Node; `real` starts Keycloak by itself and needs a JDK and Maven. */
export default defineConfig({
  test: {
    // A report beside the usual output, for whoever adds suites up.
    ...(process.env.OAUTHCTL_TEST_REPORT && {
      reporters: ['default', 'json'],
      outputFile: { json: process.env.OAUTHCTL_TEST_REPORT },
    }),
    projects: [
      {
        test: {
          name: 'unit',
          root: '.',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/helpers/key-folder.ts'],
          // By itself vitest leaves one core idle: of two, half.
          maxWorkers: '100%',
          testTimeout: LIMIT,
          hookTimeout: LIMIT,
          // A test in which nothing is asserted fails: its loop was over nothing, or its callback was never called.
          // Tests that run side by side, as the real ones do, share one count of assertions.
          expect: { requireAssertions: true, poll: POLL },
        },
      },
      {
        test: {
          name: 'real',
          root: '.',
          include: ['test/**/*.real.ts'],
          globalSetup: ['test/lab/setup.ts'],
          fileParallelism: false,
          testTimeout: 2 * LIMIT,
          hookTimeout: 2 * LIMIT,
          expect: { poll: POLL },
        },
      },
    ],
  },
});
