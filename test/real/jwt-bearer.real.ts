import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import type { SampleClient } from '../lab/sample-realm.ts';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';
import { publishKeyFile } from './published-keys.ts';
import { claimsOf } from './tokens.ts';

const ISSUER = 'https://partner.example';
const SUBJECT = 'taro-at-the-partner';
const GRANTED = { 'oauth2.jwt.authorization.grant.enabled': 'true' };

onEachKeycloak({}, (stage) => {
  /** Opens a shell with the key of the partner, in `partner.json`. */
  async function open(context: TestContext, client = stage.sample.client): Promise<Cli> {
    const cli = await stage.cli(context, undefined, { client });
    await cli.json('key', 'generate', '--alg', 'ES256', '--out', 'partner.json');
    cli.know(JSON.parse(await readFile(join(cli.home, 'partner.json'), 'utf8')).d);
    return cli;
  }

  const MADE = [
    ...['token', 'jwt-bearer', '--assertion-key', 'partner.json'],
    ...['--iss', ISSUER, '--sub', SUBJECT],
  ];

  if (stage.version === 14) {
    test('an assertion is nothing that 14 knows', async (context) => {
      const error = await (await open(context)).fails(3, ...MADE);
      expect(error).toMatchObject({
        code: 'unsupported_grant_type',
        hint: expect.stringContaining('does not support this grant'),
      });
    });
    return;
  }

  let granted: SampleClient;

  const identityProvider = (alias: string, issuer: string, jwksUrl: string) =>
    stage.sample.admin.request('POST', `/${stage.sample.realm}/identity-provider/instances`, {
      alias,
      providerId: 'jwt-authorization-grant',
      enabled: true,
      config: { issuer, jwksUrl, useJwksUrl: 'true', jwtAuthorizationGrantEnabled: 'true' },
    });

  stage.prepare(async () => {
    const { admin, realm } = stage.sample;
    const create = async (clientId: string, settings: object) => {
      const secret = `secret-of-${clientId}`;
      const id = await admin.createClient(realm, { clientId, secret, publicClient: false, ...settings });
      return { id, clientId, secret };
    };
    granted = await create('granted-client', { attributes: GRANTED });
  });

  /** Makes the partner, whose keys are those of the shell, known to the realm, until the test ends. */
  async function partner(context: TestContext, cli: Cli): Promise<void> {
    const { admin, realm, user } = stage.sample;
    const { url } = await publishKeyFile(context, cli, 'partner.json');
    const alias = `partner-${new URL(url).port}`;
    await identityProvider(alias, ISSUER, url);
    context.onTestFinished(async () => {
      await admin.request('DELETE', `/${realm}/identity-provider/instances/${alias}`);
    });
    await admin.request('POST', `/${realm}/users/${user.id}/federated-identity/${alias}`, {
      identityProvider: alias,
      userId: SUBJECT,
      userName: SUBJECT,
    });
    await admin.updateClient(realm, granted.id, {
      attributes: { 'oauth2.jwt.authorization.grant.idp': alias },
    });
  }

  async function openWithPartner(context: TestContext): Promise<Cli> {
    const cli = await open(context, granted);
    await partner(context, cli);
    return cli;
  }

  test('an assertion of a trusted issuer brings tokens about the user that it is linked to', async (context) => {
    const cli = await openWithPartner(context);
    const tokens = await cli.json(...MADE, '--scope', 'openid');
    expect(claimsOf(tokens.access_token)).toMatchObject({
      azp: granted.clientId,
      preferred_username: stage.sample.user.username,
    });
    expect(tokens).toHaveProperty('id_token');
    expect(tokens).not.toHaveProperty('refresh_token');
    const endpoint = `${stage.sample.issuer}/protocol/openid-connect/token`;
    expect(await cli.json(...MADE, '--aud', endpoint)).toHaveProperty('access_token');
    expect(cli.exchanges('token')[0]?.request.body).toContain('assertion=eyJh…(masked)');
  });

  test.for([
    ['expired', ['--claim', 'iat=1700000000', '--claim', 'exp=1700000060'], 'expired'],
    ['not valid yet', ['--claim', 'nbf=4000000000'], 'not valid yet'],
    [
      'from the future',
      ['--claim', 'iat=4000000000', '--claim', 'exp=4000000060'],
      'from the past or the future',
    ],
    ['for another server', ['--aud', 'https://elsewhere.example'], 'aud of the assertion'],
    ['for several servers', ['--claim', 'aud=["https://elsewhere.example","b"]'], 'aud of the assertion'],
    ['about nobody', ['--sub', 'nobody'], 'linked to the sub'],
    ['of an unknown issuer', ['--iss', 'https://nobody.example'], 'whose issuer is the iss'],
    ['without a jti', ['--claim', 'jti=null'], 'lacks a claim'],
    ['without an end', ['--claim', 'exp=null'], 'lacks a claim'],
    ['about no subject', ['--claim', 'sub=null'], 'lacks a claim'],
    ['with an unknown kid', ['--assertion-kid', 'no-such-key'], 'verifies the assertion'],
    ['left out', ['--omit', 'assertion'], 'is not a JWT'],
  ] as const)('an assertion that is %s is refused', async ([, args, hint], context) => {
    const cli = await openWithPartner(context);
    const error = await cli.fails(3, ...MADE, ...args);
    expect(error).toMatchObject({ code: 'invalid_grant', hint: expect.stringContaining(hint) });
  });

  test('an assertion by another key of the same kid is refused', async (context) => {
    const cli = await openWithPartner(context);
    const { kid } = JSON.parse(await readFile(join(cli.home, 'partner.json'), 'utf8'));
    await cli.json('key', 'generate', '--alg', 'ES256', '--kid', kid, '--out', 'other.json');
    const error = await cli.fails(3, ...MADE, '--assertion-key', 'other.json');
    expect(error.hint).toContain('verifies the assertion');
  });

  test('an assertion is good once', async (context) => {
    const cli = await openWithPartner(context);
    const again = [...MADE, '--claim', 'jti=the-same'];
    await cli.json(...again);
    const error = await cli.fails(3, ...again);
    expect(error).toMatchObject({
      code: 'invalid_grant',
      hint: expect.stringContaining('accepts each jti once'),
    });
  });

  test('a client that may not use the grant, or not this issuer, is refused', async (context) => {
    const cli = await openWithPartner(context);
    const { admin, realm } = stage.sample;
    await admin.updateClient(realm, granted.id, {
      attributes: { 'oauth2.jwt.authorization.grant.idp': 'another' },
    });
    const notAllowed = await cli.fails(3, ...MADE);
    expect(notAllowed.hint).toContain('oauth2.jwt.authorization.grant.idp');
    const other = await open(context);
    expect((await other.fails(3, ...MADE)).hint).toContain('disabled for this client');
  });
});
