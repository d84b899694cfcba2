import { describe, expect, it } from 'vitest';
import {
  type BrokerAddress,
  type BrokerConnection,
  type Context,
  createContext,
  type SaslAuthentication,
  type StoredMessage,
} from '../../../src/context.ts';
import { NetworkError } from '../../../src/errors.ts';
import { connectToKafka, type KafkaConnectOptions } from '../../../src/flows/kafka/connect.ts';
import type { KafkaEvent } from '../../../src/flows/kafka/events.ts';
import { brokerError } from '../../../src/flows/kafka/refusal.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { testParts } from '../../helpers/parts.ts';

const ONE = { host: 'one', port: 9092 };
const TWO = { host: 'two', port: 9092 };

type Authenticate = (message: string) => Partial<SaslAuthentication> | Error;

/** A cluster without sockets. */
interface Cluster {
  /** Whether there is a connection; by default to both nodes. */
  connect?: (address: BrokerAddress) => void;
  mechanisms?: string[];
  handshakeCode?: number;
  authenticate?: Authenticate;
  /** The leaders of the partitions of `orders`. */
  leaders?: number[];
  /** Under which names the nodes are advertised. */
  hosts?: [string, string];
  stored?: Record<number, StoredMessage[]>;
  /** What ApiVersions does from its second time on, as it is asked to keep a session in use. */
  use?: () => void;
}

const closed = () => new NetworkError('connection_closed', 'closed the connection');

async function setUp(cluster: Cluster) {
  const clock = new FakeClock();
  const parts = await testParts({ clock });
  const log: string[] = [];
  const connect = async (address: BrokerAddress): Promise<BrokerConnection> => {
    cluster.connect?.(address);
    const say = (what: string) => log.push(`${address.host}: ${what}`);
    let uses = 0;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const ms = 1;
    say('connected');
    return {
      address,
      tcpMs: ms,
      tls: undefined,
      ended,
      async apiVersions() {
        uses += 1;
        if (uses > 1) cluster.use?.();
        return { count: 70, ms };
      },
      async saslHandshake() {
        const { mechanisms = ['OAUTHBEARER'], handshakeCode = 0 } = cluster;
        return { errorCode: handshakeCode, errorName: `error ${handshakeCode}`, mechanisms, ms };
      },
      async saslAuthenticate(message) {
        say(message === '\x01' ? 'conceded' : `authenticated ${/Bearer ([\w-]+)/.exec(message)?.[1]}`);
        const answer = cluster.authenticate?.(message) ?? {};
        if (answer instanceof Error) throw answer;
        const accepted = { errorCode: 0, errorName: 'NONE', errorMessage: undefined, authBytes: '' };
        return { ...accepted, sessionLifetimeMs: 0, ms, ...answer };
      },
      async metadata(topics) {
        const partitions = (cluster.leaders ?? [1]).map((leader, partition) => ({ partition, leader }));
        const nodes = [
          { nodeId: 1, host: cluster.hosts?.[0] ?? 'one', port: 9092 },
          { nodeId: 2, host: cluster.hosts?.[1] ?? 'two', port: 9092 },
        ];
        return { clusterId: 'c', nodes, topics: topics.map((topic) => ({ topic, partitions })), ms };
      },
      async produce({ partition }, value) {
        say(`produced ${value} to ${partition}`);
        return { offset: 7n, ms };
      },
      async offsets({ partition }) {
        const all = cluster.stored?.[partition] ?? [];
        return { first: all[0]?.offset ?? 0n, next: (all.at(-1)?.offset ?? -1n) + 1n, ms };
      },
      async fetch({ partition }, offset) {
        // One at a time.
        const messages = (cluster.stored?.[partition] ?? [])
          .filter((one) => one.offset >= offset)
          .slice(0, 1);
        return { messages, ms };
      },
      close() {
        say('closed');
        end();
      },
    };
  };
  const ctx: Context = {
    ...createContext(parts),
    kafka: async () => ({ connect: (address) => connect(address) }),
  };
  return { ctx, clock, log, abort: parts.abort };
}

async function run(cluster: Cluster, options: Partial<KafkaConnectOptions> = {}) {
  const { ctx, clock, log } = await setUp(cluster);
  const events: KafkaEvent[] = [];
  let issued = 0;
  const started = connectToKafka(
    ctx,
    {
      bootstrap: [ONE],
      isTls: false,
      extensions: [],
      tokens: {
        isRenewable: true,
        next: async () => {
          issued += 1;
          return `token-${issued}`;
        },
      },
      ...options,
    },
    (event) => events.push(event),
  );
  return { started, clock, log, events };
}

const fixed = { isRenewable: false, next: async () => 'token-given' };

