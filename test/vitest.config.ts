import { defineConfig } from 'vitest/config';

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
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'real',
          root: '.',
          include: ['test/**/*.real.ts'],
          globalSetup: ['test/lab/setup.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
