import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OauthctlError } from '../../src/errors.ts';
import { createHttpClient } from '../../src/http/client.ts';
import type { Exchange, HttpRequest, TransportOptions } from '../../src/http/types.ts';
import { type Authority, type Certificate, makeAuthority, makeCertificate } from '../helpers/certificates.ts';
import { latch, silence } from '../helpers/wait.ts';
import { deadPort, httpServer, proxyServer, tcpServer, tlsServer } from './servers.ts';

const SECRET = 'correct-horse-battery';

/** A deadline that no test reaches: what should end before it, and does not, runs into the time limit of the test. */
const NEVER = 3_600_000;

/** Sends one request through a fresh transport. */
async function send(
  url: string,
  options: Partial<TransportOptions> = {},
  request: Partial<HttpRequest> = {},
  signal?: AbortSignal,
) {
  const exchanges: Exchange[] = [];
  const client = await createHttpClient(
    { connectTimeoutMs: NEVER, timeoutMs: NEVER, maxBodyBytes: 1_000, ...options },
    { record: (exchange) => exchanges.push(exchange) },
    Date.now,
  );
  const sent = client.send({ method: 'GET', url, endpoint: 'metadata', ...request }, signal);
  return { sent, exchanges };
}

/** The failure of a request that carries secrets: they must not be in it, and it must be recorded. */
async function failure(url: string, options: Partial<TransportOptions> = {}): Promise<OauthctlError> {
  const { sent, exchanges } = await send(url, options, {
    method: 'POST',
    headers: { authorization: `Basic ${SECRET}` },
    body: `client_secret=${SECRET}`,
  });
  const error: OauthctlError = await sent.then(
    (answer) => Promise.reject(new Error(`answered ${answer.status}`)),
    (thrown) => thrown,
  );
  expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain(SECRET);
  expect(exchanges).toHaveLength(1);
  expect(exchanges[0]).toMatchObject({ direction: 'out', request: { url }, failure: error.message });
  expect(exchanges[0]?.answer).toBeUndefined();
  return error;
}

const answerThen = (head: string, end: (socket: Socket) => void) =>
  tcpServer((socket) => {
    socket.once('data', () => socket.write(head, () => setImmediate(end, socket)));
  });

const HALF = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":';

afterEach(() => {
  vi.useRealTimers();
});