const message = (partition: number, offset: bigint, timestamp: number): StoredMessage => ({
  topic: 'orders',
  partition,
  offset,
  timestamp,
  key: undefined,
  value: Buffer.from(`${partition}/${offset}`),
});

describe('connecting to Kafka', () => {
  it('tries the bootstrap servers in turn, and closes what it opened', async () => {
    const { started, log, events } = await run(
      {
        connect: ({ host }) => {
          if (host === 'one') throw new NetworkError('connection_refused', 'one refused the connection');
        },
      },
      { bootstrap: [ONE, TWO] },
    );
    expect(await started).toMatchObject({ address: TWO, refusal: undefined, mechanisms: ['OAUTHBEARER'] });
    expect(events.map(({ type }) => type)).toEqual([
      ...['connecting', 'unreachable', 'connecting', 'connected', 'api_versions'],
      ...['sasl_handshake', 'authenticated', 'metadata'],
    ]);
    expect(log).toEqual(['two: connected', 'two: authenticated token-1', 'two: closed']);
  });

  it('fails with the last failure where none can be reached', async () => {
    const { started } = await run(
      {
        connect: ({ host }) => {
          throw new NetworkError('connection_refused', `${host} refused the connection`);
        },
      },
      { bootstrap: [ONE, TWO] },
    );
    await expect(started).rejects.toThrow('two refused');
  });

  it.each([
    [['PLAIN', 'GSSAPI'], 33, 'mechanism_not_enabled', 'takes PLAIN, GSSAPI, and not OAUTHBEARER'],
    [[], 34, 'sasl_not_enabled', 'takes no SASL'],
  ])('names a listener of %j', async (mechanisms, handshakeCode, code, text) => {
    const { started, log } = await run({ mechanisms, handshakeCode });
    await expect(started).rejects.toMatchObject({
      code,
      exitCode: 2,
      message: expect.stringContaining(text),
    });
    expect(log).toEqual(['one: connected', 'one: closed']);
  });

  it('asks no broker about a token that SASL cannot carry', async () => {
    const { started, log } = await run({}, { tokens: { ...fixed, next: async () => 'two words' } });
    await expect(started).rejects.toMatchObject({ code: 'token_unfit' });
    expect(log).toEqual([]);
  });
});

describe('a refusal', () => {
  it('is a result, with the words of the broker, and nothing is used', async () => {
    const { started, log } = await run(
      {
        authenticate: () => ({
          errorCode: 58,
          errorName: 'SASL_AUTHENTICATION_FAILED',
          errorMessage: 'Token expired at: 1',
        }),
      },
      { topic: 'orders', message: 'hello' },
    );
    const result = await started;
    expect(result).toMatchObject({
      refusal: { reason: 'expired', errorMessage: 'Token expired at: 1' },
      produced: undefined,
    });
    expect(brokerError(result)).toMatchObject({
      code: 'token_refused_by_broker',
      exitCode: 4,
      message: 'the broker refused the token: Token expired at: 1',
    });
    expect(log).toEqual(['one: connected', 'one: authenticated token-1', 'one: closed']);
  });

  it.each([
    [
      'answers once more',
      { errorCode: 58, errorName: 'SASL_AUTHENTICATION_FAILED', errorMessage: 'no' },
      58,
      'no',
    ],
    ['closes the connection', closed(), 0, undefined],
  ])('by a challenge is conceded, where the broker %s', async (_, last, errorCode, errorMessage) => {
    const challenge = '{"status":"invalid_token"}';
    const { started, log } = await run({
      authenticate: (sent) => (sent === '\x01' ? last : { authBytes: challenge }),
    });
    const result = await started;
    expect(result.refusal).toMatchObject({ errorCode, errorMessage, challenge: { status: 'invalid_token' } });
    expect(brokerError(result)?.message).toContain(errorMessage ?? challenge);
    expect(log).toContain('one: conceded');
  });

  it('to judge is the fault of the broker', async () => {
    const errorMessage = 'Runtime failure during token validation (ErrId: 1)';
    const { started } = await run({ authenticate: () => ({ errorCode: 58, errorName: 'E', errorMessage }) });
    expect(brokerError(await started)).toMatchObject({ code: 'broker_failed', exitCode: 3 });
  });
});

