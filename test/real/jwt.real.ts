import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, type TestContext, test } from 'vitest';
import { type Cli, openCli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { requestTokens, untilExpired } from './tokens.ts';

interface Verdict {
  readonly valid: boolean;
  readonly checks: readonly { readonly name: string; readonly outcome: string; readonly reason?: string }[];
}

onEachKeycloak({}, (stage) => {
  const open = (context: TestContext, sample = stage.sample, client = sample.client): Promise<Cli> =>
    openCli(context, sample, {
      client,
      env: { USER_PASSWORD: sample.user.password },
      profile: { server: stage.server },
    });
  const signIn = (cli: Cli) =>
    cli.json(
      ...['token', 'password', '--username', 'cl-taro', '--password', 'env:USER_PASSWORD'],
      ...['--scope', 'openid'],
    );
  const verify = async (cli: Cli, ...args: string[]) =>
    (await cli.json('jwt', 'verify', ...args)) as unknown as Verdict;
  const passedBy = ({ checks }: Verdict) =>
    checks.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name);
  const refusal = async (cli: Cli, ...args: string[]) => {
    const { checks, ...error } = (await cli.fails(4, 'jwt', 'verify', ...args)) as unknown as {
      code: string;
    } & Verdict;
    expect(error.code).toBe('jwt_invalid');
    return checks.flatMap(({ outcome, reason }) => (outcome === 'failed' ? [reason] : []));
  };

  test('every token of a response is decoded, without a request', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const before = cli.exchanges().length;
    const run = await cli.run('jwt', 'decode', '--json', '@last');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('NOTHING WAS VERIFIED');
    const claims = { iss: stage.sample.issuer, azp: 'test-client' };
    expect(JSON.parse(run.stdout)).toMatchObject([
      // No at+jwt on either of them.
      { name: 'access_token', header: { alg: 'RS256', typ: 'JWT' }, claims: { ...claims, typ: 'Bearer' } },
      { name: 'refresh_token', claims: { ...claims, typ: 'Refresh' } },
      { name: 'id_token', claims: { ...claims, typ: 'ID', aud: 'test-client' } },
    ]);
    expect(cli.exchanges()).toHaveLength(before);
    const { stdout } = await cli.run('jwt', 'decode', '@last.access_token');
    expect(stdout).toMatch(/exp +\d+ \(.*, in (?:4 min \d+ s|5 min)\) {2}expiration/);
  });

  test('an access token is verified by the issuer, its JWKS and the PEM of the realm', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    const token = '@last.access_token';
    const { issuer } = stage.sample;
    expect(passedBy(await verify(cli, token, '--audience', 'account'))).toEqual(
      expect.arrayContaining(['signature', 'iss', 'aud', 'exp', 'iat']),
    );
    const { access_token } = await signIn(cli);
    const file = join(cli.home, 'token.txt');
    await writeFile(file, `Bearer ${access_token}\n`);
    expect((await verify(cli, `@${file}`, '--issuer', issuer)).valid).toBe(true);
    const { jwks_uri } = await cli.json('discover', issuer);
    expect((await verify(cli, `@${file}`, '--jwks', String(jwks_uri))).valid).toBe(true);

    const { public_key } = (await (await fetch(issuer)).json()) as { public_key: string };
    const pem = join(cli.home, 'realm.pem');
    await writeFile(pem, `-----BEGIN PUBLIC KEY-----\n${public_key}\n-----END PUBLIC KEY-----\n`);
    const before = cli.exchanges().length;
    expect((await verify(cli, `@${file}`, '--key', pem, '--issuer', issuer)).valid).toBe(true);
    expect(cli.exchanges()).toHaveLength(before);
  });

  test('an ID token is verified with the access token that it came with, and not with another', async (context) => {
    const cli = await open(context);
    const first = await signIn(cli);
    await signIn(cli);
    const args = ['@last.id_token', '--id-token'];
    const good = await verify(cli, ...args, '--access-token', '@last.access_token');
    expect(passedBy(good)).toEqual(expect.arrayContaining(['signature', 'iss', 'aud', 'azp', 'at_hash']));
    const file = join(cli.home, 'first.txt');
    await writeFile(file, String(first.access_token));
    expect(await refusal(cli, ...args, '--access-token', `@${file}`)).toEqual(['hash_mismatch']);
    expect(await refusal(cli, ...args, '--client-id', 'plain-client')).toEqual([
      'audience_mismatch',
      'azp_mismatch',
    ]);
  });

  test('what is not an access token of RFC 9068 is told why', async (context) => {
    const cli = await open(context);
    await signIn(cli);
    expect(await refusal(cli, '@last.access_token', '--access-token-profile')).toContain('type_unexpected');
    expect(await refusal(cli, '@last.id_token', '--access-token-profile')).toContain('not_an_access_token');
    expect(await refusal(cli, '@last.access_token', '--audience', 'nobody')).toEqual(['audience_mismatch']);
    expect(await refusal(cli, '@last.refresh_token')).toEqual(['alg_confusion']);
  });

  test('a token that has expired is refused, and a leeway lets it pass', async (context) => {
    const { admin, realm, plainClient } = stage.sample;
    const limitLifespan = (lifespan: string) =>
      admin.updateClient(realm, plainClient.id, { attributes: { 'access.token.lifespan': lifespan } });
    context.onTestFinished(() => limitLifespan(''));
    await limitLifespan('1');
    const { access_token: token } = await requestTokens(stage.sample, plainClient);
    const cli = await open(context, stage.sample, plainClient);
    cli.know(token);
    await untilExpired(token);
    expect(await refusal(cli, token)).toEqual(['expired']);
    expect((await verify(cli, token, '--leeway', '600')).valid).toBe(true);
  });

  test('a token of another realm is refused, by the key and by the issuer', async (context) => {
    const other = await stage.realm(context, { realm: 'OtherRealm' });
    const stranger = await open(context, other);
    const { access_token } = await signIn(stranger);
    const cli = await open(context);
    cli.know(String(access_token));
    const file = join(cli.home, 'stranger.txt');
    await writeFile(file, String(access_token));
    expect(await refusal(cli, `@${file}`)).toEqual(['key_unknown', 'issuer_mismatch']);
  });

  test('many tokens are verified in threads', async (context) => {
    const cli = await open(context);
    const { access_token, refresh_token } = await signIn(cli);
    const lines = Array.from({ length: 500 }, (_, index) => (index === 250 ? refresh_token : access_token));
    const args = ['jwt', 'verify', '--lines', '--json', '--issuer', stage.sample.issuer];
    const run = spawnSync(process.execPath, [inject('program'), ...args], {
      input: lines.join('\n'),
      env: { PATH: process.env.PATH, OAUTHCTL_HOME: cli.home },
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(4);
    const verdicts = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(verdicts).toHaveLength(500);
    expect(verdicts.filter(({ valid }) => !valid)).toMatchObject([
      { line: 251, failed: [{ reason: 'alg_confusion' }] },
    ]);
  });
});
