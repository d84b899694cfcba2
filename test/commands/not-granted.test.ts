import { expect, it } from 'vitest';
import { FakeClock } from '../helpers/fake-clock.ts';
import {
  ACKNOWLEDGEMENT,
  CLIENT_ID,
  DEVICE_AUTHORIZATION,
  startMisbehavingServer,
  TOKENS,
} from '../helpers/misbehaving-server.ts';
import { machine } from '../helpers/run.ts';

const LESS = { json: { ...TOKENS.json, scope: 'read', refresh_token: 'refresh-me' } };

/** @param first the answer to the request before that for tokens */
async function setUp(answers: number, first: 'backchannel' | 'device_authorization' | 'none' = 'none') {
  const clock = new FakeClock();
  const server = await startMisbehavingServer({
    clock,
    token: Array(answers).fill(LESS),
    ...(first === 'backchannel' && { backchannel: [ACKNOWLEDGEMENT] }),
    ...(first === 'device_authorization' && { device_authorization: [DEVICE_AUTHORIZATION] }),
  });
  const { addProfile, runWith } = await machine();
  await addProfile(server.issuer, '--client-id', CLIENT_ID, '--login-hint', 'a');
  return (...argv: string[]) => runWith({ clock, env: { PASSWORD: 'p' } }, ...argv);
}

it.each<[string, string[], Parameters<typeof setUp>[1]]>([
  ['client credentials', ['token', 'client-credentials'], 'none'],
  ['a password', ['token', 'password', '--username', 'a', '--password', 'env:PASSWORD'], 'none'],
  ['the device grant', ['token', 'device'], 'device_authorization'],
  ['CIBA', ['ciba', 'start'], 'backchannel'],
])(
  'a scope that is not granted is said in one line, but not under --quiet: %s',
  async (_what, argv, first) => {
    const run = await setUp(1, first);
    const { code, stderr } = await run(...argv, '--scope', 'read write');
    expect(code).toBe(0);
    expect(stderr.match(/asked for and not granted: .*/g)).toEqual([
      'asked for and not granted: scope write · granted: read',
    ]);
    const quiet = await (await setUp(1, first))('-q', ...argv, '--scope', 'read write');
    expect(quiet).toMatchObject({ code: 0, stderr: expect.not.stringContaining('not granted') });
  },
);

it('nothing is said where all was granted, or where nothing was asked for', async () => {
  const run = await setUp(3);
  for (const more of [['--scope', 'read'], [], ['--scope', 'read', '--param', 'scope=read']]) {
    const { code, stderr } = await run('token', 'client-credentials', ...more);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('not granted') });
  }
});

it('a scope by hand and a scope of a refresh count as well', async () => {
  const run = await setUp(2);
  const said = expect.stringContaining('asked for and not granted: scope write');
  expect(await run('token', 'client-credentials', '--param', 'scope=write')).toMatchObject({ stderr: said });
  expect(await run('token', 'refresh', '--scope', 'write')).toMatchObject({ stderr: said });
});

it.each([
  [['--requested-expiry', '12'], true],
  [['--param', 'requested_expiry=12'], true],
  [['--requested-expiry', '120'], false],
  [[], false],
])('a requested expiry that the server does not grant is said in one line: %j', async (argv, isSaid) => {
  const { code, stderr } = await (await setUp(0, 'backchannel'))('ciba', 'request', ...argv);
  expect(code).toBe(0);
  const line = 'asked for and not granted: requested_expiry 12 s · granted: 120 s';
  expect(stderr.includes(line)).toBe(isSaid);
});