describe('a topic', () => {
  it('is written to at the leader of a partition, by a session with that node', async () => {
    const { started, log } = await run({ leaders: [2, 1] }, { topic: 'orders', message: 'hello' });
    expect(await started).toMatchObject({ produced: { topic: 'orders', partition: 0, offset: 7n } });
    expect(log).toEqual([
      ...['one: connected', 'one: authenticated token-1', 'two: connected', 'two: authenticated token-1'],
      ...['two: produced hello to 0', 'one: closed', 'two: closed'],
    ]);
  });

  it('gives its newest messages, of all partitions, in the order of time', async () => {
    const stored = {
      0: [message(0, 4n, 10), message(0, 5n, 40), message(0, 7n, 50)],
      1: [message(1, 0n, 20), message(1, 1n, 45)],
    };
    const { started } = await run({ leaders: [1, 2], stored }, { topic: 'orders', consume: 3 });
    const { consumed = [] } = await started;
    expect(consumed.map(({ partition, offset }) => `${partition}/${offset}`)).toEqual(['0/5', '1/1', '0/7']);
  });

  it('that is empty gives none', async () => {
    const { started } = await run({}, { topic: 'orders', consume: 3 });
    expect((await started).consumed).toEqual([]);
  });

  it('of which the broker names no partition is not passed over', async () => {
    const { started } = await run({ leaders: [] }, { topic: 'orders', message: 'hello' });
    await expect(started).rejects.toMatchObject({ code: 'topic_unanswered', exitCode: 5 });
  });

  it('whose leader is advertised under no name of a host is not looked for', async () => {
    const { started, log } = await run(
      { leaders: [2], hosts: ['one', 'two|three'] },
      { topic: 'orders', message: 'hello' },
    );
    await expect(started).rejects.toMatchObject({ code: 'address_unusable', exitCode: 5 });
    expect(log).toEqual(['one: connected', 'one: authenticated token-1', 'one: closed']);
  });

  it('without a leader cannot be used', async () => {
    const { started } = await run({ leaders: [-1] }, { topic: 'orders', message: 'hello' });
    await expect(started).rejects.toMatchObject({ code: 'leader_unavailable', exitCode: 5 });
  });
});

describe('a held session', () => {
  it('authenticates again with fresh tokens, in time', async () => {
    const { started, log } = await run(
      { authenticate: () => ({ sessionLifetimeMs: 3_000 }) },
      { holdMs: 10_000 },
    );
    expect((await started).held).toEqual({ ms: 10_000, reauthentications: 4 });
    expect(log.filter((line) => line.includes('authenticated'))).toEqual(
      [1, 2, 3, 4, 5].map((number) => `one: authenticated token-${number}`),
    );
  });

  it('waits a second at least between two authentications', async () => {
    const { started, clock } = await run(
      { authenticate: () => ({ sessionLifetimeMs: 500 }) },
      { holdMs: 3_000 },
    );
    await started;
    const { sleeps } = clock;
    expect(sleeps.slice(0, 2)).toEqual([1_000, expect.closeTo(100, 5)]);
  });

  it('ends with one token that nobody renews, and says so', async () => {
    let uses = 0;
    const { started, log } = await run(
      {
        authenticate: () => ({ sessionLifetimeMs: 3_000 }),
        use: () => {
          uses += 1;
          if (uses > 3) throw closed();
        },
      },
      { holdMs: 10_000, tokens: fixed },
    );
    await expect(started).rejects.toMatchObject({
      code: 'session_expired',
      exitCode: 6,
      message: expect.stringContaining('its session of 3 s'),
    });
    expect(log.at(-1)).toBe('one: closed');
  });

  it('that the broker ends long before is a failure of the network', async () => {
    const { started } = await run(
      {
        authenticate: () => ({ sessionLifetimeMs: 60_000 }),
        use: () => {
          throw closed();
        },
      },
      { holdMs: 10_000 },
    );
    await expect(started).rejects.toMatchObject({ code: 'connection_closed', exitCode: 5 });
  });

  it('whose fresh token is refused has the verdict refused', async () => {
    const answers: Partial<SaslAuthentication>[] = [
      { sessionLifetimeMs: 3_000 },
      { errorCode: 58, errorName: 'E', errorMessage: 'Token validation failed: Token not active' },
    ];
    const { started } = await run({ authenticate: () => answers.shift() ?? {} }, { holdMs: 10_000 });
    expect(await started).toMatchObject({
      refusal: { reason: 'inactive' },
      token: 'token-2',
      held: undefined,
    });
  });

  it('without an end is not renewed', async () => {
    const { started, log } = await run({}, { holdMs: 5_000 });
    expect((await started).held).toEqual({ ms: 5_000, reauthentications: 0 });
    expect(log).toHaveLength(3);
  });

  it('is closed when the run is interrupted', async () => {
    const { ctx, log, abort } = await setUp({ use: () => abort(new Error('interrupted')) });
    const started = connectToKafka(
      ctx,
      { bootstrap: [ONE], isTls: false, extensions: [], tokens: fixed, holdMs: 60_000 },
      () => {},
    );
    await expect(started).rejects.toThrow('interrupted');
    expect(log.at(-1)).toBe('one: closed');
  });
});
