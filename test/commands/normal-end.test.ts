import { describe, expect, it } from 'vitest';
import { startCommand } from '../helpers/run.ts';
import { until } from '../helpers/wait.ts';

/** What each command says once it can be ended. */
const COMMANDS = [
  ['sandbox', ['sandbox'], 'stdout'],
  [
    'serve',
    ['serve', '--issuer', 'https://as.example', '--audience', 'api', '--listen', '127.0.0.1:0'],
    'stdout',
  ],
  ['device', ['ciba', 'device', '--any-issuer', '--approve', '--listen', '127.0.0.1:0/device'], 'stderr'],
] as const;

describe('a command that runs until a signal ends it', () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it.each(COMMANDS)(
      `says in one line that it ended by ${signal}, and calls it no error: %s`,
      async (what, argv, stream) => {
        const { parts, end } = await startCommand({}, ...argv);
        await until(() => /127\.0\.0\.1:\d+/.test(parts[stream]()));
        const before = parts.stderr();
        expect(await end(signal)).toBe(exitCode);
        expect(parts.stderr()).toBe(`${before}${what} ended\n`);
      },
    );
  }

  it('says so in JSON under --json, as every command that does not exit with 0', async () => {
    const { parts, end } = await startCommand({}, 'sandbox', '--json');
    await until(() => parts.stdout() !== '');
    expect(await end()).toBe(130);
    expect(JSON.parse(parts.stderr())).toEqual({
      error: { code: 'interrupted', message: 'sandbox ended', exit_code: 130 },
    });
  });
});
