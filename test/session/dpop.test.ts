import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { type CapturedRequest, DEVICE_AUTHORIZATION } from '../helpers/misbehaving-server.ts';
import { readFailure } from '../helpers/run.ts';
import { type Script, startWorkplace } from '../helpers/workplace.ts';

const CLIENT = ['token', 'client-credentials'];

const dpopToken = (number = 1, more: object = {}) => ({
  json: { access_token: `access-token-${number}`, token_type: 'DPoP', expires_in: 300, ...more },
});

/** A workplace with a profile, and a key in a file. */
async function start(script: Script, ...profile: string[]) {
  const place = await startWorkplace(script, { profile });
  const { file: keyFile, jwk } = await place.makeKey();
  const runIn = (env: Record<string, string>, ...argv: string[]) => place.runWith({ env }, ...argv);
  const proofs = () => place.server.to('token').map(({ headers }) => headers.dpop !== undefined);
  return { ...place, runIn, keyFile, jkt: await calculateJwkThumbprint(jwk), proofs };
}

const jktOf = ({ headers }: CapturedRequest) =>
  calculateJwkThumbprint(decodeProtectedHeader(String(headers.dpop)).jwk ?? {});

describe('whether requests carry a proof', () => {
  it.each([
    [[], {}, [], false],
    [[], {}, ['--dpop'], true],
    [[], { OAUTHCTL_DPOP: 'true' }, [], true],
    [[], { OAUTHCTL_DPOP: '1' }, ['--no-dpop'], false],
    [[], { OAUTHCTL_DPOP: 'false' }, ['--dpop'], true],
    [['--dpop'], {}, [], true],
    [['--dpop'], {}, ['--no-dpop'], false],
    [['--dpop'], { OAUTHCTL_DPOP: '0' }, [], false],
    [['--no-dpop'], {}, ['--dpop-key', 'FILE'], true],
    [['--dpop-key', 'FILE'], {}, [], true],
    [['--dpop-key', 'FILE'], {}, ['--no-dpop'], false],
  ])(
    'is with the profile %j, the environment %j and the flags %j: %s',
    async (profile, env, flags, isSent) => {
      const { server, run, runIn, keyFile, proofs } = await start({ token: [dpopToken()] });
      const withFile = (argv: readonly string[]) => argv.map((one) => (one === 'FILE' ? keyFile : one));
      if (profile.length > 0) await run('profile', 'set', 'sample', ...withFile(profile));
      const result = await runIn(env, ...CLIENT, ...withFile(flags), '--json');
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(proofs()).toEqual([isSent]);
      expect(server.to('token')).toHaveLength(1);
    },
  );

  it('is a mistake where the environment says neither', async () => {
    const { runIn } = await start({});
    const error = readFailure(await runIn({ OAUTHCTL_DPOP: 'maybe' }, ...CLIENT, '--json'));
    expect(error).toMatchObject({ code: 'dpop_invalid', exit_code: 2 });
  });

  it('is stored in a profile, the file by its absolute path, and removed again', async () => {
    const { run, keyFile, home } = await start({}, '--dpop', '--dpop-alg', 'ES384');
    await run('profile', 'set', 'sample', '--dpop-key', keyFile, '--unset', 'dpop_alg');
    expect(JSON.parse((await run('profile', 'show', '--json')).stdout)).toMatchObject({
      dpop: 'true',
      dpop_key: keyFile,
    });
    await run('profile', 'set', 'sample', '--unset', 'dpop', 'dpop_key');
    const { profiles } = JSON.parse(await readFile(join(home, 'profiles.json'), 'utf8'));
    expect(Object.keys(profiles.sample)).toEqual(['issuer', 'client_id']);
  });
});

describe('the key of the proofs', () => {
  it('is made anew, by the first algorithm that the server lists and this program knows', async () => {
    const metadata = { dpop_signing_alg_values_supported: ['HS256', 'ES384'] };
    const { server, run } = await start({ token: [dpopToken(), dpopToken()], metadata });
    await run(...CLIENT, '--dpop');
    await run(...CLIENT, '--dpop', '--dpop-alg', 'EdDSA');
    const [first, second] = server
      .to('token')
      .map(({ headers }) => decodeProtectedHeader(String(headers.dpop)).alg);
    expect([first, second]).toEqual(['ES384', 'EdDSA']);
  });

  it('is that of the person’s file, which is shown and kept by its thumbprint alone', async () => {
    const { server, run, home, keyFile, jkt } = await start({ token: [dpopToken()] });
    const key = JSON.parse(await readFile(keyFile, 'utf8'));
    await run(...CLIENT, '--dpop-key', keyFile);
    expect(await jktOf(server.to('token')[0] as CapturedRequest)).toBe(jkt);
    expect(await readFile(join(home, 'tokens.json'), 'utf8')).not.toContain(key.d);
    expect((await run('token', 'list')).stdout).toContain(`DPoP, key ${jkt} of your own`);
    expect((await run('token', 'show')).stdout).toContain(`DPoP, key ${jkt} of your own`);
  });

  it('that was made is kept readable by its owner alone, and shown nowhere', async () => {
    const { run, home } = await start({ token: [dpopToken()] });
    const told = (await run(...CLIENT, '--dpop', '-v')).stderr;
    const { dpop } = JSON.parse(await readFile(join(home, 'tokens.json'), 'utf8')).last.sample;
    expect(dpop.jwk.d).toMatch(/^[\w-]{43}$/);
    for (const words of [
      ['list'],
      ['show'],
      ['list', '--json'],
      ['show', '--json'],
      ['show', '--show-secrets'],
    ]) {
      const { stdout, stderr } = await run('token', ...words);
      expect(told + stdout + stderr).not.toContain(dpop.jwk.d);
    }
    expect(JSON.parse((await run('token', 'list', '--json')).stdout).kept.sample).toMatchObject({
      token_type: 'DPoP',
      dpop_jkt: dpop.jkt,
    });
  });

  it.each([
    [['--dpop-key', '/nowhere/at/all'], 'file_unreadable'],
    [['--dpop', '--dpop-alg', 'HS256'], 'dpop_alg_unfit'],
    [['--dpop-claim', '=x', '--dpop'], 'dpop_claim_invalid'],
  ])('with %j is refused: %s', async (flags, code) => {
    const { run, server } = await start({});
    expect(readFailure(await run(...CLIENT, ...flags, '--json'))).toMatchObject({ code, exit_code: 2 });
    expect(server.to('token')).toEqual([]);
  });
});

