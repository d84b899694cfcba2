import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { type Cli, openCli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { Person } from './person.ts';
import { claimsOf, PASSWORD_GRANT } from './tokens.ts';

const CLIENT = ['token', 'client-credentials'] as const;

const jktOf = (token: unknown) => claimsOf<{ cnf: { jkt: string } }>(token).cnf.jkt;

onEachKeycloak({ attributes: { oauth2DevicePollingInterval: '1' }, interval: 1 }, (stage) => {
  /** The client `test-client` of 26 takes nothing without a proof, and so does `public-client`. */
  stage.prepare(async () => {
    const { admin, realm, client } = stage.sample;
    const attributes = {
      'dpop.bound.access.tokens': 'true',
      'oauth2.device.authorization.grant.enabled': 'true',
    };
    await admin.updateClient(realm, client.id, { attributes });
    await admin.createClient(realm, {
      clientId: 'public-client',
      publicClient: true,
      directAccessGrantsEnabled: true,
      attributes: { 'dpop.bound.access.tokens': 'true' },
    });
  });

  const open = (context: TestContext, extra: readonly string[] = ['--dpop']): Promise<Cli> =>
    openCli(context, stage.sample, { profile: { server: stage.server, extra } });
  const openPublic = async (context: TestContext): Promise<Cli> => {
    const cli = await open(context);
    await cli.json(
      ...['profile', 'set', 'sample', '--client-id', 'public-client', '--auth-method', 'none'],
      ...['--unset', 'client_secret'],
    );
    return cli;
  };
  const kept = async (cli: Cli) =>
    JSON.parse(await readFile(join(cli.home, 'tokens.json'), 'utf8')).last.sample;
  const userinfo = () => `${stage.sample.issuer}/protocol/openid-connect/userinfo`;

  if (stage.version === 14) {
    test('a server that knows no DPoP ignores the proof, and the program says so', async (context) => {
      const cli = await open(context);
      const run = await cli.run(...CLIENT, '--json');
      expect(run).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining('it is not bound to the key'),
      });
      expect(JSON.parse(run.stdout).token_type.toLowerCase()).toBe('bearer');
      expect((await cli.json('token', 'list')).kept).toMatchObject({ sample: { dpop_jkt: null } });
    });
    return;
  }

  test('client credentials bring a token that is bound to the key which is kept with it', async (context) => {
    const cli = await open(context);
    const tokens = await cli.json(...CLIENT);
    expect(tokens.token_type).toBe('DPoP');
    const { dpop } = await kept(cli);
    expect(jktOf(tokens.access_token)).toBe(dpop.jkt);
    expect(dpop.jwk).toMatchObject({ kty: 'EC', d: expect.any(String) });
    const { kept: listed } = await cli.json('token', 'list');
    expect(listed).toMatchObject({ sample: { token_type: 'DPoP', dpop_jkt: dpop.jkt } });
    for (const words of [['list'], ['show']]) {
      const { stdout } = await cli.run('token', ...words);
      expect(stdout).toContain(`DPoP, key ${dpop.jkt}`);
      expect(stdout).not.toContain(dpop.jwk.d);
    }
    expect(JSON.stringify(await cli.json('token', 'show'))).not.toContain(dpop.jwk.d);
  });

  for (const alg of ['ES512', 'PS256', 'EdDSA']) {
    test(`a key of one’s own for ${alg} is used and not copied`, async (context) => {
      const cli = await open(context);
      const file = join(cli.home, 'own.json');
      await cli.json('key', 'generate', '--alg', alg, '--out', file);
      await cli.json('profile', 'set', 'sample', '--dpop-key', file, '--unset', 'dpop');
      const tokens = await cli.json(...PASSWORD_GRANT, '--scope', 'openid');
      expect((await kept(cli)).dpop).toEqual({ jkt: jktOf(tokens.access_token), alg });
      expect(await cli.json('call', userinfo())).toMatchObject({ preferred_username: 'cl-taro' });
      await cli.json('token', 'refresh');
    });
  }

  test('a request without a proof is refused, with the option that helps', async (context) => {
    const cli = await open(context, []);
    const error = await cli.fails(3, ...CLIENT);
    expect(error).toMatchObject({
      code: 'invalid_request',
      oauth: { error_description: 'DPoP proof is missing', status: 400 },
      hint: expect.stringContaining('--dpop'),
    });
  });

  test('a broken proof is refused', async (context) => {
    const cli = await open(context);
    const broken = {
      'htu=https://other.example/token': 'DPoP HTTP URL mismatch',
      'htm=GET': 'DPoP HTTP method mismatch',
      'iat=1': 'DPoP proof is not active',
      jti: 'DPoP mandatory claims are missing',
    };
    for (const [claim, description] of Object.entries(broken)) {
      const error = await cli.fails(3, ...CLIENT, '--dpop-claim', claim);
      expect(error.oauth, claim).toMatchObject({ error: 'invalid_request', error_description: description });
      expect(error.hint).toContain('does not accept the DPoP proof');
    }
    const again = await cli.run(...CLIENT, '--dpop-claim', 'jti=always-the-same');
    expect(again.exitCode).toBe(0);
    const error = await cli.fails(3, ...CLIENT, '--dpop-claim', 'jti=always-the-same');
    expect(error.oauth?.error_description).toMatch(/already been used/);
  });

  test('the refresh token of a public client is bound: the kept key does, another does not', async (context) => {
    const cli = await openPublic(context);
    await cli.json(...PASSWORD_GRANT);
    const { dpop } = await kept(cli);
    await cli.json('profile', 'set', 'sample', '--unset', 'dpop');
    // Of itself, without any option.
    const refreshed = await cli.json('token', 'refresh');
    expect(jktOf(refreshed.access_token)).toBe(dpop.jkt);
    await cli.json('key', 'generate', '--alg', 'ES256', '--out', join(cli.home, 'other.json'));
    const other = await cli.fails(3, 'token', 'refresh', '--dpop-key', join(cli.home, 'other.json'));
    expect(other).toMatchObject({ code: 'invalid_grant', hint: expect.stringContaining('another key') });
    expect((await cli.fails(3, 'token', 'refresh', '--no-dpop')).hint).toContain('--dpop');
    await cli.json('token', 'refresh');
  });

  test('--reuse gives a bound token to runs with DPoP only', async (context) => {
    const cli = await open(context);
    const reuse = [...CLIENT, '--reuse'];
    const first = await cli.json(...reuse);
    const again = await cli.run(...reuse, '--field', 'access_token');
    expect(again).toMatchObject({ stdout: `${first.access_token}\n`, trace: [] });
    const without = await cli.run(...reuse, '--no-dpop', '--json');
    expect(without).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('bound to a DPoP key') });
    await cli.json('key', 'generate', '--alg', 'ES256', '--out', join(cli.home, 'own.json'));
    const own = await cli.run(...reuse, '--dpop-key', join(cli.home, 'own.json'), '--json');
    expect(own).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('another DPoP key') });
    expect(JSON.parse(own.stdout).access_token).not.toBe(first.access_token);
  });

  test('CIBA brings a bound token, in one command and in two', async (context) => {
    const cli = await open(context);
    const ciba = ['--login-hint', 'cl-taro', '--scope', 'openid'];
    const tokens = await cli.json('ciba', 'start', ...ciba, '--device', '--approve', '--after', 'pending');
    expect(tokens.token_type).toBe('DPoP');
    expect(jktOf(tokens.access_token)).toBe((await kept(cli)).dpop.jkt);
    const proofs = cli.exchanges('token').map(({ request }) => request.headers.dpop);
    expect(new Set(proofs)).toEqual(new Set(['eyJh…(masked)']));
    const [asked] = cli.exchanges('backchannel_authentication');
    expect(asked?.request.headers).not.toHaveProperty('dpop');

    const device = cli.start('ciba', 'device', '--approve', '--count', '1');
    await device.says('listens');
    await cli.json('ciba', 'request', ...ciba);
    await device.ended;
    await cli.json('ciba', 'poll');
    const reused = await cli.run('ciba', 'start', ...ciba, '--reuse', '--json');
    expect(reused).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('is reused') });
    expect(await cli.json('call', userinfo())).toMatchObject({ preferred_username: 'cl-taro' });
  });

  test('the device grant brings a bound token, and its reuse asks nobody', async (context) => {
    const cli = await open(context);
    const device = ['token', 'device', '--scope', 'openid', '--reuse', '--json'];
    const running = cli.start(...device);
    const [, complete = ''] = await running.says(/or open (\S+)\n/);
    const person = new Person();
    const { username, password } = stage.sample.user;
    const consent = await person.submit(await person.open(complete), { username, password });
    await person.submit(consent, { accept: 'Yes' });
    const run = await running.ended;
    expect(JSON.parse(run.stdout)).toMatchObject({ token_type: 'DPoP' });
    const again = await cli.run(...device);
    expect(again).toMatchObject({ exitCode: 0, trace: [] });
    expect(JSON.parse(again.stdout).access_token).toBe(JSON.parse(run.stdout).access_token);
  });

  test('a bound token is exchanged by who holds its key', async (context) => {
    const { admin, realm, client } = stage.sample;
    await admin.updateClient(realm, client.id, { attributes: { 'standard.token.exchange.enabled': 'true' } });
    const cli = await open(context);
    await cli.json(...PASSWORD_GRANT);
    const { dpop } = await kept(cli);
    const exchanged = await cli.json('token', 'exchange');
    expect(jktOf(exchanged.access_token)).toBe(dpop.jkt);
    await cli.json('key', 'generate', '--alg', 'ES256', '--out', join(cli.home, 'other.json'));
    const error = await cli.fails(3, 'token', 'exchange', '--dpop-key', join(cli.home, 'other.json'));
    expect(error.hint).toContain('another key');
  });

  test('a bound token is good for a call with its proof, and for none without', async (context) => {
    const cli = await open(context);
    await cli.json(...PASSWORD_GRANT, '--scope', 'openid');
    expect(await cli.json('call', userinfo())).toMatchObject({ preferred_username: 'cl-taro' });
    expect(await cli.json('call', 'POST', userinfo())).toMatchObject({ preferred_username: 'cl-taro' });
    for (const [flags, hint] of [
      [['--no-dpop'], 'was sent as a bearer token'],
      [['--dpop-claim', 'ath=another'], 'does not accept the token'],
      [['--dpop-claim', 'htu=https://other.example'], 'does not accept the token'],
    ] as const) {
      const run = await cli.run('call', userinfo(), ...flags, '--json');
      expect(run).toMatchObject({ exitCode: 3, stdout: '' });
      const { error } = JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '');
      expect(error).toMatchObject({ code: 'invalid_token', hint: expect.stringContaining(hint) });
    }
  });
});
