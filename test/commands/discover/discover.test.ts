import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../../src/sandbox/index.ts';
import { machine, readFailure, run } from '../../helpers/run.ts';
import { httpServer } from '../../http/servers.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.close());

/** A server that answers the metadata of one path with a text, and all else with 404. */
const answering = (path: string, text: (port: number) => string, type = 'application/json', status = 200) => {
  const port: Promise<number> = httpServer(async (request, response) => {
    if (request.url === path) response.writeHead(status, { 'content-type': type }).end(text(await port));
    else response.writeHead(404).end();
  });
  return port;
};

const OIDC = '/.well-known/openid-configuration';

describe('discover', () => {
  it('shows people the endpoints, grants, CIBA modes and client authentication methods', async () => {
    const { code, stdout, stderr } = await run('discover', sandbox.issuer);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of [
      `issuer +${sandbox.issuer}`,
      `metadata +${sandbox.issuer}${OIDC}`,
      `token_endpoint +${sandbox.issuer}/protocol/openid-connect/token`,
      `backchannel_authentication_endpoint +${sandbox.issuer}/protocol/openid-connect/ext/ciba/auth`,
      `jwks_uri +${sandbox.issuer}/protocol/openid-connect/certs`,
      'grants .*urn:openid:params:grant-type:ciba.*',
      'client authentication +client_secret_basic client_secret_post client_secret_jwt private_key_jwt none',
      'CIBA delivery modes +poll',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${line}$`, 'm'));
    }
  });

  it('prints the metadata as it came with --json', async () => {
    const { code, stdout, stderr } = await run('discover', '--issuer', sandbox.issuer, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const served = await (await fetch(`${sandbox.issuer}${OIDC}`)).json();
    expect(JSON.parse(stdout)).toEqual(served);
  });

  it.each([
    ['issuer', (issuer: string) => issuer],
    ['token_endpoint', (issuer: string) => `${issuer}/protocol/openid-connect/token`],
    ['backchannel_token_delivery_modes_supported.0', () => 'poll'],
  ])('prints --field %s raw', async (field, value) => {
    const result = await run('discover', sandbox.issuer, '--field', field);
    expect(result).toEqual({ code: 0, stdout: `${value(sandbox.issuer)}\n`, stderr: '' });
  });

  it('takes the issuer of the profile, of the environment and of the flag, the stronger first', async () => {
    const { run: runHere, runWith } = await machine();
    await runHere('profile', 'add', 'mine', '--issuer', sandbox.issuer);
    expect((await runHere('discover', '--field', 'issuer')).stdout).toBe(`${sandbox.issuer}\n`);
    const env = { OAUTHCTL_ISSUER: 'http://127.0.0.1:1' };
    expect((await runWith({ env }, 'discover')).stderr).toContain('127.0.0.1:1 refused');
    const flagged = await runWith({ env }, 'discover', '--issuer', sandbox.issuer, '--field', 'issuer');
    expect(flagged.stdout).toBe(`${sandbox.issuer}\n`);
  });

  it('finds the sandbox as a realm of a Keycloak', async () => {
    const { origin, pathname } = new URL(sandbox.issuer);
    const realm = pathname.split('/').at(-1) ?? '';
    const { stdout } = await run('discover', '--url', origin, '--realm', realm, '--field', 'issuer');
    expect(stdout).toBe(`${sandbox.issuer}\n`);
  });

  it.each([
    ['--url', 'http://127.0.0.1:1'],
    ['--realm', 'R'],
  ])('refuses %s without its companion', async (flag, value) => {
    const result = await run('--json', 'discover', flag, value);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'url_and_realm' });
  });

  it.each(['as.example', 'ftp://as.example', 'http://'])('refuses the issuer %s', async (issuer) => {
    const result = await run('--json', 'discover', issuer);
    expect(result.code).toBe(2);
    expect(readFailure(result)).toMatchObject({ code: 'issuer_invalid' });
  });

  it('falls back to RFC 8414', async () => {
    const path = '/.well-known/oauth-authorization-server/tenant';
    const port = await answering(path, (ours) => `{"issuer":"http://127.0.0.1:${ours}/tenant"}`);
    const result = await run('discover', `http://127.0.0.1:${port}/tenant`, '--field', 'issuer');
    expect(result).toEqual({ code: 0, stdout: `http://127.0.0.1:${port}/tenant\n`, stderr: '' });
  });

  it('finds an issuer with a trailing slash', async () => {
    const port = await answering(`/a${OIDC}`, (ours) => `{"issuer":"http://127.0.0.1:${ours}/a/"}`);
    expect((await run('discover', `http://127.0.0.1:${port}/a/`)).code).toBe(0);
    const without = await run('--json', 'discover', `http://127.0.0.1:${port}/a`);
    expect(without.code).toBe(4);
    expect(readFailure(without).hint).toContain('differ by a trailing slash only');
  });

  it('does not let the server write to the screen', async () => {
    const text = (port: number) =>
      JSON.stringify({
        issuer: `http://127.0.0.1:${port}`,
        token_endpoint: 'http://127.0.0.1/\u001b[2J',
        grant_types_supported: ['\u001b]0;title\u0007'],
      });
    const port = await answering(OIDC, text);
    const { code, stdout } = await run('discover', `http://127.0.0.1:${port}`);
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('\\x1b[2J');
  });
});

describe('an issuer that calls itself otherwise', () => {
  const otherName = () => sandbox.issuer.replace('127.0.0.1', 'localhost');

  it('exits with 4 and prints both', async () => {
    const result = await run('--json', 'discover', otherName());
    expect(result.code).toBe(4);
    expect(readFailure(result)).toEqual({
      code: 'issuer_mismatch',
      message: `the metadata is of another issuer: asked for ${otherName()}, got ${sandbox.issuer}`,
      hint: expect.stringContaining(`--accept-issuer ${sandbox.issuer}`),
      exit_code: 4,
    });
  });

  it('is taken with --accept-issuer, which a profile keeps', async () => {
    const { home, run: runHere } = await machine();
    const accepted = await runHere(
      'discover',
      otherName(),
      '--accept-issuer',
      sandbox.issuer,
      '--field',
      'issuer',
    );
    expect(accepted).toEqual({ code: 0, stdout: `${sandbox.issuer}\n`, stderr: '' });
    await runHere('profile', 'add', 'inner', '--issuer', otherName(), '--accept-issuer', sandbox.issuer);
    const { profiles } = JSON.parse(await readFile(join(home, 'profiles.json'), 'utf8'));
    expect(profiles.inner).toEqual({ issuer: otherName(), accept_issuer: sandbox.issuer });
    expect((await runHere('discover', '--field', 'issuer')).stdout).toBe(`${sandbox.issuer}\n`);
  });
});

describe('metadata with odd members', () => {
  it.each(['"/token"', '""', 'null', '7', '[]'])(
    'is shown where nobody uses them: token_endpoint %s',
    async (value) => {
      const port = await answering(
        OIDC,
        (ours) => `{"issuer":"http://127.0.0.1:${ours}","token_endpoint":${value}}`,
      );
      const { code, stdout } = await run('discover', `http://127.0.0.1:${port}`, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout).token_endpoint).toEqual(JSON.parse(value));
    },
  );
});

