import { expect, type TestContext, test } from 'vitest';
import type { ClientRepresentation } from '../lab/keycloak-admin.ts';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';

onEachKeycloak({ also24: true }, (stage) => {
  const open = async (context: TestContext, changes: Partial<ClientRepresentation> = {}): Promise<Cli> => {
    const { admin, realm, client } = stage.sample;
    const attributes = {
      'pkce.code.challenge.method': '',
      'request.object.required': 'not required',
      ...changes.attributes,
    };
    const usual = { enabled: true, standardFlowEnabled: true, redirectUris: ['http://127.0.0.1/callback'] };
    await admin.updateClient(realm, client.id, { ...usual, ...changes, attributes });
    return stage.cli(context);
  };

  test.for([
    [
      'a redirect URI that is not registered',
      {},
      ['--redirect-uri', 'http://127.0.0.1/no'],
      /Invalid parameter: redirect_uri/,
      /not registered/,
    ],
    ['an unknown client', {}, ['--client-id', 'nobody'], /Client not found/, /no client with this client id/],
    ['a disabled client', { enabled: false }, [], /Client disabled/, /client is disabled/],
    [
      'a client without the standard flow',
      { standardFlowEnabled: false },
      [],
      /Standard flow is disabled/,
      /code flow is disabled/,
    ],
    [
      'a response type that is off',
      {},
      ['--response-type', 'token'],
      /Implicit flow is disabled/,
      /implicit flow is disabled/,
    ],
    ['an unknown scope', {}, ['--scope', 'openid no-such-scope'], /Invalid scopes/, /scope is unknown/],
    [
      'a challenge that is missing',
      { attributes: { 'pkce.code.challenge.method': 'S256' } },
      ['--omit', 'code_challenge', '--omit', 'code_challenge_method'],
      /Missing parameter: code_challenge_method/,
      /must use PKCE/,
    ],
    [
      'another method of the challenge',
      { attributes: { 'pkce.code.challenge.method': 'S256' } },
      ['--param', 'code_challenge_method=plain'],
      /code challenge method is not/,
      /must use PKCE/,
    ],
    [
      'a request object that is missing',
      { attributes: { 'request.object.required': 'request or request_uri' } },
      [],
      /Invalid Request/,
      /must send a request object/,
    ],
  ] as const)(
    '%s ends the flow before a browser is sent: exit 3',
    async ([, changes, args, message, hint], context) => {
      const cli = await open(context, changes);
      const { exitCode, stderr } = await cli.start('token', 'code', '--json', ...args).ended;
      expect(exitCode, stderr).toBe(3);
      expect(stderr).not.toContain('Open ');
      const error = JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error;
      expect(error).toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
    },
  );

  test('a realm that is disabled ends the flow before a browser is sent: exit 3', async (context) => {
    const cli = await open(context);
    const { admin, realm } = stage.sample;
    await cli.json('discover');
    await admin.updateRealm(realm, { enabled: false });
    context.onTestFinished(() => admin.updateRealm(realm, { enabled: true }));
    const { exitCode, stderr } = await cli.start('token', 'code', '--json').ended;
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toMatch(/Realm not enabled/i);
    expect(stderr).toContain('The realm is disabled.');
  });
});