describe('an exchange', () => {
  it('sends what it is given, and returns the whole answer', async () => {
    const seen: unknown[] = [];
    const port = await httpServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { 'content-type': type, 'user-agent': agent, accept } = request.headers;
      seen.push([request.method, request.url, type, agent, accept, Buffer.concat(chunks).toString()]);
      response.setHeader('X-Two', ['a', 'b']);
      response.writeHead(403, { 'Content-Type': 'text/plain' });
      response.write('né');
      response.end('in');
    });
    const { sent, exchanges } = await send(
      `http://127.0.0.1:${port}/a/b?c=d%20e`,
      {},
      { method: 'POST', headers: { 'content-type': 'text/x' }, body: 'bödy', endpoint: 'token' },
    );
    const { url, ...answer } = await sent;
    expect(url).toBe(`http://127.0.0.1:${port}/a/b?c=d%20e`);
    expect(seen).toEqual([['POST', '/a/b?c=d%20e', 'text/x', 'oauthctl', 'application/json', 'bödy']]);
    expect(answer).toMatchObject({ status: 403, body: 'néin' });
    expect(answer.headers).toMatchObject({ 'x-two': 'a, b', 'content-type': 'text/plain' });
    expect(answer.ms).toBeGreaterThanOrEqual(0);
    expect(exchanges).toEqual([
      {
        direction: 'out',
        endpoint: 'token',
        startedAt: expect.any(Number),
        request: {
          method: 'POST',
          url: `http://127.0.0.1:${port}/a/b?c=d%20e`,
          headers: { 'user-agent': 'oauthctl', accept: 'application/json', 'content-type': 'text/x' },
          body: 'bödy',
        },
        answer,
      },
    ]);
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with %d', async (status) => {
    const paths: unknown[] = [];
    const port = await httpServer((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const { sent } = await send(`http://127.0.0.1:${port}/here`, {}, { headers: { authorization: SECRET } });
    expect(await sent).toMatchObject({ status, headers: { location: '/elsewhere' } });
    expect(paths).toEqual(['/here']);
  });

  it('has a connection of its own each time', async () => {
    const ports = new Set<unknown>();
    const port = await httpServer((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    const client = await createHttpClient(
      { connectTimeoutMs: NEVER, timeoutMs: NEVER, maxBodyBytes: 1_000 },
      { record() {} },
      Date.now,
    );
    const request = { method: 'GET', url: `http://127.0.0.1:${port}/`, endpoint: 'metadata' } as const;
    await client.send(request);
    await client.send(request);
    expect(ports.size).toBe(2);
  });
});

describe('a connection', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]'])('to %s that is refused names host and port', async (host) => {
    const port = await deadPort();
    expect(await failure(`http://${host}:${port}/path`)).toMatchObject({
      code: 'connection_refused',
      exitCode: 5,
      message: `${host}:${port} refused the connection`,
      maybeHandled: false,
    });
  });

  it('to an unknown host names it', async () => {
    // A label of more than 63 characters is no name: no name server is asked for it.
    const host = `${'x'.repeat(64)}.invalid`;
    expect(await failure(`https://${host}/`)).toMatchObject({
      code: 'dns',
      exitCode: 5,
      message: expect.stringContaining(`the host name ${host} could not be resolved`),
      maybeHandled: false,
    });
  });

  it.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
  ])(
    'that is %s before the answer says so, and that the request may have been handled',
    async (_how, end) => {
      const port = await tcpServer((socket) => socket.once('data', () => end(socket)));
      expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({
        code: 'connection_reset',
        exitCode: 5,
        message: `127.0.0.1:${port} closed the connection without an answer`,
        maybeHandled: true,
      });
    },
  );

  it.each([
    ['reset', HALF, (socket: Socket) => socket.resetAndDestroy()],
    ['closed', HALF, (socket: Socket) => socket.end()],
    [
      'closed',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n',
      (socket: Socket) => socket.end(),
    ],
  ])('that is %s in the middle of the answer says so', async (_how, head, end) => {
    const port = await answerThen(head, end);
    expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({
      code: 'connection_reset',
      exitCode: 5,
      message: `127.0.0.1:${port} closed the connection in the middle of its answer`,
      maybeHandled: true,
    });
  });

  it('to what speaks another protocol says that it is not HTTP', async () => {
    const port = await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({
      code: 'not_http',
      exitCode: 5,
      message: expect.stringContaining(`the answer of 127.0.0.1:${port} is not HTTP`),
    });
  });
});