describe('the address of the metadata in place of the issuer', () => {
  it('is taken', async () => {
    const { code, stdout } = await run('discover', `${sandbox.issuer}${OIDC}`, '--field', 'issuer');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${sandbox.issuer}\n` });
  });

  it('is taken of an issuer with a trailing slash', async () => {
    const port = await answering(OIDC, (ours) => `{"issuer":"http://127.0.0.1:${ours}/"}`);
    const { code, stdout } = await run('discover', `http://127.0.0.1:${port}${OIDC}`, '--field', 'issuer');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `http://127.0.0.1:${port}/\n` });
  });

  it('of another issuer is refused', async () => {
    const port = await answering(OIDC, () => '{"issuer":"https://other.example"}');
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}${OIDC}`);
    expect(readFailure(result)).toMatchObject({ code: 'issuer_mismatch', exit_code: 4 });
  });
});

describe('an account in place of the issuer', () => {
  const WEBFINGER = '/.well-known/webfinger?resource=acct%3Acl-taro%40127.0.0.1%3A';
  const webfinger = (links: (port: number) => unknown) => {
    const port: Promise<number> = httpServer(async (request, response) => {
      if (request.url?.startsWith(WEBFINGER)) {
        response.writeHead(200, { 'content-type': 'application/jrd+json' });
        response.end(JSON.stringify({ subject: 'acct:cl-taro', links: links(await port) }));
      } else response.writeHead(404).end();
    });
    return port;
  };
  const rel = 'http://openid.net/specs/connect/1.0/issuer';

  it('leads to the issuer by WebFinger', async () => {
    const port = await webfinger(() => [
      { rel: 'other', href: 'https://x.example' },
      { rel, href: sandbox.issuer },
    ]);
    const { code, stdout } = await run('discover', `acct:cl-taro@127.0.0.1:${port}`, '--field', 'issuer');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${sandbox.issuer}\n` });
  });

  it('without an issuer says so: exit 4', async () => {
    const port = await webfinger(() => []);
    const result = await run('--json', 'discover', `acct:cl-taro@127.0.0.1:${port}`);
    expect(readFailure(result)).toMatchObject({ code: 'webfinger_without_issuer', exit_code: 4 });
  });

  it('that is none is a mistake: exit 2', async () => {
    expect(readFailure(await run('--json', 'discover', 'acct:cl-taro'))).toMatchObject({
      code: 'issuer_invalid',
      exit_code: 2,
    });
  });
});

