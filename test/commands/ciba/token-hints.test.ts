import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  ACKNOWLEDGEMENT,
  CLIENT_ID,
  type MisbehavingServerOptions,
  startMisbehavingServer,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { machine, readFailure } from '../../helpers/run.ts';

/** A machine, and a server that its commands speak to as a public client. */
async function setUp(script: Omit<MisbehavingServerOptions, 'clock'>) {
  const clock = new FakeClock();
  const server = await startMisbehavingServer({ ...script, clock });
  const { home, runWith } = await machine();
  const here = ['--issuer', server.issuer, '--client-id', CLIENT_ID, '--json'];
  const runHere = (...args: string[]) =>
    runWith({ clock, env: { HINT: 'the-hint' } }, ...args.slice(0, 2), ...here, ...args.slice(2));
  const sent = (name: string) => server.to('backchannel').map(({ form }) => form?.get(name));
  return { home, run: runHere, sent };
}

describe.each([
  ['--id-token-hint', 'id_token_hint'],
  ['--login-hint-token', 'login_hint_token'],
])('ciba request %s', (flag, parameter) => {
  it('sends the kept token that @last names', async () => {
    const { run, sent } = await setUp({ backchannel: [ACKNOWLEDGEMENT], token: [TOKENS] });
    await run('token', 'client-credentials');
    const { code } = await run('ciba', 'request', flag, '@last.access_token');
    expect(code).toBe(0);
    expect(sent(parameter)).toEqual([TOKENS.json.access_token]);
  });

  it('sends what a file or an environment variable holds', async () => {
    const { home, run, sent } = await setUp({
      backchannel: [ACKNOWLEDGEMENT, ACKNOWLEDGEMENT, ACKNOWLEDGEMENT],
    });
    const file = join(home, 'hint.txt');
    await writeFile(file, 'the-hint\n');
    for (const reference of [`@${file}`, `file:${file}`, 'env:HINT'])
      expect((await run('ciba', 'request', flag, reference)).code).toBe(0);
    expect(sent(parameter)).toEqual(['the-hint', 'the-hint', 'the-hint']);
  });

  it('sends nothing where no such token is kept', async () => {
    const { run, sent } = await setUp({});
    const result = await run('ciba', 'request', flag, '@last.id_token');
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'nothing_kept' });
    expect(sent(parameter)).toEqual([]);
  });
});