describe('an answer', () => {
  it.each([
    ['that never comes', '', 'http', 'did not answer within 30 s'],
    ['behind a TLS handshake that never ends', '', 'https', 'did not answer within 30 s'],
    ['that stops half-way', HALF, 'http', 'did not finish its answer within 30 s'],
  ])('%s ends at the deadline', async (_what, head, scheme, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const heard = latch();
    const port = await tcpServer((socket) => {
      socket.once('data', () => (head === '' ? heard.open() : socket.write(head, heard.open)));
    });
    const failing = failure(`${scheme}://127.0.0.1:${port}/`, { timeoutMs: 30_000 });
    await heard.opened;
    // What was written has arrived, since both ends are in this process.
    await silence();
    vi.advanceTimersByTime(30_000);
    expect(await failing).toMatchObject({
      code: 'answer_timeout',
      exitCode: 6,
      message: `127.0.0.1:${port} ${message}`,
    });
  });

  it('has the time that its request gives it, before the transport’s', async () => {
    const port = await tcpServer(() => {});
    const { sent } = await send(`http://127.0.0.1:${port}/`, { timeoutMs: 60_000 }, { timeoutMs: 40 });
    await expect(sent).rejects.toMatchObject({
      code: 'answer_timeout',
      message: expect.stringContaining('0.04 s'),
    });
  });

  it('may take longer than a timer can hold', async () => {
    const port = await httpServer();
    const { sent } = await send(`http://127.0.0.1:${port}/`, { timeoutMs: 1e12 });
    expect(await sent).toMatchObject({ status: 200 });
  });

  it.each([
    ['in pieces', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n'.concat('x'.repeat(2_000))],
    ['by its length', 'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'],
    ['in its headers', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(20_000)}\r\n`],
  ])('that is too large %s is given up at once', async (_how, head) => {
    const port = await answerThen(head, () => {});
    expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({
      code: 'answer_too_large',
      exitCode: 5,
      message: `the answer of 127.0.0.1:${port} is larger than oauthctl reads`,
    });
  });

  it('may be as large as the limit', async () => {
    const port = await httpServer((_request, response) => response.end('x'.repeat(1_000)));
    const { sent } = await send(`http://127.0.0.1:${port}/`);
    expect((await sent).body).toHaveLength(1_000);
  });
});

describe('an aborted exchange', () => {
  it('fails with the signal’s own reason, and closes the connection', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let closed: Promise<unknown> | undefined;
    const port = await tcpServer((socket) => {
      closed = once(socket, 'close');
      socket.once('data', () => abort.abort(reason));
    });
    const { sent, exchanges } = await send(`http://127.0.0.1:${port}/`, {}, {}, abort.signal);
    await expect(sent).rejects.toBe(reason);
    await closed;
    expect(exchanges).toMatchObject([{ failure: 'enough' }]);
  });

  it('ends at once while it is still connecting', async () => {
    const abort = new AbortController();
    const port = await tcpServer(() => abort.abort(new Error('enough')));
    const { sent } = await send(`https://127.0.0.1:${port}/`, {}, {}, abort.signal);
    await expect(sent).rejects.toThrow('enough');
  });

  it('sends nothing when it was aborted before', async () => {
    let connections = 0;
    const port = await tcpServer(() => {
      connections += 1;
    });
    const { sent } = await send(`http://127.0.0.1:${port}/`, {}, {}, AbortSignal.abort(new Error('before')));
    await expect(sent).rejects.toThrow('before');
    expect(connections).toBe(0);
  });
});

