import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, type TestContext, test } from 'vitest';
import {
  ASSERTION_ISSUER,
  DPOP_CLIENT,
  JARM_CLIENT,
  PAR_CLIENT,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '../../src/sandbox/index.ts';
import { freePort } from '../lab/ports.ts';
import { type Cli, failure, openCli, type Run, type RunningProgram } from './cli.ts';
import { Person } from './person.ts';

const SIGNING_KEY = 'signing-key.json';
const DECRYPTION_KEY = 'decryption-key.json';

const makeKey = async (alg: string, use: string) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const own = { kid: `${use}-${alg}`, alg, use };
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), ...own };
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), ...own };
  return { privateJwk, publicJwk };
};
const signing = await makeKey('ES256', 'sig');
const encryption = await makeKey('RSA-OAEP-256', 'enc');

/** A sandbox of one test, and a shell with a profile for one of its clients. */
interface Stage {
  readonly sandbox: Sandbox;
  readonly cli: Cli;
  readonly username: string;
  /** Runs `token code` and signs in. */
  code(...args: string[]): Promise<Run>;
  /** As `code`, and expects tokens. */
  tokens(...args: string[]): Promise<Record<string, unknown>>;
}

async function open(context: TestContext, clientId: string, options: SandboxOptions = {}): Promise<Stage> {
  const clientSecret = randomBytes(48).toString('base64url');
  const sandbox = await startSandbox({
    interval: 1,
    clientSecret,
    clientKeys: [signing.publicJwk, encryption.publicJwk],
    ...options,
  });
  context.onTestFinished(() => sandbox.close());
  const [username = ''] = sandbox.users;
  const password = sandbox.passwords[username] ?? '';
  const cli = await openCli(context, undefined, { env: { SECRET: clientSecret, USER_PASSWORD: password } });
  await writeFile(join(cli.home, SIGNING_KEY), JSON.stringify(signing.privateJwk));
  await writeFile(join(cli.home, DECRYPTION_KEY), JSON.stringify(encryption.privateJwk));
  cli.know(signing.privateJwk.d ?? '', encryption.privateJwk.d ?? '');
  await cli.json(
    ...['profile', 'add', 'here', '--issuer', sandbox.issuer, '--client-id', clientId],
    ...['--client-secret', 'env:SECRET'],
  );
  const code = async (...args: string[]) => {
    const running = cli.start('token', 'code', '--scope', 'openid', '--json', ...args);
    await signIn(running);
    return running.ended;
  };
  const signIn = async (running: RunningProgram) => {
    const [, address = ''] = await running.says(/Open (\S+)\n/);
    const person = new Person();
    await person.submit(await person.open(address), { username, password, accept: 'yes' });
  };
  return {
    sandbox,
    cli,
    username,
    code,
    async tokens(...args) {
      const run = await code(...args);
      expect(run, run.stderr).toMatchObject({ exitCode: 0 });
      return JSON.parse(run.stdout);
    },
  };
}

