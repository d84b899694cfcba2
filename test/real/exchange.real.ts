import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onEachKeycloak } from './keycloaks.ts';
import { claimsOf, signIn } from './tokens.ts';

const TYPE = 'urn:ietf:params:oauth:token-type';

onEachKeycloak({}, (stage) => {
  stage.prepare(async () => {
    const { admin, realm, client, plainClient } = stage.sample;
    const attributes = { 'standard.token.exchange.enabled': 'true' };
    await admin.updateClient(realm, client.id, { attributes });
    await admin.addAudienceMapper(realm, client.id, plainClient.clientId);
  });

  const audienceOf = ({ access_token }: Record<string, unknown>) => claimsOf(access_token).aud;

  test('an assertion of nobody is refused', async (context) => {
    const cli = await stage.cli(context, undefined, {
      env: { ASSERTION: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjbC10YXJvIn0.' },
    });
    const error = await cli.fails(3, 'token', 'jwt-bearer', '--assertion', 'env:ASSERTION');
    expect(error.code).toBe(stage.expected('invalid_grant', 'unsupported_grant_type'));
    expect(error.hint).toContain('disabled');
    expect(cli.exchanges('token')[0]?.request.body).toContain('assertion=eyJh…(masked)');
  });

  if (stage.version === 14) {
    test('a server that exchanges no tokens says so, whatever the types, and so does the explanation', async (context) => {
      const cli = await stage.cli(context);
      await signIn(cli);
      for (const args of [
        ['--audience', 'plain-client'],
        ['--subject-token', '@last.refresh_token'],
        ['--requested-token-type', 'saml2'],
      ]) {
        const error = await cli.fails(3, 'token', 'exchange', ...args);
        expect(error).toMatchObject({
          code: 'refused',
          oauth: { error: 'Feature not enabled', status: 501 },
        });
        expect(error.hint).toContain('disabled');
      }
    });
    return;
  }

  test('a kept access token is exchanged for one with a narrower audience', async (context) => {
    const cli = await stage.cli(context);
    const subject = await signIn(cli);
    expect(audienceOf(subject)).toEqual(expect.arrayContaining(['plain-client', 'account']));
    const exchanged = await cli.json('token', 'exchange', '--audience', 'plain-client');
    expect(exchanged).toMatchObject({ token_type: 'Bearer', issued_token_type: `${TYPE}:access_token` });
    expect(audienceOf(exchanged)).toBe('plain-client');
    const { request } = cli.exchanges('token').at(-1) ?? expect.fail('no exchange');
    expect(request.body).toMatch(/subject_token=eyJh…\(masked\)&subject_token_type=urn%3A/);
  });

  test('a token for an ID token has the type N_A, and does not take the place of the kept one', async (context) => {
    const cli = await stage.cli(context);
    const subject = await signIn(cli);
    const file = join(cli.home, 'subject');
    await writeFile(file, String(subject.access_token));
    const run = await cli.run(
      ...['token', 'exchange', '--subject-token', `@${file}`],
      ...['--requested-token-type', 'id_token'],
    );
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^token_type +N_A$/m);
    expect(run.stdout).toMatch(/^issued_token_type +urn:ietf:params:oauth:token-type:id_token$/m);
    expect(run.stdout).toMatch(/^ +typ +ID$/m);
    // An ID token would be refused as a subject.
    await cli.json('token', 'exchange', '--no-keep');
  });

  test.for(['refresh_token', 'id_token', 'jwt', 'saml1', 'saml2'])(
    'a subject token of the type %s is not taken',
    async (type, context) => {
      const cli = await stage.cli(context);
      await signIn(cli);
      const error = await cli.fails(3, 'token', 'exchange', '--subject-token-type', type);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('this type') });
    },
  );

  test('of the other types only an ID token is given, and a refresh token where the client allows it', async (context) => {
    const cli = await stage.cli(context);
    await signIn(cli);
    const { admin, realm, client } = stage.sample;
    const exchange = ['token', 'exchange', '--no-keep', '--requested-token-type'];
    for (const type of ['refresh_token', 'jwt', 'saml1', 'saml2']) {
      const error = await cli.fails(3, ...exchange, type);
      expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining('this type') });
    }
    const attribute = 'standard.token.exchange.enableRefreshRequestedTokenType';
    await admin.updateClient(realm, client.id, { attributes: { [attribute]: 'SAME_SESSION' } });
    const tokens = await cli.json(...exchange, 'refresh_token');
    expect(tokens).toMatchObject({
      issued_token_type: `${TYPE}:refresh_token`,
      refresh_token: expect.any(String),
    });
    await admin.updateClient(realm, client.id, { attributes: { [attribute]: '' } });
  });

  test('what stands in the way of an exchange is said, and what to do about it', async (context) => {
    const cli = await stage.cli(context);
    const { access_token } = await signIn(cli);
    const refused = async (hint: RegExp, code: string, ...args: string[]) => {
      const error = await cli.fails(3, 'token', 'exchange', ...args);
      expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
    };
    await refused(/no client of the name/, 'invalid_client', '--audience', 'no-such-client');
    await refused(/can have the requested audience/, 'invalid_request', '--audience', 'test-client');
    await refused(/this type/, 'invalid_request', '--requested-token-type', 'saml2');
    await refused(/this type/, 'invalid_request', '--subject-token', '@last.id_token');
    await refused(/legacy/, 'invalid_request', '--param', 'requested_issuer=elsewhere');
    await refused(/not from this realm/, 'invalid_request', '--subject-token', 'not-a-token');

    const other = await stage.cli(context, undefined, { client: stage.sample.plainClient });
    const switchedOff = await other.fails(3, 'token', 'exchange', '--subject-token', String(access_token));
    expect(switchedOff.hint).toContain('standard.token.exchange.enabled');

    const foreign = String((await signIn(other)).access_token);
    const notMeant = await cli.fails(3, 'token', 'exchange', '--subject-token', foreign);
    expect(notMeant).toMatchObject({
      code: 'access_denied',
      hint: expect.stringContaining('not meant for this one'),
    });
  });
});
