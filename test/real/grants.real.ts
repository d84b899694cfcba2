import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { GRANTS, type Grant, type GrantName } from '../../src/protocol/definitions/grants/index.ts';
import type { ParameterDefinitions } from '../../src/protocol/definitions/parameter.ts';
import { ASSERTION_ISSUER, startSandbox } from '../../src/sandbox/index.ts';
import { makeCertificate } from '../helpers/certificates.ts';
import type { KeycloakServer } from '../lab/keycloak.ts';
import type { KeycloakTlsServer } from '../lab/keycloak-tls.ts';
import { freePort } from '../lab/ports.ts';
import { askFor } from '../lab/provided.ts';
import { createSampleRealm, type SampleRealm } from '../lab/sample-realm.ts';
import { type Cli, openCli, type Run } from './cli.ts';
import { document, documentedOutcomes, GRANTED } from './grant-table.ts';
import { install } from './keycloak-tls.ts';
import { type Page, Person } from './person.ts';
import { publishKeys } from './published-keys.ts';

const OVER_HTTP = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
] as const;
const OVER_HTTPS = [...OVER_HTTP, 'tls_client_auth', 'self_signed_tls_client_auth'] as const;

type Method = (typeof OVER_HTTPS)[number];

/** A server with a client for each method of authentication, and somebody to sign in. */
interface Ground {
  readonly user: { readonly username: string; readonly password: string };
  readonly clientSecret: string;
  /** The options that name the server, the client of this method and its credentials. */
  options(cli: Cli, method: Method): Promise<readonly string[]>;
  readonly deviceListen: string;
  /** `iss` and `sub` of assertions for jwt-bearer, which are signed with the key of the clients. */
  readonly assertion: { readonly iss: string; readonly sub: string };
  person(): Person;
  /** Enters the user code, signs in and says yes. */
  enterCode(person: Person, page: Page, code: string): Promise<Page>;
  signIn(person: Person, page: Page): Promise<Page>;
  close(): Promise<void>;
}

const KEY = 'client-key.json';

/** One key for all clients, and for the assertions of jwt-bearer. */
const key = await (async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const own = { kid: 'key-of-the-clients', alg: 'ES256', use: 'sig' };
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), ...own };
  return { privateJwk, publicJwk: { ...(await exportJWK(publicKey)), ...own } satisfies JWK };
})();

const credentials: Readonly<Record<Method, readonly string[]>> = {
  client_secret_basic: ['--client-secret', 'env:SECRET'],
  client_secret_post: ['--client-secret', 'env:SECRET'],
  client_secret_jwt: ['--client-secret', 'env:SECRET'],
  private_key_jwt: ['--client-key', KEY],
  none: [],
  tls_client_auth: [],
  self_signed_tls_client_auth: [],
};