describe('DPoP where the sandbox requires proofs with a nonce', () => {
  const PASSWORD = ['token', 'password', '--username', 'cl-taro', '--password', 'env:USER_PASSWORD'];

  /** Every token request was refused once for want of a nonce at most, and the tokens are bound to the key. */
  const expectBound = (cli: Cli, tokens: Record<string, unknown>) => {
    expect(tokens).toMatchObject({ token_type: 'DPoP' });
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ cnf: { jkt: expect.any(String) } });
    const answers = cli.exchanges('token').map(({ answer }) => answer?.body ?? '');
    expect(answers.some((body) => body.includes('use_dpop_nonce'))).toBe(true);
  };

  test.for([
    ['client credentials', ['token', 'client-credentials']],
    ['password', PASSWORD],
    [
      'an assertion',
      ['token', 'jwt-bearer', '--assertion-key', SIGNING_KEY, '--iss', ASSERTION_ISSUER, '--sub', 'cl-taro'],
    ],
  ] as const)('by %s', async ([, args], context) => {
    const { cli } = await open(context, DPOP_CLIENT);
    expectBound(cli, await cli.json(...args, '--dpop'));
    expect(cli.exchanges('token')).toHaveLength(2);
  });

  test('by a code, a refresh and an exchange, all with one key', async (context) => {
    const { cli, tokens } = await open(context, DPOP_CLIENT);
    const first = await tokens('--dpop');
    expectBound(cli, first);
    const jkt = decodeJwt<{ cnf: object }>(String(first.access_token)).cnf;
    const refreshed = await cli.json('token', 'refresh');
    expect(decodeJwt(String(refreshed.access_token))).toMatchObject({ cnf: jkt });
    const exchanged = await cli.json('token', 'exchange', '--dpop');
    expectBound(cli, exchanged);
  });

  test('by a code whose request is pushed, with a proof and a nonce there as well', async (context) => {
    const { cli, tokens } = await open(context, DPOP_CLIENT);
    expect(await tokens('--dpop', '--par')).toMatchObject({ token_type: 'DPoP' });
    const pushed = cli.exchanges('pushed_authorization_request');
    expect(pushed.map(({ answer }) => answer?.status)).toEqual([400, 201]);
    expect(pushed.map(({ answer }) => answer?.body.includes('use_dpop_nonce'))).toEqual([true, false]);
    for (const { request } of pushed) expect(request.headers).toHaveProperty('dpop');
    // The nonce that was learned there is good at the token endpoint at once.
    expect(cli.exchanges('token').map(({ answer }) => answer?.status)).toEqual([200]);
  });

  test('by the device flow, where the retry for a nonce is no poll', async (context) => {
    const { cli, sandbox, username } = await open(context, DPOP_CLIENT);
    const running = cli.start('token', 'device', '--scope', 'openid', '--dpop', '--json');
    const [, address = '', userCode = ''] = await running.says(/Open (\S+)\s+and enter the code (\S+)\s/);
    await running.says('authorization_pending');
    const person = new Person();
    const confirm = await person.submit(await person.open(address), { user_code: userCode });
    const login = await person.submit(confirm, { confirm: 'yes' });
    const password = sandbox.passwords[username] ?? '';
    await person.submit(login, { username, password, accept: 'yes' });
    const run = await running.ended;
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    expectBound(cli, JSON.parse(run.stdout));
  });

  test('by CIBA', async (context) => {
    const listen = `127.0.0.1:${await freePort()}/api/v1/auth`;
    const { cli } = await open(context, DPOP_CLIENT, { device: `http://${listen}` });
    const args = ['--login-hint', 'cl-taro', '--scope', 'openid', '--listen', listen];
    expectBound(cli, await cli.json('ciba', 'start', '--device', '--approve', '--dpop', ...args));
  });

  test('with a key of a file', async (context) => {
    const { cli } = await open(context, DPOP_CLIENT);
    const tokens = await cli.json('token', 'client-credentials', '--dpop-key', SIGNING_KEY);
    const jkt = await calculateJwkThumbprint(signing.publicJwk);
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ cnf: { jkt } });
  });

  test('a protected resource takes a proof with its nonce', async (context) => {
    const { cli, sandbox, tokens, username } = await open(context, DPOP_CLIENT);
    await tokens('--dpop', '--scope', 'openid profile');
    const url = `${sandbox.issuer}/protocol/openid-connect/userinfo`;
    expect(await cli.json('call', url)).toMatchObject({ preferred_username: username });
    expect(cli.exchanges('resource').map(({ answer }) => answer?.status)).toEqual([401, 200]);
  });

  test('a token request without a proof is refused, and the hint says what to add', async (context) => {
    const { cli } = await open(context, DPOP_CLIENT);
    const error = await cli.fails(3, 'token', 'client-credentials');
    expect(error.hint).toContain('--dpop');
  });

  test('a proof for another address is refused', async (context) => {
    const { cli } = await open(context, DPOP_CLIENT);
    const args = ['--dpop', '--dpop-claim', 'htu=https://elsewhere.example/token'];
    const error = await cli.fails(3, 'token', 'client-credentials', ...args);
    expect(error).toMatchObject({ code: 'invalid_dpop_proof', hint: expect.any(String) });
  });
});

