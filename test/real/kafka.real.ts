import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, inject, type TestContext, test } from 'vitest';
import { computeSecondsLeft } from '../helpers/seconds-left.ts';
import { connectWithJava, type KafkaServer } from '../lab/kafka.ts';
import type { KeycloakServer } from '../lab/keycloak.ts';
import { KeycloakAdmin } from '../lab/keycloak-admin.ts';
import { freePort } from '../lab/ports.ts';
import { askFor } from '../lab/provided.ts';
import { createSampleRealm, type SampleClient, type SampleRealm } from '../lab/sample-realm.ts';
import { type Cli, failure, openCli, type Run } from './cli.ts';
import { requestTokens, untilExpired } from './tokens.ts';

/** What `kafka connect --json` prints, as far as it is looked at here. */
interface Document {
  verdict: 'accepted' | 'refused';
  mechanisms: string[];
  principal: null;
  claims: Record<string, unknown> | null;
  session_lifetime_ms?: number;
  refusal?: {
    error_code: number;
    error_message: string | null;
    challenge: string | null;
    reason: string;
    validation: string | null;
  };
  produced?: { offset: number };
  consumed?: { offset: number; value: string }[];
  held?: { ms: number; reauthentications: number };
  validation?: {
    local: string;
    introspection: string;
    agree: boolean | null;
    findings: { code: string; cause: string }[];
  };
  steps: { step: string; ms: number; broker?: string }[];
}

type Listener = keyof KafkaServer['listeners'];

const keycloak = inject('keycloak26');