async function keycloakGround(
  server: KeycloakServer | KeycloakTlsServer,
  methods: readonly Method[],
): Promise<Ground> {
  const keys = await publishKeys({ keys: [key.publicJwk] });
  const clientSecret = randomBytes(48).toString('base64url');
  const sample = await createSampleRealm(server, {
    interval: 1,
    attributes: { oauth2DevicePollingInterval: '1' },
  });
  const assertion = { iss: 'https://partner.example', sub: 'taro-at-the-partner' };
  const is26 = server.version.startsWith('26');
  const partner = is26 ? await trustPartner(sample, assertion, keys.url) : undefined;
  const authenticators: Readonly<Record<Method, object>> = {
    client_secret_basic: { secret: clientSecret },
    client_secret_post: { secret: clientSecret },
    client_secret_jwt: { clientAuthenticatorType: 'client-secret-jwt', secret: clientSecret },
    private_key_jwt: { clientAuthenticatorType: 'client-jwt' },
    none: { publicClient: true, serviceAccountsEnabled: false },
    tls_client_auth: { clientAuthenticatorType: 'client-x509' },
    self_signed_tls_client_auth: { clientAuthenticatorType: 'client-x509' },
  };
  for (const method of methods) {
    await sample.admin.createClient(sample.realm, {
      clientId: method,
      publicClient: false,
      standardFlowEnabled: true,
      directAccessGrantsEnabled: true,
      serviceAccountsEnabled: true,
      redirectUris: ['http://127.0.0.1/callback'],
      ...authenticators[method],
      attributes: {
        'oauth2.device.authorization.grant.enabled': 'true',
        'oidc.ciba.grant.enabled': 'true',
        'standard.token.exchange.enabled': String(method !== 'none'),
        ...(partner && {
          'oauth2.jwt.authorization.grant.enabled': 'true',
          'oauth2.jwt.authorization.grant.idp': partner,
        }),
        ...(method === 'private_key_jwt' && keys.attributes),
        ...(method === 'tls_client_auth' && { 'x509.subjectdn': 'CN=certified' }),
        ...(method === 'self_signed_tls_client_auth' && { 'x509.subjectdn': 'CN=self-signed' }),
      },
    });
  }
  const tls = 'httpsUrl' in server ? server : undefined;
  const certificates = tls && {
    tls_client_auth: makeCertificate('certified', { authority: tls.authority }),
    self_signed_tls_client_auth: tls.selfSigned,
  };
  const { username, password } = sample.user;
  const signIn = (person: Person, page: Page) => person.submit(page, { username, password });
  return {
    user: sample.user,
    clientSecret,
    deviceListen: server.deviceListen,
    assertion,
    signIn,
    enterCode: async (person, page, code) =>
      person.submit(await signIn(person, await person.submit(page, { device_user_code: code })), {
        accept: 'Yes',
      }),
    person: () => new Person(tls?.authority.cert),
    async options(cli, method) {
      const issuer = `${tls ? tls.httpsUrl : server.baseUrl}/realms/${sample.realm}`;
      const common = ['--issuer', issuer, '--client-id', method, '--auth-method', method];
      if (tls === undefined || certificates === undefined) return [...common, ...credentials[method]];
      await writeFile(join(cli.home, 'ca.pem'), tls.authority.cert);
      const certificate =
        method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
          ? (await install(cli, method, certificates[method])).flags
          : [];
      return [...common, ...credentials[method], '--ca-cert', 'ca.pem', ...certificate];
    },
    async close() {
      keys.close();
      await sample.remove();
    },
  };
}

/** Makes a realm take the assertions of a partner. @returns the partner's name in the realm */
async function trustPartner(
  { admin, realm, user }: SampleRealm,
  { iss, sub }: Ground['assertion'],
  jwksUrl: string,
): Promise<string> {
  const alias = 'partner';
  await admin.request('POST', `/${realm}/identity-provider/instances`, {
    alias,
    providerId: 'jwt-authorization-grant',
    enabled: true,
    config: { issuer: iss, jwksUrl, useJwksUrl: 'true', jwtAuthorizationGrantEnabled: 'true' },
  });
  await admin.request('POST', `/${realm}/users/${user.id}/federated-identity/${alias}`, {
    identityProvider: alias,
    userId: sub,
    userName: sub,
  });
  return alias;
}

async function sandboxGround(): Promise<Ground> {
  const deviceListen = `127.0.0.1:${await freePort()}/api/v1/auth`;
  const sandbox = await startSandbox({
    interval: 1,
    device: `http://${deviceListen}`,
    clientKeys: [key.publicJwk],
  });
  const [username = ''] = sandbox.users;
  const user = { username, password: sandbox.passwords[username] ?? '' };
  const clientOf = (method: Method) =>
    sandbox.clients.find(({ token_endpoint_auth_method: its }) => its === method)?.client_id ??
    sandbox.clientId;
  const signIn = (person: Person, page: Page) => person.submit(page, { ...user, accept: 'yes' });
  return {
    user,
    clientSecret: sandbox.clientSecret,
    deviceListen,
    assertion: { iss: ASSERTION_ISSUER, sub: username },
    signIn,
    enterCode: async (person, page, code) =>
      signIn(person, await person.submit(await person.submit(page, { user_code: code }), { confirm: 'yes' })),
    person: () => new Person(),
    options: async (_cli, method) => [
      ...['--issuer', sandbox.issuer, '--client-id', clientOf(method), '--auth-method', method],
      ...credentials[method],
    ],
    close: () => sandbox.close(),
  };
}

/** Values that no server accepts, for a grant that is not prepared above: the cell shows whether the server knows it. */
function requiredArguments(definitions: ParameterDefinitions): string[] {
  return Object.values(definitions).flatMap(({ option }) =>
    option?.required || option?.ask !== undefined
      ? [option.flags.split(' ')[0] ?? '', option.read === 'text' ? 'not-valid' : 'env:NOT_VALID']
      : [],
  );
}

