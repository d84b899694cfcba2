import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Exchange } from '../../src/context.ts';
import { UsageError, ValidationError } from '../../src/errors.ts';
import { renderExchange, renderTraceLine } from '../../src/output/exchange.ts';
import { Redactor } from '../../src/redact.ts';
import {
  type AuthenticationDeviceOptions,
  listenAuthenticationDevice,
  type ReceivedDelegation,
} from '../../src/servers/authentication-device.ts';
import { parseListenAddress } from '../../src/servers/listen-address.ts';

type Body = NonNullable<RequestInit['body']>;

const LIMIT = 64 * 1024;
const LISTEN = { host: '127.0.0.1', port: 0, path: '/api/v1/auth' };

/** A device that trusts every bearer, unless the options say otherwise. */
async function startServer(options: Partial<AuthenticationDeviceOptions> = {}) {
  const received: ReceivedDelegation[] = [];
  const answered: ReceivedDelegation[] = [];
  const refused: [reason: string, status: number][] = [];
  const errors: unknown[] = [];
  const exchanges: Exchange[] = [];
  let time = 1_000;
  const server = await listenAuthenticationDevice(
    {
      listen: LISTEN,
      status: 201,
      checkBearer: async () => {},
      onReceived: (delegation) => received.push(delegation),
      onAnswered: (delegation) => answered.push(delegation),
      onRefused: (reason, status) => refused.push([reason, status]),
      onError: (error) => errors.push(error),
      ...options,
    },
    { record: (exchange) => exchanges.push(exchange) },
    () => {
      time += 1;
      return time;
    },
  );
  onTestFinished(() => server.close());
  const post = (body: Body, headers: Record<string, string> = {}) =>
    fetch(server.url, {
      method: 'POST',
      headers: { authorization: 'Bearer the-bearer', 'content-type': 'application/json', ...headers },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit);
  /** Speaks to the server without a client library in between. */
  const raw = async (text: string): Promise<{ socket: Socket; answer: Promise<string> }> => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('error', () => {});
    const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(heard)));
    await once(socket, 'connect');
    socket.write(text);
    return { socket, answer };
  };
  return { server, received, answered, refused, errors, exchanges, post, raw };
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the authentication device', () => {
  it.each<[string, Body, Record<string, string>]>([
    ['JSON', JSON.stringify({ login_hint: 'cl-taro', is_consent_required: false }), {}],
    [
      'JSON with a charset',
      '{"login_hint":"cl-taro","is_consent_required":false}',
      {
        'content-type': 'application/json; charset=utf-8',
      },
    ],
    [
      'JSON of no stated type',
      '{"login_hint":"cl-taro","is_consent_required":false}',
      {
        'content-type': '',
      },
    ],
    ['a form', 'login_hint=cl-taro&is_consent_required=false', form],
    [
      'a form, shouted',
      'login_hint=cl-taro&is_consent_required=false',
      {
        'content-type': 'Application/X-WWW-Form-URLencoded; charset=UTF-8',
      },
    ],
  ])('takes %s', async (_what, body, headers) => {
    const { post, received, answered, refused } = await startServer();
    const answer = await post(body, headers);
    expect(answer.status).toBe(201);
    expect(await answer.text()).toBe('');
    const delegation = {
      bearer: 'the-bearer',
      status: 201,
      login_hint: 'cl-taro',
      scope: undefined,
      binding_message: undefined,
      acr_values: undefined,
      is_consent_required: false,
    };
    expect(received).toEqual([delegation]);
    expect(answered).toEqual([delegation]);
    expect(refused).toEqual([]);
  });

  it('leaves alone what it does not know, and shows no secret of it', async () => {
    const { post, received, exchanges } = await startServer();
    const body = {
      login_hint: 'cl-taro',
      scope: ['not', 'text'],
      binding_message: '',
      client_secret: 'leaked-secret',
      nested: { client_secret: 'leaked-deeper' },
    };
    expect((await post(JSON.stringify(body))).status).toBe(201);
    expect((await post('login_hint=cl-taro&client_secret=leaked-form', form)).status).toBe(201);
    expect(received).toMatchObject([{ scope: undefined, binding_message: undefined }, {}]);
    expect(JSON.stringify(received)).not.toContain('leaked');
    const redactor = new Redactor();
    const shown = exchanges
      .map((one) => renderExchange(one, redactor) + renderTraceLine(one, redactor))
      .join('');
    expect(shown.match(/client_secret/g)?.length).toBeGreaterThanOrEqual(6);
    expect(shown).not.toContain('leaked');
    expect(shown).not.toContain('the-bearer');
  });

  it('records each exchange as received, answered ones and refused ones', async () => {
    const { post, server, exchanges } = await startServer();
    await post('{}');
    await fetch(server.url);
    expect(exchanges).toMatchObject([
      {
        direction: 'in',
        endpoint: 'authentication_device',
        request: { method: 'POST', url: '/api/v1/auth', body: '{}' },
        answer: { status: 201 },
      },
      { direction: 'in', request: { method: 'GET' }, answer: { status: 405 } },
    ]);
  });

  it('answers what it is told to answer, to provoke the server', async () => {
    const { post, received, answered } = await startServer({ status: 503 });
    expect((await post('{}')).status).toBe(503);
    expect(received).toMatchObject([{ status: 503 }]);
    expect(answered).toMatchObject([{ status: 503 }]);
  });

  it('has received before the answer leaves, and answered after', async () => {
    const order: string[] = [];
    const { post } = await startServer({
      onReceived: () => order.push('received'),
      onAnswered: () => order.push('answered'),
    });
    await post('{}');
    expect(order).toEqual(['received', 'answered']);
  });

  it.each([
    ['no authorization', '', /^no bearer token$/],
    ['Basic', 'Basic dXNlcjpwYXNzd29yZA==', /^no bearer token$/],
    ['a bearer with a space in it', 'Bearer a b', /^no bearer token$/],
  ])('answers 401 to %s', async (_what, authorization, reason) => {
    const { post, refused, received } = await startServer();
    const answer = await post('{}', { authorization });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(refused).toEqual([[expect.stringMatching(reason), 401]]);
    expect(received).toEqual([]);
  });

  it('answers 401 to a bearer that must not be trusted', async () => {
    const asked: string[] = [];
    const { post, refused, received } = await startServer({
      checkBearer: async (bearer) => {
        asked.push(bearer);
        throw new ValidationError('bearer_invalid', 'the bearer token is not trusted: it is not ours');
      },
    });
    const answer = await post('{}');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(asked).toEqual(['the-bearer']);
    expect(refused).toEqual([['the bearer token is not trusted: it is not ours', 401]]);
    expect(received).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['half a JSON object', '{"login_hint":"cl'],
    ['an array', '[]'],
    ['null', 'null'],
    ['XML', '<login_hint/>'],
  ])('answers 400 to a body of %s', async (_what, body) => {
    const { post, refused } = await startServer();
    expect((await post(body)).status).toBe(400);
    expect(refused).toEqual([['a body that is neither a JSON object nor a form', 400]]);
  });

  it.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('answers 405 to %s', async (method) => {
    const { server, refused } = await startServer();
    const answer = await fetch(server.url, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(refused).toEqual([[`a ${method} where a POST belongs`, 405]]);
  });

  it.each(['/', '/api/v1', '/api/v1/auth/', '/api/v1/auth/callback', '/API/v1/auth'])(
    'answers 404 to %s',
    async (path) => {
      const { server, received } = await startServer();
      const answer = await fetch(new URL(path, server.url), { method: 'POST', body: '{}' });
      expect(answer.status).toBe(404);
      expect(received).toEqual([]);
    },
  );

  it.each(['//', '//[', 'http://[/api/v1/auth', '/%zz'])(
    'answers 404 to the odd target %s, and lives on',
    async (target) => {
      const { raw, post, errors } = await startServer();
      const { answer } = await raw(`POST ${target} HTTP/1.1\r\nhost: device\r\ncontent-length: 0\r\n\r\n`);
      expect(await answer).toMatch(/^HTTP\/1\.1 404 /);
      expect((await post('{}')).status).toBe(201);
      expect(errors).toEqual([]);
    },
  );

  it('finds its path beside a query', async () => {
    const { server, received } = await startServer();
    const answer = await fetch(`${server.url}?a=b`, {
      method: 'POST',
      headers: { authorization: 'Bearer the-bearer' },
      body: '{}',
    });
    expect(answer.status).toBe(201);
    expect(received).toHaveLength(1);
  });

  it('takes a body of 64 KiB to the byte', async () => {
    const { post, received } = await startServer();
    const frame = JSON.stringify({ binding_message: '' });
    const text = 'x'.repeat(LIMIT - frame.length);
    expect((await post(JSON.stringify({ binding_message: text }))).status).toBe(201);
    expect(received[0]?.binding_message).toHaveLength(text.length);
  });

  it.each<[string, () => Body]>([
    ['one byte too long', () => `${' '.repeat(LIMIT - 1)}{}`],
    ['half a megabyte long', () => 'x'.repeat(512 * 1024)],
    ['too long and of no stated length', () => new Blob(['x'.repeat(100_000)]).stream()],
  ])('answers 413 to a body that is %s', async (_what, body) => {
    const { post, received, exchanges } = await startServer();
    expect((await post(body())).status).toBe(413);
    expect(received).toEqual([]);
    expect(exchanges).toMatchObject([{ request: { body: '' }, answer: { status: 413 } }]);
  });

  it('hears a body that is too long to its end, so that the sender lives to see the 413', async () => {
    const { raw, received } = await startServer();
    const chunk = `${(70_000).toString(16)}\r\n${'x'.repeat(70_000)}\r\n`;
    const { socket, answer } = await raw(
      `POST /api/v1/auth HTTP/1.1\r\nhost: device\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
    );
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(socket.readableEnded).toBe(false);
    socket.write(`${chunk}0\r\n\r\n`);
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(received).toEqual([]);
  });

  it('breaks off a body without end', async () => {
    const { raw } = await startServer();
    const { socket, answer } = await raw(
      'POST /api/v1/auth HTTP/1.1\r\nhost: device\r\ncontent-length: 999999999\r\n\r\n',
    );
    let sent = 0;
    while (!socket.destroyed && sent < 64 * 1024 * 1024) {
      const chunk = 'x'.repeat(256 * 1024);
      sent += chunk.length;
      await new Promise<void>((resolve) => {
        socket.write(chunk, () => resolve());
      });
    }
    await answer;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('counts no delegation whose sender broke off in the middle', async () => {
    const { raw, post, received, exchanges, errors } = await startServer();
    const { socket } = await raw(
      'POST /api/v1/auth HTTP/1.1\r\nhost: device\r\nauthorization: Bearer half\r\ncontent-length: 100\r\n\r\n{"a"',
    );
    socket.destroy();
    expect((await post('{}')).status).toBe(201);
    expect(received.map(({ bearer }) => bearer)).toEqual(['the-bearer']);
    expect(exchanges).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('answers 500 to what it cannot handle, says so, and lives on', async () => {
    const defect = new TypeError('a defect of ours');
    let broken = true;
    const { post, errors } = await startServer({
      checkBearer: async () => {
        if (broken) throw defect;
      },
    });
    expect((await post('{}')).status).toBe(500);
    expect(errors).toEqual([defect]);
    broken = false;
    expect((await post('{}')).status).toBe(201);
  });
});

describe('its listener', () => {
  it('says on which port it is reached', async () => {
    const { server } = await startServer();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/api\/v1\/auth$/);
  });

  it('ends open connections when it closes, idle ones and half requests', async () => {
    const { server, raw } = await startServer();
    const idle = await raw('');
    const half = await raw('POST /api/v1/auth HTTP/1.1\r\nhost: de');
    await server.close();
    expect(await idle.answer).toBe('');
    expect(await half.answer).toBe('');
    await expect(fetch(server.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('that finds its port in use says so, and how to go on: exit 2', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as { port: number };
    const failure = await startServer({ listen: { ...LISTEN, port } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure).toMatchObject({
      code: 'address_in_use',
      exitCode: 2,
      message: `127.0.0.1:${port} is in use by another program`,
      hint: expect.stringContaining('--listen'),
    });
  });

  it('that may not have its address says so: exit 2', async () => {
    // An address of documentation (RFC 5737), which no machine has.
    const listen = { ...LISTEN, host: '192.0.2.1' };
    const failure = await startServer({ listen }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'address_unavailable', exitCode: 2 });
  });
});

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:3000/api/v1/auth', { host: '127.0.0.1', port: 3000, path: '/api/v1/auth' }],
    ['localhost:8080', { host: 'localhost', port: 8080, path: '/default' }],
    ['[::1]:0/x', { host: '::1', port: 0, path: '/x' }],
    ['3000', { host: '127.0.0.1', port: 3000, path: '/default' }],
    ['3000/x', { host: '127.0.0.1', port: 3000, path: '/x' }],
    [' 3000 ', { host: '127.0.0.1', port: 3000, path: '/default' }],
  ])('is read from %j', (text, address) => {
    expect(parseListenAddress(text, '/default')).toEqual(address);
  });

  it.each([
    '',
    'localhost',
    ':3000',
    '1:2:3',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    'a b:3000',
    '3000/a b',
    '3000/a?b',
  ])('is not read from %j: exit 2', (text) => {
    expect(() => parseListenAddress(text)).toThrow(UsageError);
    expect(() => parseListenAddress(text)).toThrow(`"${text}" is not an address to listen on`);
  });
});
