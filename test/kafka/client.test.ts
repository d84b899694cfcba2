import { describe, expect, it } from 'vitest';
import type { Exchange, TransportOptions } from '../../src/context.ts';
import { createKafkaClient } from '../../src/kafka/client.ts';
import { makeCertificate } from '../helpers/certificates.ts';
import { deadPort, httpServer, tcpServer, tlsServer } from '../http/servers.ts';
import {
  API,
  answers,
  type BrokerAnswer,
  type BrokerRequest,
  broker,
  int32,
  reply,
  SPOKEN,
} from './broker.ts';

const open = new AbortController().signal;

/** Milliseconds; a deadline that no test reaches. */
const NEVER = 3_600_000;

function clientWith(options: Partial<TransportOptions> = {}) {
  const exchanges: Exchange[] = [];
  const client = createKafkaClient(
    { connectTimeoutMs: NEVER, timeoutMs: NEVER, maxBodyBytes: 1, ...options },
    { record: (exchange) => exchanges.push(exchange) },
    Date.now,
  );
  return { client, exchanges };
}

/** Connects and asks for the versions. */
async function connected(
  answer: (request: BrokerRequest, port: number) => BrokerAnswer | undefined,
  options: Partial<TransportOptions> = {},
) {
  const address = await broker((request, port) =>
    request.api === API.apiVersions ? SPOKEN : answer(request, port),
  );
  const { client, exchanges } = clientWith(options);
  const connection = await client.connect(address, { tls: false }, open);
  await connection.apiVersions(open);
  return { address, connection, exchanges };
}

