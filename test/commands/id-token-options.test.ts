import { describe, expect, it } from 'vitest';
import { FakeClock } from '../helpers/fake-clock.ts';
import { CLIENT_ID, startMisbehavingServer, TOKENS } from '../helpers/misbehaving-server.ts';
import { machine, readFailure } from '../helpers/run.ts';

/** A machine with the profile `sample`, whose server issues ID tokens with these claims. */
async function setUp(claims: Readonly<Record<string, unknown>>, answers: number) {
  const clock = new FakeClock();
  const answer = async () => ({ json: { ...TOKENS.json, id_token: await server.idToken({ claims }) } });
  const server = await startMisbehavingServer({ clock, token: Array(answers).fill(answer) });
  const { addProfile, runWith } = await machine();
  await addProfile(server.issuer, '--client-id', CLIENT_ID);
  const env = { PASSWORD: 'a password' };
  const run = (...argv: string[]) => runWith({ clock, env }, ...argv);
  const password = ['token', 'password', '--username', 'a', '--password', 'env:PASSWORD'];
  return { clock, run, runWith, env, request: (...more: string[]) => run(...password, ...more), password };
}

describe('--trust-audience', () => {
  it('accepts the further audiences that it names, given once, repeatedly, by environment or profile', async () => {
    const claims = { aud: [CLIENT_ID, 'api', 'https://other.example'], azp: CLIENT_ID };
    const { request, run, runWith, env, clock, password } = await setUp(claims, 6);
    const error = readFailure(await request('--json'));
    expect(error).toMatchObject({ code: 'id_token_invalid', exit_code: 4 });
    expect(error.hint).toContain('--trust-audience "api https://other.example"');
    expect(await request('--trust-audience', 'api')).toMatchObject({ code: 4 });
    expect(await request('--trust-audience', 'api https://other.example')).toMatchObject({ code: 0 });
    const repeated = ['--trust-audience', 'api', '--trust-audience', 'https://other.example'];
    expect(await request(...repeated)).toMatchObject({ code: 0 });
    const trusting = { ...env, OAUTHCTL_TRUST_AUDIENCE: 'api https://other.example' };
    expect(await runWith({ clock, env: trusting }, ...password)).toMatchObject({ code: 0 });
    expect(
      await run('profile', 'set', 'sample', '--trust-audience', 'api https://other.example'),
    ).toMatchObject({ code: 0 });
    expect(await request()).toMatchObject({ code: 0 });
  });
});

describe('--leeway', () => {
  it('is how long ago an ID token may have expired; 0 by default', async () => {
    const { clock, request, run } = await setUp({ iat: 0, exp: 0 }, 0);
    expect(readFailure(await request('--leeway', 'soon', '--json'))).toMatchObject({
      code: 'seconds_invalid',
      exit_code: 2,
    });
    const seconds = Math.floor(clock.now() / 1000);
    const expired = await setUp({ iat: seconds - 90, exp: seconds - 30 }, 3);
    expect(readFailure(await expired.request('--json')).hint).toContain('--leeway SECONDS');
    expect(await expired.request('--leeway', '60')).toMatchObject({ code: 0 });
    expect(await expired.run('profile', 'set', 'sample', '--leeway', '60')).toMatchObject({ code: 0 });
    expect(await expired.request()).toMatchObject({ code: 0 });
    expect(await run('profile', 'show', 'sample')).toMatchObject({ code: 0 });
  });
});
