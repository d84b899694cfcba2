import { describe, expect, it } from 'vitest';
import { readFailure } from '../helpers/run.ts';
import { startWorkplace } from '../helpers/workplace.ts';

const TOKENS = { json: { access_token: 'the-access-token', token_type: 'Bearer', expires_in: 300 } };
const CREDENTIALS = ['--client-id', 'a', '--client-secret', 'env:CLIENT_SECRET'];

describe('a server without metadata', () => {
  it('is addressed by the endpoint that is given, and is asked for nothing else', async () => {
    const here = await startWorkplace({ token: [TOKENS] });
    const endpoint = `${here.server.issuer}/token`;
    const { code, stdout } = await here.run(
      ...['token', 'client-credentials', '--token-endpoint', endpoint, ...CREDENTIALS],
      ...['--field', 'access_token'],
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'the-access-token\n' });
    expect(here.server.requests).toHaveLength(1);
  });

  it('is addressed by a profile, and its tokens are kept and used again', async () => {
    const here = await startWorkplace({ token: [TOKENS], introspection: [{ json: { active: true } }] });
    const { issuer } = here.server;
    const added = await here.run(
      ...['profile', 'add', 'bare', '--token-endpoint', `${issuer}/token`, ...CREDENTIALS],
      ...['--introspection-endpoint', `${issuer}/introspect`],
    );
    expect(added.code).toBe(0);
    expect((await here.run('token', 'client-credentials', '-q', '--json')).code).toBe(0);
    expect((await here.run('introspect', '-q', '--json')).code).toBe(0);
    expect(here.server.to('introspection')[0]?.form.get('token')).toBe('the-access-token');
    expect(here.server.to('metadata')).toHaveLength(0);
  });

  it('says which option is missing', async () => {
    const here = await startWorkplace({});
    const run = await here.run(
      ...['--json', 'introspect', 'opaque-token', ...CREDENTIALS],
      ...['--token-endpoint', `${here.server.issuer}/token`],
    );
    expect(readFailure(run)).toMatchObject({
      code: 'endpoint_missing',
      hint: expect.stringContaining('--introspection-endpoint'),
    });
  });

  it('with --no-discovery is not asked for metadata although its issuer is given', async () => {
    const here = await startWorkplace({ token: [TOKENS] });
    const { issuer } = here.server;
    const { code } = await here.run(
      ...[
        'token',
        'client-credentials',
        '--issuer',
        issuer,
        '--no-discovery',
        '--token-endpoint',
        `${issuer}/token`,
      ],
      ...[...CREDENTIALS, '-q', '--json'],
    );
    expect(code).toBe(0);
    expect(here.server.to('metadata')).toHaveLength(0);
  });

  it('takes an endpoint over what its metadata says', async () => {
    const here = await startWorkplace({
      token: [TOKENS],
      metadata: { token_endpoint: 'http://127.0.0.1:1/wrong' },
    });
    const { issuer } = here.server;
    const { code } = await here.run(
      ...['token', 'client-credentials', '--issuer', issuer, '--token-endpoint', `${issuer}/token`],
      ...[...CREDENTIALS, '-q', '--json'],
    );
    expect(code).toBe(0);
    expect(here.server.to('metadata')).toHaveLength(1);
  });

  it('by an option alone does not get the secret of the profile in use', async () => {
    const here = await startWorkplace({}, { profile: ['--client-secret', 'env:CLIENT_SECRET'] });
    const run = await here.run(
      '--json',
      'token',
      'client-credentials',
      '--token-endpoint',
      `${here.server.issuer}/token`,
    );
    expect(readFailure(run)).toMatchObject({ code: 'setting_missing', exit_code: 2 });
    expect(here.server.requests).toHaveLength(0);
  });
});