describe('request objects', () => {
  const SIGNED = ['--show-secrets', '--request-object', '--request-object-key', SIGNING_KEY];
  const ENCRYPTED = [...SIGNED, '--request-object-encryption-alg', 'ECDH-ES'];

  test.for([
    ['signed', SIGNED],
    ['signed and encrypted', ENCRYPTED],
    ['signed, encrypted and pushed', [...ENCRYPTED, '--par']],
    ['signed with the secret', ['--show-secrets', '--request-object', '--request-object-alg', 'HS256']],
  ] satisfies [string, string[]][])('%s', async ([, args], context) => {
    const { cli, sandbox, tokens } = await open(context, 'sandbox-client');
    expect(sandbox.clientId).toBe('sandbox-client');
    expect(await tokens(...args)).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
    expect(cli.exchanges('pushed_authorization_request')).toHaveLength(args.includes('--par') ? 1 : 0);
  });

  test('a client that has to push and sign is served, and told where it does not', async (context) => {
    const { cli, tokens } = await open(context, PAR_CLIENT);
    expect(await tokens('--par', ...SIGNED)).toHaveProperty('id_token');
    const error = await cli.fails(3, 'token', 'code', '--scope', 'openid', '--par');
    expect(error.hint).toContain('--request-object');
  });
});

describe('authorization responses', () => {
  test('as a JWT, signed', async (context) => {
    const { tokens } = await open(context, 'sandbox-client');
    expect(await tokens('--response-mode', 'jwt')).toHaveProperty('id_token');
  });

  test('as a JWT, signed and encrypted for the client', async (context) => {
    const { code, tokens } = await open(context, JARM_CLIENT);
    const args = ['--response-mode', 'jwt'];
    expect(await tokens(...args, '--decryption-key', DECRYPTION_KEY)).toHaveProperty('id_token');
    const error = failure(await code(...args, '--deadline', '5'), 4);
    expect(error.hint).toContain('--decryption-key');
  });

  test('a person who cancels ends it with exit code 7', async (context) => {
    const { cli } = await open(context, 'sandbox-client');
    const running = cli.start('token', 'code', '--scope', 'openid', '--json');
    const [, address = ''] = await running.says(/Open (\S+)\n/);
    const person = new Person();
    await person.submit(await person.open(address), { cancel: 'yes' });
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(7);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error).toMatchObject({
      code: 'access_denied',
    });
  });
});

describe('what the tokens are for', () => {
  test('a resource becomes the audience', async (context) => {
    const { tokens } = await open(context, 'sandbox-client');
    const { access_token } = await tokens('--resource', 'https://orders.example/api');
    expect(decodeJwt(String(access_token)).aud).toBe('https://orders.example/api');
  });

  test('authorization details come back with the tokens', async (context) => {
    const { tokens } = await open(context, 'sandbox-client');
    const details = [{ type: 'payment_initiation', actions: ['read'] }];
    const granted = await tokens('--authorization-details', JSON.stringify(details));
    expect(granted.authorization_details).toMatchObject(details);
  });

  test('a rotated refresh token that is used again ends the grant', async (context) => {
    const { cli, tokens } = await open(context, 'sandbox-client', { rotateRefreshTokens: true });
    const { refresh_token: first } = await tokens();
    cli.know(String(first));
    const { refresh_token: second } = await cli.json('token', 'refresh');
    expect(second).not.toBe(first);
    await writeFile(join(cli.home, 'first'), String(first));
    const error = await cli.fails(3, 'token', 'refresh', '@first');
    expect(error).toMatchObject({ code: 'invalid_grant', hint: expect.stringContaining('used') });
    await cli.fails(3, 'token', 'refresh');
  });
});