describe('a connection to a broker', () => {
  it('authenticates: mechanisms, code, text and session of the answers', async () => {
    const { address, connection, exchanges } = await connected(({ api }) =>
      api === API.saslHandshake
        ? answers.saslHandshake(['PLAIN', 'OAUTHBEARER'])
        : answers.saslAuthenticate({ lifetimeMs: 3_000 }),
    );
    expect(await connection.saslHandshake('OAUTHBEARER', open)).toMatchObject({
      errorCode: 0,
      errorName: 'NONE',
      mechanisms: ['PLAIN', 'OAUTHBEARER'],
    });
    expect(await connection.saslAuthenticate('n,,\x01auth=Bearer the-token\x01\x01', open)).toMatchObject({
      errorCode: 0,
      errorMessage: undefined,
      authBytes: '',
      sessionLifetimeMs: 3_000,
    });
    // Behind its length, in four bytes.
    expect(address.requests.at(-1)?.body.subarray(4).toString()).toBe('n,,\x01auth=Bearer the-token\x01\x01');
    expect(exchanges.map(({ request }) => request.method)).toEqual([
      'ApiVersions v2',
      'SaslHandshake v1',
      'SaslAuthenticate v1',
    ]);
    connection.close();
    await connection.ended;
  });

  it('hands a refusal and a challenge on, and throws for neither', async () => {
    const refused = { errorCode: 58, errorMessage: 'Token expired at: …', text: '' };
    const challenged = { errorCode: 0, text: '{"status":"invalid_token"}' };
    const given = [refused, challenged];
    const { connection } = await connected(() => answers.saslAuthenticate(given.shift()));
    expect(await connection.saslAuthenticate('x', open)).toMatchObject({
      errorCode: 58,
      errorName: 'SASL_AUTHENTICATION_FAILED',
      errorMessage: 'Token expired at: …',
    });
    expect(await connection.saslAuthenticate('x', open)).toMatchObject({ authBytes: challenged.text });
  });

  it('reads the beginning of a long text only', async () => {
    // The text of an error is at most 32 KB long in the protocol.
    const errorMessage = 'a'.repeat(30_000);
    const text = 'b'.repeat(1_000_000);
    const { connection } = await connected(() =>
      answers.saslAuthenticate({ errorCode: 58, errorMessage, text }),
    );
    const answer = await connection.saslAuthenticate('x', open);
    expect(answer.errorMessage).toHaveLength(16 * 1024);
    expect(answer.authBytes).toHaveLength(16 * 1024);
  });

  it('takes an answer that comes byte by byte', async () => {
    const { connection } = await connected(() => (socket, { correlationId }) => {
      const body = answers.saslHandshake(['OAUTHBEARER']);
      const frame = Buffer.concat([int32(body.length + 4), int32(correlationId), body]);
      const next = (at: number) => {
        if (at < frame.length) socket.write(frame.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    });
    expect(await connection.saslHandshake('OAUTHBEARER', open)).toMatchObject({
      mechanisms: ['OAUTHBEARER'],
    });
  });

  it('asks in an older version where the broker does not know the newest', async () => {
    const unsupported = answers.apiVersions([], 35);
    const address = await broker(({ version }) => (version === 2 ? unsupported : SPOKEN.subarray(0, -4)));
    const connection = await clientWith().client.connect(address, { tls: false }, open);
    expect(await connection.apiVersions(open)).toMatchObject({ count: 4 });
    expect(address.requests.map(({ version }) => version)).toEqual([2, 1]);
  });

  it('says what a topic was refused for, and that an API is missing', async () => {
    const { connection } = await connected((_, port) =>
      answers.metadata(port, { name: 'orders', errorCode: 29 }),
    );
    await expect(connection.metadata(['orders'], open)).rejects.toMatchObject({
      code: 'topic_authorization_failed',
      exitCode: 3,
      hint: expect.stringContaining('The token was accepted'),
    });
    await expect(connection.offsets({ topic: 'orders', partition: 0 }, open)).rejects.toMatchObject({
      code: 'api_unsupported',
      exitCode: 5,
    });
  });

  it('reads nodes and topics', async () => {
    const { connection, address } = await connected((_, port) => answers.metadata(port, { name: 'orders' }));
    expect(await connection.metadata([], open)).toMatchObject({
      nodes: [{ nodeId: 1, host: '127.0.0.1', port: address.port }],
      topics: [{ topic: 'orders', partitions: [] }],
    });
  });
});

describe('what is no answer of a broker', () => {
  it.each<[string, BrokerAnswer, string]>([
    [
      'a number of another request',
      (socket) => reply(socket, { correlationId: 77 }, SPOKEN),
      'answer_invalid',
    ],
    ['an answer that ends early', Buffer.of(0), 'answer_invalid'],
    ['a negative length', (socket) => socket.write(int32(-5)), 'answer_invalid'],
    ['a length beyond all reason', (socket) => socket.write(int32(2_000_000_000)), 'answer_too_large'],
    [
      'more than was asked for',
      (socket, request) => {
        const body = Buffer.concat([int32(SPOKEN.length + 4), int32(request.correlationId), SPOKEN]);
        socket.write(Buffer.concat([body, body]));
      },
      'answer_invalid',
    ],
    ['an end of the connection', (socket) => socket.end(), 'connection_closed'],
    ['a reset', (socket) => socket.resetAndDestroy(), 'connection_closed'],
  ])('%s', async (_, answer, code) => {
    const connection = await clientWith().client.connect(await broker(() => answer), { tls: false }, open);
    await expect(connection.apiVersions(open)).rejects.toMatchObject({ code, exitCode: 5 });
    await connection.ended;
    // What is over stays over.
    await expect(connection.saslHandshake('OAUTHBEARER', open)).rejects.toMatchObject({ exitCode: 5 });
  });

  it('silence, for as long as the deadline', async () => {
    const { client, exchanges } = clientWith({ timeoutMs: 50 });
    const connection = await client.connect(await broker(() => undefined), { tls: false }, open);
    await expect(connection.apiVersions(open)).rejects.toMatchObject({ code: 'answer_timeout', exitCode: 6 });
    expect(exchanges).toMatchObject([{ failure: expect.stringContaining('did not answer within 0.05 s') }]);
  });

  it('an interruption ends the wait with its own reason', async () => {
    const abort = new AbortController();
    const connection = await clientWith().client.connect(
      await broker(() => () => abort.abort(new Error('interrupted'))),
      { tls: false },
      abort.signal,
    );
    await expect(connection.apiVersions(abort.signal)).rejects.toThrow('interrupted');
  });

  it('HTTP', async () => {
    const connection = await clientWith().client.connect(
      { host: '127.0.0.1', port: await httpServer() },
      { tls: false },
      open,
    );
    await expect(connection.apiVersions(open)).rejects.toMatchObject({ code: 'not_kafka', exitCode: 5 });
  });
});

describe('connecting', () => {
  const failsWith = async (port: number, tls: boolean, options: Partial<TransportOptions> = {}) => {
    const { client } = clientWith(options);
    return client.connect({ host: '127.0.0.1', port }, { tls }, open).then(
      () => 'connected',
      (error) => error,
    );
  };

  it('fails where nobody listens, or nobody has the name', async () => {
    expect(await failsWith(await deadPort(), false)).toMatchObject({
      code: 'connection_refused',
      exitCode: 5,
    });
    const { client } = clientWith();
    await expect(
      client.connect({ host: 'no.such.host.invalid', port: 1 }, { tls: false }, open),
    ).rejects.toMatchObject({
      code: 'dns',
    });
  });

  it('speaks TLS with an authority that is trusted, and not with another', async () => {
    const certificate = makeCertificate('127.0.0.1');
    const port = await tlsServer(certificate);
    expect(await failsWith(port, true)).toMatchObject({
      code: 'tls',
      hint: expect.stringContaining('--ca-cert'),
    });
    const { client } = clientWith({ ca: certificate.cert });
    const connection = await client.connect({ host: '127.0.0.1', port }, { tls: true }, open);
    expect(connection.tls).toMatchObject({ protocol: 'TLSv1.3' });
    connection.close();
    expect(await failsWith(port, true, { insecure: true })).toBe('connected');
  });

  it('names a port in clear where TLS was meant, whether it closes, answers or keeps silent', async () => {
    const inClear = { code: 'tls', hint: expect.stringContaining('omit --ssl') };
    expect(await failsWith(await tcpServer((socket) => socket.end()), true)).toMatchObject(inClear);
    expect(
      await failsWith(await tcpServer((socket) => socket.write('HTTP/1.1 400\r\n\r\n')), true),
    ).toMatchObject(inClear);
    expect(await failsWith(await tcpServer(() => {}), true, { connectTimeoutMs: 50 })).toMatchObject({
      code: 'connect_timeout',
      exitCode: 6,
    });
  });

  it('names a port of TLS where clear text was meant', async () => {
    const port = await tlsServer(makeCertificate('127.0.0.1'));
    const { client } = clientWith();
    const connection = await client.connect({ host: '127.0.0.1', port }, { tls: false }, open);
    await expect(connection.apiVersions(open)).rejects.toMatchObject({
      exitCode: 5,
      hint: expect.stringMatching(/add --ssl/i),
    });
  });
});
