import { once } from 'node:events';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Exchange } from '../../src/context.ts';
import { UsageError } from '../../src/errors.ts';
import { renderExchange } from '../../src/output/exchange.ts';
import type { TokenVerdict } from '../../src/protocol/oauth/bearer.ts';
import { Redactor } from '../../src/redact.ts';
import { type AnsweredRequest, listenResourceServer } from '../../src/servers/resource-server.ts';
import { until } from '../helpers/wait.ts';

const A = 'https://a.example';

const VERDICTS: Readonly<Record<string, TokenVerdict>> = {
  good: { outcome: 'accepted', tenant: A, validation: 'local', claims: { sub: 'user-1' } },
  bad: { outcome: 'invalid_token', tenant: A, reason: 'expired', description: 'it "expired"' },
  weak: {
    outcome: 'insufficient_scope',
    tenant: A,
    scopes: ['read', 'write'],
    description: 'it lacks write',
  },
  down: { outcome: 'unavailable', tenant: A, reason: 'timeout', description: 'inner detail', retryAfter: 2 },
};

async function start(validate?: (token: string) => Promise<TokenVerdict>) {
  const answered: AnsweredRequest[] = [];
  const exchanges: Exchange[] = [];
  const errors: unknown[] = [];
  const server = await listenResourceServer(
    {
      listen: { host: '127.0.0.1', port: 0, path: '/' },
      validate: validate ?? (async (token) => VERDICTS[token] ?? expect.fail(`no verdict of ${token}`)),
      metadata: (resource) => ({
        resource,
        authorization_servers: [A],
        bearer_methods_supported: ['header'],
      }),
      metrics: () => 'counted 1\n',
      onAnswered: (one) => answered.push(one),
      onError: (error) => errors.push(error),
    },
    { record: (exchange) => exchanges.push(exchange) },
    () => 0,
  );
  onTestFinished(() => server.close(0));
  const get = (token?: string, path = '', init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, {
      ...init,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  return { server, get, answered, exchanges, errors };
}

/** Sends bytes as they are. @returns all that came back */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('the resource server', () => {
  it('says of a good token which tenant it is of, and its claims', async () => {
    const { get, answered } = await start();
    const response = await get('good');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ tenant: A, validation: 'local', claims: { sub: 'user-1' } });
    expect(answered).toEqual([
      expect.objectContaining({
        method: 'GET',
        path: '/',
        route: 'resource',
        status: 200,
        verdict: VERDICTS.good,
      }),
    ]);
  });

  it('asks for a token where there is none, and says nothing of an error', async () => {
    const { server, get } = await start();
    const response = await get();
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="oauthctl", resource_metadata="${server.url}.well-known/oauth-protected-resource"`,
    );
    expect(await response.text()).toBe('');
  });

  it('says what is wrong with a token', async () => {
    const { get } = await start();
    const bad = await get('bad');
    expect(bad.status).toBe(401);
    expect(bad.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="oauthctl", error="invalid_token", error_description="it 'expired'", resource_metadata="http/,
    );
    expect(await bad.json()).toEqual({ error: 'invalid_token', error_description: "it 'expired'" });
    const weak = await get('weak');
    expect(weak.status).toBe(403);
    expect(weak.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope", .*scope="read write", /,
    );
  });

  it('says when to come back where an issuer is down, and nothing of why', async () => {
    const { get } = await start();
    const response = await get('down');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.has('www-authenticate')).toBe(false);
    expect(await response.text()).not.toContain('inner detail');
  });

  it('refuses two tokens, a token in the query, and one that is malformed', async () => {
    const { server, get, answered } = await start();
    const twice = await raw(
      server.url,
      'GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n',
    );
    expect(twice).toMatch(/^HTTP\/1.1 400 .*error="invalid_request"/s);
    expect((await get('good', '?access_token=good')).status).toBe(400);
    expect((await get('not a token')).status).toBe(401);
    expect(answered.map(({ verdict }) => verdict)).toEqual([undefined, undefined, undefined]);
    expect(JSON.stringify(answered)).not.toContain('good');
  });

  it('publishes its metadata and its counters, which take no token', async () => {
    const { server, get } = await start();
    const metadata = await get(undefined, '.well-known/oauth-protected-resource');
    expect(metadata.headers.get('content-type')).toBe('application/json');
    expect(await metadata.json()).toMatchObject({ resource: server.url, authorization_servers: [A] });
    const metrics = await get(undefined, 'metrics?x=1');
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toBe('counted 1\n');
  });

  it('has no other paths and methods', async () => {
    const { get } = await start();
    for (const path of ['x', '.well-known/oauth-protected-resource/', '/', 'toString'])
      expect((await get('good', path)).status).toBe(404);
    const post = await get('good', '', { method: 'POST', body: 'access_token=good' });
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, HEAD');
    const head = await get('good', '', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(20);
    expect(await head.text()).toBe('');
  });

  it('keeps a connection, unless the request had a body, which is not read', async () => {
    const { server } = await start();
    const both = await raw(
      server.url,
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nGET / HTTP/1.1\r\n',
    );
    expect(both.match(/HTTP\/1\.1 401/g)).toHaveLength(2);
    expect(both).toMatch(/keep-alive.*Connection: close/s);
  });

  it('answers a head that is too large, and one that is none of HTTP', async () => {
    const { server, answered } = await start();
    const large = `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'a'.repeat(40_000)}\r\n\r\n`;
    expect(await raw(server.url, large)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await raw(server.url, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(answered.map(({ status }) => status)).toEqual([431, 400]);
  });

  it('answers with 500 where judging a token breaks, and goes on', async () => {
    const { get, errors } = await start(async (token) => {
      if (token === 'broken') throw new Error('a defect');
      return VERDICTS.good ?? expect.fail();
    });
    expect((await get('broken')).status).toBe(500);
    expect(errors).toEqual([new Error('a defect')]);
    expect((await get('good')).status).toBe(200);
  });

  it('shows a request without its token', async () => {
    const { get, exchanges } = await start(async () => VERDICTS.good ?? expect.fail());
    await get('a-token-that-nobody-should-read');
    const [exchange] = exchanges;
    const shown = renderExchange(exchange ?? expect.fail('nothing was recorded'), new Redactor());
    expect(shown).toContain('Bearer (masked)');
    expect(shown).not.toContain('nobody-should-read');
  });

  it('ends once what is under way is answered, and takes no more meanwhile', async () => {
    let answer: (verdict: TokenVerdict) => void = () => {};
    const { server, get } = await start(() => new Promise((resolve) => (answer = resolve)));
    const underWay = get('good');
    await until(() => String(answer).includes('native code'));
    const closed = server.close(60_000);
    await expect(get('good')).rejects.toThrow('fetch failed');
    answer(VERDICTS.good ?? expect.fail());
    const response = await underWay;
    expect(response.status).toBe(200);
    await response.text();
    await closed;
  });

  it('does not wait longer than it may', async () => {
    const { server } = await start(() => new Promise(() => {}));
    const hanging = send(server.url, { headers: { authorization: 'Bearer x' } });
    hanging.end();
    const broken = once(hanging, 'error');
    await until(() => (hanging.socket?.bytesWritten ?? 0) > 0);
    await server.close(20);
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('says so when the address is taken', async () => {
    const { server } = await start();
    const port = Number(new URL(server.url).port);
    const options = {
      listen: { host: '127.0.0.1', port, path: '/' },
      validate: async () => expect.fail(),
      metadata: () => expect.fail(),
      metrics: () => '',
      onAnswered: () => {},
      onError: () => {},
    };
    const second = listenResourceServer(options, { record: () => {} }, () => 0);
    await expect(second).rejects.toThrow(UsageError);
    await expect(second).rejects.toMatchObject({ code: 'address_in_use' });
  });
});