describe.sequential('kafka connect', () => {
  let kafka: KafkaServer;
  let sample: SampleRealm;
  let missing: string | undefined;

  beforeAll(async () => {
    const answer = await askFor('kafka');
    if ('skipped' in answer) missing = answer.skipped;
    else {
      kafka = answer;
      sample = {
        ...answer.realm,
        admin: new KeycloakAdmin(keycloak as KeycloakServer),
        remove: async () => {},
      };
    }
  });

  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing);
  });

  const open = (context: TestContext, client: SampleClient = sample.client): Promise<Cli> =>
    openCli(context, sample, {
      client,
      env: { USER_PASSWORD: sample.user.password, BROKER_SECRET: kafka.brokerClient.secret },
      profile: { server: keycloak as KeycloakServer },
    });
  const signIn = async (cli: Cli): Promise<string> => {
    const tokens = await cli.json(
      ...['token', 'password', '--username', sample.user.username, '--password', 'env:USER_PASSWORD'],
    );
    return String(tokens.access_token);
  };
  const connect = (cli: Cli, listener: Listener, ...args: string[]): Promise<Run> =>
    cli.run('kafka', 'connect', '--bootstrap', kafka.listeners[listener], ...args, '--json');
  const read = (run: Run, exitCode: number): Document => {
    expect(run.exitCode, run.stderr).toBe(exitCode);
    if (exitCode === 0) return JSON.parse(run.stdout);
    expect(run.stdout).toBe('');
    return JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '').error.kafka;
  };
  /** Lets the tokens of `test-client` live for so many seconds. */
  const limitLifespan = ({ onTestFinished }: TestContext, seconds: number) => {
    const set = (lifespan: string) =>
      sample.admin.updateClient(sample.realm, sample.client.id, {
        attributes: { 'access.token.lifespan': lifespan },
      });
    onTestFinished(() => set(''));
    return set(String(seconds));
  };
  const AS_BROKER = ['--client-id', 'kafka-broker', '--client-secret', 'env:BROKER_SECRET'];

  describe('the four flows write and read a message', () => {
    const flows = {
      'client credentials': [],
      'a refresh token': ['--refresh'],
      'an access token of before': ['--token', '@last.access_token'],
    } as const;
    const cases = Object.keys(flows).flatMap((flow) =>
      (['introspection', 'local', 'own'] as const).map(
        (listener) => [flow as keyof typeof flows, listener] as const,
      ),
    );

    test.for(cases)('%s, %s', async ([flow, listener], context) => {
      const cli = await open(context);
      if (flow !== 'client credentials') await signIn(cli);
      const message = `${flow} to ${listener}`;
      const run = await connect(
        cli,
        listener,
        ...flows[flow],
        ...['--topic', kafka.topic, '--produce', message, '--consume', '1'],
      );
      const { produced, consumed, ...document } = read(run, 0);
      expect(document).toMatchObject({
        verdict: 'accepted',
        mechanisms: ['OAUTHBEARER'],
        principal: null,
        claims: { iss: sample.issuer, azp: 'test-client' },
      });
      expect(consumed).toMatchObject([{ offset: produced?.offset, value: message }]);
      expect(document.session_lifetime_ms).toBeGreaterThan(200_000);
      expect(document.steps.map(({ step }) => step)).toEqual([
        ...(flow === 'an access token of before' ? [] : ['token']),
        ...['tcp', 'api_versions', 'sasl_handshake', 'sasl_authenticate', 'metadata', 'produce', 'consume'],
      ]);
      expect(document.steps.every(({ ms }) => Number.isFinite(ms) && ms >= 0)).toBe(true);
    });
  });

  test('over TLS with an authority of its own; its steps are told', async (context) => {
    const cli = await open(context);
    const ca = join(cli.home, 'ca.pem');
    await writeFile(ca, kafka.authority.cert);
    const args = ['kafka', 'connect', '--bootstrap', kafka.listeners.tls, '--ssl'];
    const run = await cli.run(...args, '--ca-cert', ca);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/ · SASL_SSL · accepted · session of (?:5 min|4 min \d+ s)$/m);
    expect(run.stderr).toMatch(/broker → client +TLSv1\.3 +\d+ ms$/m);
    expect(run.stderr).toMatch(/broker → client +SaslHandshake: OAUTHBEARER +\d+ ms$/m);
    expect(await cli.fails(5, ...args)).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('not trusted'),
    });
  });

  describe('a bad token', () => {
    /** Whose texts stand below, in this order; undefined where the token is accepted. */
    const judges = ['introspection', 'local', 'audience', 'own'] as const;
    const inactive = /^Token validation failed: Token not active \(ErrId: [0-9a-f]+\)$/;
    const challenge = /^\{"status":"invalid_token"\}$/;
    const signature = /^Signature check failed: Invalid token signature \(ErrId: /;
    const unparsed = /^Token validation failed: Failed to parse JWT\. \(ErrId: /;
    const everywhere = (text: RegExp) => [inactive, text, text, challenge];

    interface BadToken {
      make(context: TestContext, cli: Cli): Promise<string>;
      texts: readonly (RegExp | 'closed' | undefined)[];
      reasons: readonly (string | undefined)[];
    }
    const parts = (token: string) => token.split('.') as [string, string, string];
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const bad: Record<string, BadToken> = {
      expired: {
        async make(context, cli) {
          await limitLifespan(context, 1);
          const { access_token: token } = await requestTokens(sample);
          cli.know(token);
          await untilExpired(token);
          return token;
        },
        // Kafka's own validator allows for clocks that differ, and ends the session then.
        texts: [inactive, /^Token expired at: /, /^Token expired at: /, 'closed'],
        reasons: ['inactive', 'expired', 'expired', 'expired'],
      },
      'with another payload': {
        async make(_, cli) {
          const [header, payload, sign] = parts(await signIn(cli));
          const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
          return [header, encoded({ ...claims, sub: 'somebody-else' }), sign].join('.');
        },
        texts: everywhere(signature),
        reasons: ['inactive', 'signature_wrong', 'signature_wrong', 'unknown'],
      },
      "another realm's": {
        async make(context) {
          const other = await createSampleRealm(keycloak as KeycloakServer, {});
          context.onTestFinished(() => other.remove());
          const cli = await openCli(context, other, {
            profile: { server: keycloak as KeycloakServer },
          });
          return String((await cli.json('token', 'client-credentials')).access_token);
        },
        texts: everywhere(/^Token validation failed: Unknown signing key \(kid:/),
        reasons: ['inactive', 'key_unknown', 'key_unknown', 'unknown'],
      },
      'of the same realm by another host name': {
        async make(context) {
          const cli = await openCli(context, sample);
          const { access_token } = await cli.json(
            ...['token', 'client-credentials', '--issuer', sample.issuer.replace('127.0.0.1', 'localhost')],
            ...['--client-id', sample.client.clientId, '--client-secret', 'env:SAMPLE_CLIENT_SECRET'],
          );
          return String(access_token);
        },
        texts: everywhere(/^Token validation failed: Issuer not allowed: http:\/\/localhost/),
        reasons: ['inactive', 'issuer_not_allowed', 'issuer_not_allowed', 'unknown'],
      },
      'with alg none': {
        async make(_, cli) {
          const [, payload] = parts(await signIn(cli));
          return `${encoded({ alg: 'none', typ: 'JWT' })}.${payload}.`;
        },
        texts: everywhere(unparsed),
        reasons: ['inactive', 'not_a_jwt', 'not_a_jwt', 'unknown'],
      },
      'that is no JWT': {
        make: async () => '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
        texts: everywhere(unparsed),
        reasons: ['inactive', 'not_a_jwt', 'not_a_jwt', 'unknown'],
      },
      'without the broker in aud': {
        async make(context) {
          const secret = 'the-secret-of-the-other-application';
          const clientId = 'other-application';
          const { admin, realm } = sample;
          const id = await admin.createClient(realm, {
            ...{ clientId, secret, publicClient: false, serviceAccountsEnabled: true },
          });
          context.onTestFinished(() => admin.request('DELETE', `/${realm}/clients/${id}`).then(() => {}));
          const cli = await open(context, { id, clientId, secret });
          return String((await cli.json('token', 'client-credentials')).access_token);
        },
        texts: [inactive, undefined, /^Token validation failed: Expected audience not available/, challenge],
        reasons: ['inactive', undefined, 'audience_missing', 'unknown'],
      },
      'whose session was logged out': {
        async make(_, cli) {
          const token = await signIn(cli);
          await sample.admin.logoutUser(sample.realm, sample.user.id);
          return token;
        },
        texts: [inactive, undefined, undefined, undefined],
        reasons: ['inactive', undefined, undefined, undefined],
      },
      'whose client was disabled': {
        async make(context, cli) {
          const token = await signIn(cli);
          const set = (enabled: boolean) =>
            sample.admin.updateClient(sample.realm, sample.client.id, { enabled });
          await set(false);
          context.onTestFinished(() => set(true));
          return token;
        },
        texts: [inactive, undefined, undefined, undefined],
        reasons: ['inactive', undefined, undefined, undefined],
      },
    };

    test.for(Object.keys(bad))(
      '%s: what each listener says, and whether validate agrees',
      async (name, context) => {
        const { make, texts, reasons } = bad[name] as BadToken;
        const cli = await open(context);
        const token = await make(context, cli);
        cli.know(token);
        for (const [index, listener] of judges.entries()) {
          const text = texts[index];
          const run = await connect(cli, listener, '--token', token, '--validate', ...AS_BROKER);
          const { verdict, refusal, validation } = read(run, text === undefined ? 0 : 4);
          const where = `${name} at ${listener}`;
          expect(verdict, where).toBe(text === undefined ? 'accepted' : 'refused');
          expect(refusal?.reason, where).toBe(reasons[index]);
          // The server refuses all of them, so who accepts one has to be told why.
          expect(validation, where).toMatchObject({ introspection: 'refused', agree: text !== undefined });
          if (text === undefined) {
            expect(validation?.findings[0], where).toMatchObject({
              code: 'revocation_unseen',
              cause: expect.stringContaining('this listener checks tokens locally'),
            });
            continue;
          }
          if (text === 'closed') {
            expect(refusal, where).toMatchObject({ error_code: 0, error_message: null, challenge: null });
          } else {
            expect(refusal?.error_message, where).toMatch(text);
            expect(refusal?.challenge, where).toBe(listener === 'own' ? '{"status":"invalid_token"}' : null);
          }
          const error = JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '').error;
          expect(error).toMatchObject({ code: 'token_refused_by_broker', exit_code: 4 });
          expect(error.message).toContain(refusal?.error_message ?? 'it closed the connection');
        }
      },
    );
  });

  test('a broker that cannot ask the server has not judged the token', async (context) => {
    const cli = await open(context);
    const run = await connect(cli, 'misconfigured');
    expect(read(run, 3).refusal).toMatchObject({
      error_code: 58,
      error_message: expect.stringMatching(/^Runtime failure during token validation \(ErrId: /),
      reason: 'broker_failed',
    });
  });

  describe('a held session', () => {
    test('that outlasts its tokens authenticates again in time', async (context) => {
      const cli = await open(context);
      await limitLifespan(context, 10);
      const run = await connect(cli, 'local', '--hold', '25');
      const { held, steps } = read(run, 0);
      expect(held?.ms).toBeGreaterThanOrEqual(25_000);
      // Every token of 10 seconds is replaced before it ends.
      expect(held?.reauthentications).toBeGreaterThanOrEqual(2);
      expect(steps.filter(({ step }) => step === 'reauthenticate')).toHaveLength(
        held?.reauthentications ?? 0,
      );
      expect(run.stderr).toContain('SaslAuthenticate again: token accepted');
    });

    test('of one token is closed by the broker when that expires', async (context) => {
      const cli = await open(context);
      await limitLifespan(context, 15);
      await signIn(cli);
      const run = await connect(cli, 'introspection', '--token', '@last.access_token', '--hold', '60');
      expect(failure(run, 6)).toMatchObject({
        code: 'session_expired',
        message: expect.stringContaining('the broker closed the connection'),
        hint: expect.stringContaining('authenticate again'),
      });
    });

    test('ends with Ctrl-C', async (context) => {
      const cli = await open(context);
      const holding = cli.start(
        'kafka',
        'connect',
        '--bootstrap',
        kafka.listeners.local,
        '--hold',
        '60',
        '--json',
      );
      await holding.says('holding for 1 min');
      holding.signal('SIGINT');
      expect(failure(await holding.ended, 130)).toMatchObject({ code: 'interrupted' });
    });
  });

  describe('no verdict', () => {
    const fails = async (cli: Cli, exitCode: number, bootstrap: string, ...args: string[]) =>
      failure(await cli.run('kafka', 'connect', '--bootstrap', bootstrap, ...args, '--json'), exitCode);

    test('from a listener of another mechanism, or of none', async (context) => {
      const cli = await open(context);
      expect(await fails(cli, 2, kafka.listeners.password)).toMatchObject({
        code: 'mechanism_not_enabled',
        message:
          'the broker answered UNSUPPORTED_SASL_MECHANISM (33): this listener takes PLAIN, and not OAUTHBEARER',
      });
      expect(await fails(cli, 2, kafka.listeners.internal)).toMatchObject({ code: 'sasl_not_enabled' });
    });

    test('where TLS meets clear text, either way round', async (context) => {
      const cli = await open(context);
      expect(await fails(cli, 5, kafka.listeners.local, '--ssl')).toMatchObject({
        code: 'tls',
        hint: expect.stringContaining('omit --ssl'),
      });
      const { code, hint } = await fails(cli, 5, kafka.listeners.tls);
      expect(['tls', 'connection_closed']).toContain(code);
      expect(hint).toMatch(/add --ssl/i);
    });

    test('from a port of HTTP, or one where nobody listens, unless there is another broker', async (context) => {
      const cli = await open(context);
      const server = createServer((_request, response) => response.end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      context.onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      expect(await fails(cli, 5, `127.0.0.1:${port}`)).toMatchObject({ code: 'not_kafka' });
      const nobody = `127.0.0.1:${await freePort()}`;
      expect(await fails(cli, 5, nobody)).toMatchObject({ code: 'connection_refused' });
      const run = await cli.run('kafka', 'connect', '--bootstrap', `${nobody},${kafka.listeners.local}`);
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stderr).toContain('trying the next bootstrap server');
    });
  });

  describe('kafka explain', () => {
    interface Explanation {
      token: { format: string; expires_in: number } | null;
      flows: { client: string; broker: string; fits: boolean | null; remarks: string[] }[];
      clients: Record<
        'client_credentials' | 'refresh_token' | 'access_token',
        Record<'java' | 'librdkafka', { properties: Record<string, string> }>
      >;
      brokers: Record<
        'introspection' | 'local' | 'local_without_strimzi',
        { properties: Record<string, string>; notes: string[] }
      >;
    }
    const explain = async (cli: Cli, ...args: string[]): Promise<Explanation> =>
      (await cli.json('kafka', 'explain', ...args)) as unknown as Explanation;

    test('weighs the four flows for the tokens of the client, and shows no secret', async (context) => {
      const cli = await open(context);
      const { token, flows, brokers } = await explain(cli);
      expect(token).toEqual({ format: 'jwt', expires_in: computeSecondsLeft(300) });
      expect(flows.map(({ client, broker, fits }) => [client, broker, fits])).toEqual([
        ['client_credentials', 'introspection', true],
        ['client_credentials', 'local', true],
        ['access_token', 'introspection', false],
        ['access_token', 'local', false],
      ]);
      expect(flows[1]?.remarks).toEqual([
        expect.stringContaining('A revoked token is accepted until it expires'),
      ]);
      expect(brokers.local.notes).toEqual([expect.stringContaining('does not see that a token was revoked')]);
      await writeFile(join(cli.home, 'opaque'), '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d');
      const opaque = await explain(cli, '--token', '@opaque');
      expect(opaque.flows.map(({ fits }) => fits)).toEqual([true, false, true, false]);
      const { stdout } = await cli.run('kafka', 'explain');
      expect(stdout).toMatch(/clientSecret="\$\{env:KAFKA_CLIENT_SECRET\}"/);
      expect(stdout).not.toContain(sample.client.secret);
    });

    test("Kafka's own client for Java connects with what is printed for it", async (context) => {
      const cli = await open(context);
      const setup = ['--bootstrap', kafka.listeners.introspection, '--no-ssl'];
      const { clients } = await explain(cli, ...setup);
      const tokens = await cli.json(
        ...['token', 'password', '--username', sample.user.username, '--password', 'env:USER_PASSWORD'],
      );
      const { properties: secret } = clients.client_credentials.java;
      const { properties: refresh } = clients.refresh_token.java;
      const { 'sasl.oauthbearer.token.endpoint.url': tokenFile, ...byFile } =
        clients.access_token.java.properties;
      expect(tokenFile).toBe('file:///etc/kafka/access_token');
      const file = join(cli.home, 'access_token');
      await writeFile(file, String(tokens.access_token), { mode: 0o600 });
      const allowed = '-Dorg.apache.kafka.sasl.oauthbearer.allowed';
      const env = {
        KAFKA_CLIENT_SECRET: sample.client.secret,
        KAFKA_REFRESH_TOKEN: String(tokens.refresh_token),
      };
      const said = await Promise.all([
        connectWithJava(secret, {
          env,
          jvmOptions: [`${allowed}.urls=${secret['sasl.oauthbearer.token.endpoint.url']}`],
        }),
        connectWithJava(refresh, { env }),
        connectWithJava(
          { ...byFile, 'sasl.oauthbearer.token.endpoint.url': `file://${file}` },
          { jvmOptions: [`${allowed}.urls=file://${file}`, `${allowed}.files=${file}`] },
        ),
      ]);
      expect(new Set(said)).toEqual(new Set([kafka.clusterId]));
    });
  });
});