describe('over TLS', () => {
  let authority: Authority;
  let server: Certificate;
  let client: Certificate;

  beforeAll(() => {
    authority = makeAuthority('Authority of a test');
    server = makeCertificate('server', { authority });
    client = makeCertificate('client', { authority });
  });

  const url = async (port: Promise<number>) => `https://127.0.0.1:${await port}/`;

  it('a certificate of an own authority is accepted with its PEM', async () => {
    const { sent } = await send(await url(tlsServer(server)), { ca: authority.cert });
    expect(await sent).toMatchObject({ status: 200, body: '{"ok":true}' });
  });

  it('several authorities may stand in one PEM', async () => {
    const ca = makeAuthority('Another').cert + authority.cert;
    const { sent } = await send(await url(tlsServer(server)), { ca });
    expect(await sent).toMatchObject({ status: 200 });
  });

  it('any certificate is accepted when told so', async () => {
    const wrong = makeCertificate('wrong', { names: ['other.example'], until: -10 });
    const { sent } = await send(await url(tlsServer(wrong)), { insecure: true });
    expect(await sent).toMatchObject({ status: 200 });
  });

  it.each([
    ['self-signed', () => makeCertificate('self'), 'its certificate is self-signed', /--ca-cert/],
    [
      'of an unknown authority',
      () => server,
      'its certificate is signed by an authority that is not trusted',
      /--ca-cert/,
    ],
    [
      'with its unknown authority',
      () => ({ ...server, cert: server.cert + authority.cert }),
      'its certificate chain ends in a self-signed certificate that is not trusted',
      /--ca-cert/,
    ],
  ])('a certificate %s is refused', async (_what, make, reason, hint) => {
    const port = await tlsServer(make());
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({
      code: 'tls',
      exitCode: 5,
      message: `the TLS connection to 127.0.0.1:${port} failed: ${reason}`,
      hint: expect.stringMatching(hint),
      maybeHandled: false,
    });
  });

  it.each([
    ['for another name', { names: ['other.example'] }, /its certificate is for another name/],
    ['that has expired', { until: -3_600 }, /its certificate has expired/],
    ['that is not valid yet', { from: 3_600 }, /its certificate is not valid yet/],
  ])('a certificate %s is refused, although its authority is trusted', async (_what, options, reason) => {
    const port = await tlsServer(makeCertificate('server', { ...options, authority }));
    expect(await failure(`https://127.0.0.1:${port}/`, { ca: authority.cert })).toMatchObject({
      code: 'tls',
      exitCode: 5,
      message: expect.stringMatching(reason),
    });
  });

  it('a port without TLS says that it does not speak it', async () => {
    const port = await httpServer();
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({
      code: 'tls',
      message: `127.0.0.1:${port} does not speak TLS on this port`,
      hint: 'Check the port. A server on this machine that speaks plain HTTP is addressed by http://.',
    });
  });

  it('a connection that ends during the handshake says so', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.end()));
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({
      code: 'tls',
      message: `127.0.0.1:${port} closed the connection during the TLS handshake`,
    });
  });

  it('a connection that TLS gives up later says why, and that the request may have been handled', async () => {
    let spoil = () => {};
    const upstream = await tlsServer(server, () => spoil());
    const port = await tcpServer((socket) => {
      const tls = connect(upstream, '127.0.0.1');
      tls.on('error', () => {}).pipe(socket, { end: false });
      socket.on('data', (data) => tls.write(data));
      // A record that nobody has encrypted, once the request has arrived.
      spoil = () => socket.write(Buffer.from(`1703030020${'00'.repeat(32)}`, 'hex'));
    });
    expect(await failure(`https://127.0.0.1:${port}/`, { ca: authority.cert })).toMatchObject({
      code: 'tls',
      exitCode: 5,
      message: expect.stringMatching(/the TLS connection to .* failed: .*bad record mac/),
      maybeHandled: true,
    });
  });

  it('plain HTTP to a port with TLS hints at https', async () => {
    const port = await tlsServer(server);
    expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({
      code: 'connection_reset',
      exitCode: 5,
      hint: expect.stringContaining('or the port speaks HTTPS'),
    });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a server that asks for a client certificate (%s) hints at --cert and --key',
    async (version) => {
      const port = await tlsServer({
        ...server,
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      });
      expect(await failure(`https://127.0.0.1:${port}/`, { ca: authority.cert })).toMatchObject({
        exitCode: 5,
        message: expect.stringContaining(`127.0.0.1:${port}`),
        hint: expect.stringContaining('--cert, --key'),
      });
    },
  );

  it('a client certificate is shown to the server that asks for it', async () => {
    const port = await tlsServer(
      { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        const { subject } = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
        response.end(subject.CN);
      },
    );
    const { sent } = await send(`https://127.0.0.1:${port}/`, { ca: authority.cert, ...client });
    expect((await sent).body).toBe('client');
  });

  it.each([
    [
      'a file without certificate as authority',
      () => ({ ca: 'nonsense' }),
      /--ca-cert contains no certificate/,
    ],
    ['a certificate without its key', () => ({ cert: client.cert }), /private key belong together/],
    ['a key without its certificate', () => ({ key: client.key }), /private key belong together/],
    [
      'another certificate’s key',
      () => ({ cert: client.cert, key: server.key }),
      /cannot be used: key values mismatch/,
    ],
    ['a certificate that is none', () => ({ cert: 'nonsense', key: client.key }), /cannot be used/],
  ])('%s is reported before anything is sent', async (_what, options, message) => {
    await expect(send('https://127.0.0.1:1/', options())).rejects.toMatchObject({
      code: 'certificate_unusable',
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });
});

describe('through a proxy', () => {
  it('http goes in absolute form, with the proxy’s credentials', async () => {
    const [port, proxy] = await Promise.all([httpServer(), proxyServer()]);
    const httpProxy = `http://user:p%40ss@127.0.0.1:${proxy.port}`;
    const { sent, exchanges } = await send(`http://127.0.0.1:${port}/path`, { httpProxy });
    expect(await sent).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(proxy.seen).toEqual([
      {
        method: 'GET',
        target: `http://127.0.0.1:${port}/path`,
        authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      },
    ]);
    expect(exchanges).toMatchObject([{ request: { url: `http://127.0.0.1:${port}/path`, headers: {} } }]);
  });

  it('https goes in a tunnel, its certificate checked', async () => {
    const authority = makeAuthority('Authority of a test');
    const [port, proxy] = await Promise.all([
      tlsServer(makeCertificate('server', { authority })),
      proxyServer(),
    ]);
    const httpsProxy = `127.0.0.1:${proxy.port}`;
    const { sent } = await send(`https://127.0.0.1:${port}/`, { httpsProxy, ca: authority.cert });
    expect(await sent).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(proxy.seen).toEqual([
      { method: 'CONNECT', target: `127.0.0.1:${port}`, authorization: undefined },
    ]);
    expect(await failure(`https://127.0.0.1:${port}/`, { httpsProxy })).toMatchObject({
      code: 'tls',
      message: expect.stringContaining(`127.0.0.1:${port} (through the proxy 127.0.0.1:${proxy.port})`),
    });
  });

  it('nothing goes that NO_PROXY exempts, or that is of the other scheme', async () => {
    const [port, proxy] = await Promise.all([httpServer(), proxyServer()]);
    const address = `http://127.0.0.1:${proxy.port}`;
    for (const options of [{ httpProxy: address, noProxy: 'localhost,127.0.0.1' }, { httpsProxy: address }]) {
      const { sent } = await send(`http://127.0.0.1:${port}/`, options);
      expect(await sent).toMatchObject({ status: 200 });
    }
    expect(proxy.seen).toEqual([]);
  });

  it.each(['http', 'https'])('%s names the proxy when that refuses the connection', async (scheme) => {
    const proxy = `http://user:${SECRET}@127.0.0.1:${await deadPort()}`;
    expect(await failure(`${scheme}://as.example/`, { httpProxy: proxy, httpsProxy: proxy })).toMatchObject({
      code: 'connection_refused',
      message: `the proxy 127.0.0.1:${new URL(proxy).port} refused the connection`,
    });
  });

  it.each([
    ['http', 407, /requires credentials/],
    ['https', 407, /requires credentials/],
    ['https', 403, /allows that host and port/],
  ])('%s says that the proxy answered with %d', async (scheme, status, hint) => {
    const { port } = await proxyServer(status);
    const proxy = `http://127.0.0.1:${port}`;
    expect(
      await failure(`${scheme}://as.example:81/`, { httpProxy: proxy, httpsProxy: proxy }),
    ).toMatchObject({
      code: 'proxy_refused',
      exitCode: 5,
      message: `the proxy 127.0.0.1:${port} refused the exchange with as.example:81 (status ${status})`,
      hint: expect.stringMatching(hint),
    });
  });

  it('a proxy that hangs up is tried once', async () => {
    let connections = 0;
    const port = await tcpServer((socket) => {
      connections += 1;
      socket.once('data', () => socket.end());
    });
    expect(await failure('https://as.example/', { httpsProxy: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 'connection_reset',
      message: expect.stringContaining(`as.example:443 (through the proxy 127.0.0.1:${port})`),
    });
    expect(connections).toBe(1);
  });

  it('a proxy that never answers ends at the deadline', async () => {
    const port = await tcpServer(() => {});
    const httpsProxy = `http://127.0.0.1:${port}`;
    expect(await failure('https://as.example/', { httpsProxy, timeoutMs: 50 })).toMatchObject({
      code: 'answer_timeout',
    });
  });
});