/** Runs one cell of the table. @returns what the cell says */
async function outcome(context: TestContext, ground: Ground, grant: Grant, method: Method): Promise<string> {
  const cli = await openCli(context, undefined, {
    env: { SECRET: ground.clientSecret, USER_PASSWORD: ground.user.password, NOT_VALID: 'not-valid' },
  });
  await writeFile(join(cli.home, KEY), JSON.stringify(key.privateJwk));
  cli.know(key.privateJwk.d ?? '');
  const options = await ground.options(cli, method);
  const { username } = ground.user;
  const code = async () => {
    const running = cli.start('token', 'code', '--scope', 'openid', ...options, '--json');
    const opened = running.says(/Open (\S+)\n/);
    const [, address] = (await Promise.race([opened, running.ended.then(() => undefined)])) ?? [];
    const person = ground.person();
    if (address !== undefined) await ground.signIn(person, await person.open(address));
    return running.ended;
  };
  const device = async () => {
    const running = cli.start('token', 'device', '--scope', 'openid', ...options, '--json');
    const told = running.says(/Open (\S+)\s+and enter the code (\S+)\s/);
    const [, address, userCode = ''] =
      (await Promise.race([told, running.ended.then(() => undefined)])) ?? [];
    const person = ground.person();
    if (address !== undefined) await ground.enterCode(person, await person.open(address), userCode);
    return running.ended;
  };
  const run = (...args: string[]) => cli.run('token', grant.name, ...args, ...options, '--json');
  const runs: Partial<Record<GrantName, () => Promise<Run>>> = {
    'client-credentials': run,
    password: () => run('--username', username, '--password', 'env:USER_PASSWORD'),
    code,
    device,
    async refresh() {
      const first = await code();
      return first.exitCode === 0 ? run() : first;
    },
    async exchange() {
      const first = await code();
      return first.exitCode === 0 ? run('--subject-token', '@last.access_token') : first;
    },
    'jwt-bearer': () =>
      run('--assertion-key', KEY, '--iss', ground.assertion.iss, '--sub', ground.assertion.sub),
    ciba: () =>
      cli.run(
        ...['ciba', 'start', '--device', '--approve', '--login-hint', username, '--scope', 'openid'],
        ...['--listen', ground.deviceListen, ...options, '--json'],
      ),
  };
  const { exitCode, stdout, stderr } = await (runs[grant.name]?.() ??
    run(...requiredArguments(grant.parameters)));
  if (exitCode === 0) {
    expect(JSON.parse(stdout)).toHaveProperty('access_token');
    return GRANTED;
  }
  const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
  return `\`${error.oauth?.error ?? error.code}\` (${exitCode})`;
}

/** Writes the tables instead of comparing with them. */
const mayWrite = process.env.OAUTHCTL_WRITE_DOCS === '1';

function defineTable(
  name: string,
  methods: readonly Method[],
  prepare: () => Promise<Ground | { skipped: string }>,
) {
  describe.sequential(name, () => {
    let ground: Ground | { skipped: string };
    let documented: ReadonlyMap<string, string>;
    const outcomes = new Map<string, string>();

    beforeAll(async () => {
      ground = await prepare();
      documented = await documentedOutcomes(name);
    }, 240_000);

    beforeEach((context) => {
      if ('skipped' in ground) context.skip(ground.skipped);
    });

    afterAll(async () => {
      if ('skipped' in ground) return;
      await ground.close();
      if (mayWrite) await document(name, methods, outcomes);
    });

    for (const grant of GRANTS) {
      for (const method of methods) {
        test(`${grant.name} with ${method}`, async (context) => {
          if ('skipped' in ground) throw new Error(ground.skipped);
          const cell = `${grant.name} ${method}`;
          outcomes.set(cell, await outcome(context, ground, grant, method));
          if (!mayWrite) expect(outcomes.get(cell)).toBe(documented.get(cell));
        });
      }
    }
  });
}

const onKeycloak = (name: 'keycloak14' | 'keycloak26tls', methods: readonly Method[]) => async () => {
  const server = await askFor(name);
  return 'skipped' in server ? server : keycloakGround(server, methods);
};

defineTable('Keycloak 26.7.4', OVER_HTTPS, onKeycloak('keycloak26tls', OVER_HTTPS));
defineTable('Keycloak 14.0.0', OVER_HTTP, onKeycloak('keycloak14', OVER_HTTP));
defineTable('The sandbox', OVER_HTTP, sandboxGround);