describe('a nonce that a server wants', () => {
  it('is told as a step, and both exchanges are there with -v', async () => {
    const wanted = { status: 400, headers: { 'dpop-nonce': 'n-1' }, json: { error: 'use_dpop_nonce' } };
    const { run } = await start({ token: [wanted, dpopToken()] });
    const { code, stderr } = await run(...CLIENT, '--dpop', '-v');
    expect(code).toBe(0);
    expect(stderr).toMatch(/server → client +400 +use_dpop_nonce · sent again with the nonce/);
    expect(stderr.match(/^> POST /gm)).toHaveLength(2);
    expect(stderr).toContain('dpop-nonce: n-1');
  });
});

describe('--curl', () => {
  it('shows the proof by reference', async () => {
    const { run } = await start({});
    const { stdout } = await run(...CLIENT, '--dpop', '--curl');
    expect(stdout).toContain('--header "dpop: $OAUTHCTL_DPOP"');
    expect(stdout).not.toMatch(/eyJ/);
  });
});

describe('--reuse', () => {
  it('keeps bound and unbound tokens apart, and says why', async () => {
    const bearer = { json: { access_token: 'a-bearer', token_type: 'Bearer', expires_in: 300 } };
    const { run, proofs } = await start({ token: [bearer, dpopToken(), bearer] });
    const reuse = [...CLIENT, '--reuse', '--field', 'access_token'];
    await run(...reuse);
    expect((await run(...reuse, '--dpop')).stderr).toContain('is not bound to a DPoP key · requesting');
    expect((await run(...reuse, '--dpop')).stdout).toBe('access-token-1\n');
    expect((await run(...reuse)).stderr).toContain('DPoP is turned off · requesting');
    expect(proofs()).toEqual([false, true, false]);
  });

  it('refreshes with the kept key', async () => {
    const { server, run } = await start({
      token: [dpopToken(1, { refresh_token: 'refresh-1', expires_in: 10 }), dpopToken(2)],
    });
    const reuse = [...CLIENT, '--dpop', '--reuse'];
    await run(...reuse);
    expect((await run(...reuse)).code).toBe(0);
    const [first, second] = await Promise.all(server.to('token').map(jktOf));
    expect(second).toBe(first);
  });

  it('of the device grant asks nobody while the token lives', async () => {
    const { server, run } = await start({
      device_authorization: [DEVICE_AUTHORIZATION],
      token: [dpopToken()],
    });
    const reuse = ['token', 'device', '--scope', 'a', '--dpop', '--reuse', '--field', 'access_token'];
    await run(...reuse);
    const before = server.requests.length;
    expect((await run(...reuse)).stdout).toBe('access-token-1\n');
    expect(server.requests).toHaveLength(before);
  });

  it('of an exchange is for the same subject token, which must be one that stays', async () => {
    const { run, home, server } = await start({ token: [dpopToken(1), dpopToken(2)] });
    const file = (name: string) => join(home, name);
    await writeFile(file('one'), 'subject-token-1');
    await writeFile(file('two'), 'subject-token-2');
    const exchange = (name: string) =>
      run(
        'token',
        'exchange',
        '--dpop',
        '--reuse',
        '--subject-token',
        `@${file(name)}`,
        '--field',
        'access_token',
      );
    const brought = [await exchange('one'), await exchange('one'), await exchange('two')];
    expect(brought.map(({ stdout }) => stdout)).toEqual([
      'access-token-1\n',
      'access-token-1\n',
      'access-token-2\n',
    ]);
    expect(readFailure(await run('token', 'exchange', '--reuse', '--json'))).toMatchObject({
      code: 'reuse_of_last',
    });
    expect(server.to('token')).toHaveLength(2);
  });

  it('of an assertion is for the same subject, whenever the assertion was made', async () => {
    const assertion = (sub: string, jti: string) =>
      ['{"alg":"none"}', JSON.stringify({ iss: 'i', sub, jti }), 's']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
    const { runIn, server } = await start({ token: [dpopToken(1), dpopToken(2)] });
    const bear = (text: string) =>
      runIn(
        { A: text },
        'token',
        'jwt-bearer',
        '--dpop',
        '--assertion',
        'env:A',
        '--reuse',
        '--field',
        'access_token',
      );
    const brought = [
      await bear(assertion('u', '1')),
      await bear(assertion('u', '2')),
      await bear(assertion('v', '3')),
    ];
    expect(brought.map(({ stdout }) => stdout)).toEqual([
      'access-token-1\n',
      'access-token-1\n',
      'access-token-2\n',
    ]);
    expect(server.to('token')).toHaveLength(2);
  });
});

describe('the exchange of a bound token', () => {
  it('proves the key that the token is bound to', async () => {
    const { server, run } = await start({ token: [dpopToken(1), dpopToken(2)] });
    await run(...CLIENT, '--dpop');
    await run('token', 'exchange');
    const [first, second] = await Promise.all(server.to('token').map(jktOf));
    expect(second).toBe(first);
  });
});