describe('what is no metadata', () => {
  it.each([
    [
      'an HTML page',
      '<!doctype html><title>Sign in</title>',
      'text/html',
      200,
      /an HTML page \("Sign in"\) instead of JSON/,
    ],
    ['nothing', '', 'application/json', 200, /status 200 and an empty body/],
    ['an array', '[]', 'application/json', 200, /not a JSON object/],
    ['a page of a proxy', '<html>', 'text/html', 502, /status 502 and an HTML page instead of JSON/],
  ])('as %s exits with 5 and says what it is', async (_what, text, type, status, message) => {
    const port = await answering(OIDC, () => text, type, status);
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(5);
    expect(readFailure(result)).toMatchObject({
      code: 'not_the_protocol',
      message: expect.stringMatching(message),
      exit_code: 5,
    });
  });

  it('as a failure in the words of the server exits with 3 and keeps them', async () => {
    const port = await answering(OIDC, () => '{"message":"no"}', 'application/json', 500);
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(3);
    expect(readFailure(result)).toMatchObject({
      code: 'internal_server_error',
      exit_code: 3,
      oauth: { error: 'internal_server_error', error_description: 'no', status: 500 },
    });
  });

  it('as a redirect exits with 5 and names where to', async () => {
    const port = await httpServer((_request, response) =>
      response.writeHead(302, { location: 'https://login.example/' }).end(),
    );
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(5);
    expect(readFailure(result).message).toContain('a redirect (302) to https://login.example/');
  });

  it('without an issuer exits with 4', async () => {
    const port = await answering(OIDC, () => '{}');
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(4);
    expect(readFailure(result)).toMatchObject({ code: 'metadata_invalid', exit_code: 4 });
  });

  it('as an OAuth error is a refusal that keeps the server’s words', async () => {
    const text = '{"error":"access_denied","error_description":"Realm not enabled"}';
    const port = await answering(OIDC, () => text, 'application/json', 403);
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(3);
    expect(readFailure(result)).toMatchObject({
      code: 'access_denied',
      oauth: { error: 'access_denied', error_description: 'Realm not enabled', status: 403 },
    });
  });

  it('anywhere exits with 3 and a hint', async () => {
    const port = await httpServer((_request, response) => response.writeHead(404).end());
    const result = await run('--json', 'discover', `http://127.0.0.1:${port}`);
    expect(result.code).toBe(3);
    expect(readFailure(result)).toMatchObject({
      code: 'metadata_not_found',
      hint: expect.stringContaining('neither OpenID Connect Discovery nor RFC 8414'),
      oauth: { status: 404 },
    });
  });
});
