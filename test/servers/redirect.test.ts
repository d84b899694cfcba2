import { once } from 'node:events';
import { Agent, request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Exchange } from '../../src/context.ts';
import { renderTraceLine } from '../../src/output/exchange.ts';
import { Redactor } from '../../src/redact.ts';
import { listenRedirect, type RedirectOptions } from '../../src/servers/redirect.ts';
import { makeCertificate } from '../helpers/certificates.ts';

const LISTEN = { host: '127.0.0.1', port: 0, path: '/callback' };

/** A listener that takes what has the state `right`. */
async function startServer(options: Partial<RedirectOptions<string>> = {}) {
  const refused: [reason: string, status: number][] = [];
  const errors: unknown[] = [];
  const exchanges: Exchange[] = [];
  const server = await listenRedirect<string>(
    {
      listen: LISTEN,
      relaysFragment: false,
      checkResponse: async (parameters, place) => {
        const values = Object.fromEntries(parameters);
        return values.state === 'right'
          ? { kind: 'taken', response: `${values.code} by ${place}`, trouble: values.error }
          : { kind: 'turned_away', reason: 'another state' };
      },
      onRefused: (reason, status) => refused.push([reason, status]),
      onError: (error) => errors.push(error),
      ...options,
    },
    { record: (exchange) => exchanges.push(exchange) },
    () => 0,
  );
  onTestFinished(() => server.close());
  const get = (query: string, init: RequestInit = {}) => fetch(`${server.url}${query}`, init);
  const post = (form: Record<string, string>) => get('', { method: 'POST', body: new URLSearchParams(form) });
  return { server, refused, errors, exchanges, get, post };
}

describe('the redirect listener', () => {
  it('takes a response by query, and shows a page without scripts and without what it was sent', async () => {
    const { server, get, errors, refused } = await startServer();
    const answer = await get('?code=the-code&state=right');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('script-src');
    const html = await answer.text();
    expect(html).toContain('You may close this window');
    expect(html).not.toMatch(/<script|the-code|right/);
    expect(await server.response).toBe('the-code by query');
    expect({ errors, refused }).toEqual({ errors: [], refused: [] });
  });

  it('takes a response by form_post', async () => {
    const { server, post } = await startServer();
    expect((await post({ code: 'C', state: 'right' })).status).toBe(200);
    expect(await server.response).toBe('C by form_post');
  });

  it('shows the words of an error escaped', async () => {
    const { get } = await startServer();
    const words = `<script>alert("1")</script>&'`;
    const html = await (await get(`?${new URLSearchParams({ error: words, state: 'right' })}`)).text();
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(html).not.toContain('<script>');
  });

  it('turns another state away with a page, and goes on to wait', async () => {
    const { server, get, post, refused } = await startServer();
    for (const answer of [
      await get(''),
      await get('?code=evil&state=wrong'),
      await post({ state: 'wrong' }),
    ]) {
      expect(answer.status).toBe(400);
      expect(await answer.text()).not.toMatch(/evil|wrong/);
    }
    expect(refused).toEqual(Array(3).fill(['another state', 400]));
    await get('?code=C&state=right');
    expect(await server.response).toBe('C by query');
  });

  it('takes one response only: a replay is told that it is too late', async () => {
    const { server, get, refused } = await startServer();
    await get('?code=C&state=right');
    const replay = await get('?code=D&state=right');
    expect(replay.status).toBe(410);
    expect(refused).toEqual([[expect.stringContaining('taken once'), 410]]);
    expect(await server.response).toBe('C by query');
  });

  it('takes one of two that are judged at the same time', async () => {
    const { get } = await startServer({
      checkResponse: async (parameters) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { kind: 'taken', response: String(parameters[0]) };
      },
    });
    const answers = await Promise.all([get('?a=1'), get('?a=2')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
  });

  it.each(['/', '/favicon.ico', '/callback/', '/CALLBACK', '/callback/more'])(
    'answers 404 to %s, whatever its query',
    async (path) => {
      const { server, refused } = await startServer();
      const answer = await fetch(new URL(`${path}?code=C&state=right`, server.url));
      expect(answer.status).toBe(404);
      expect(refused).toEqual([]);
    },
  );

  it.each(['PUT', 'DELETE', 'HEAD', 'OPTIONS'])('answers 405 to %s', async (method) => {
    const { get } = await startServer();
    const answer = await get('?code=C&state=right', { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('answers 415 to a body that is no form, and 413 to one that is too long', async () => {
    const { get, post } = await startServer();
    const json = {
      method: 'POST',
      body: '{"state":"right"}',
      headers: { 'content-type': 'application/json' },
    };
    expect((await get('', json)).status).toBe(415);
    expect((await post({ state: 'right', code: 'x'.repeat(300_000) })).status).toBe(413);
  });

  it('hands the fragment on by a page whose one script the policy names', async () => {
    const { server, get, post, refused } = await startServer({ relaysFragment: true });
    const answer = await get('');
    expect(answer.status).toBe(200);
    const html = await answer.text();
    const script = /<script>(.*)<\/script>/s.exec(html)?.[1] ?? '';
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(script))).toString('base64');
    expect(answer.headers.get('content-security-policy')).toContain(
      `script-src 'sha256-${digest}'; form-action 'self'`,
    );
    await post({ code: 'C', state: 'right' });
    expect(await server.response).toBe('C by fragment');
    expect(refused).toEqual([]);
  });

  it('runs a script that sends the fragment, and takes it out of the address bar', async () => {
    const { get } = await startServer({ relaysFragment: true });
    const script = /<script>(.*)<\/script>/s.exec(await (await get('')).text())?.[1] ?? '';
    const fields: { name: string; value: string }[] = [];
    const done: string[] = [];
    const form = {
      action: '',
      append: (field: never) => fields.push(field),
      submit: () => done.push('submit'),
    };
    const run = new Function('location', 'history', 'document', script);
    run(
      { hash: '#code=a%26b&state=S', pathname: '/callback' },
      { replaceState: (...args: unknown[]) => done.push(String(args[2])) },
      { forms: [form], createElement: () => ({}) },
    );
    expect(fields).toMatchObject([
      { type: 'hidden', name: 'code', value: 'a&b' },
      { type: 'hidden', name: 'state', value: 'S' },
    ]);
    expect(done).toEqual(['/callback', 'submit']);
  });

  it('answers 500 to what it cannot handle, and says so', async () => {
    const defect = new TypeError('a defect of ours');
    const { get, errors } = await startServer({
      checkResponse: async () => {
        throw defect;
      },
    });
    expect((await get('?state=right')).status).toBe(500);
    expect(errors).toEqual([defect]);
  });

  it('records what came, and a trace shows neither code nor tokens of it', async () => {
    const { get, post, exchanges } = await startServer();
    await get('?code=leaked-code&state=wrong');
    await post({ response: 'leaked-response', id_token: 'leaked-token', state: 'wrong' });
    expect(exchanges).toMatchObject([
      { direction: 'in', endpoint: 'redirect', request: { method: 'GET' }, answer: { status: 400 } },
      { direction: 'in', endpoint: 'redirect', request: { method: 'POST' } },
    ]);
    const shown = exchanges.map((one) => renderTraceLine(one, new Redactor())).join('');
    expect(shown).toContain('code=(masked)');
    expect(shown).not.toContain('leaked');
  });

  it('gives the response out although the browser broke off before it had its page', async () => {
    const abort = new AbortController();
    const { server, get } = await startServer({
      checkResponse: async () => {
        abort.abort();
        return { kind: 'taken', response: 'taken' };
      },
    });
    await get('?state=right', { signal: abort.signal }).catch(() => {});
    expect(await server.response).toBe('taken');
  });

  it('is gone once it is closed', async () => {
    const { server, get } = await startServer();
    await server.close();
    await expect(get('?code=C&state=right')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('that finds its port in use says how to take another one: exit 2', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    await expect(startServer({ listen: { ...LISTEN, port } })).rejects.toMatchObject({
      code: 'address_in_use',
      exitCode: 2,
      hint: expect.stringContaining('--redirect-uri'),
    });
  });
});

describe('the redirect listener with a certificate', () => {
  it('speaks TLS', async () => {
    const { cert, key } = makeCertificate('localhost');
    const { server } = await startServer({ tls: { cert, key } });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/callback$/);
    const agent = new Agent({ ca: cert, checkServerIdentity: () => undefined });
    const sent = requestTls(`${server.url}?code=C&state=right`, { agent }).end();
    const [answer] = await once(sent, 'response');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    expect(await server.response).toBe('C by query');
  });

  it('that cannot be read says so: exit 2', async () => {
    const { cert } = makeCertificate('localhost');
    for (const tls of [
      { cert, key: 'no key at all' },
      { cert, key: makeCertificate('another').key },
    ]) {
      await expect(startServer({ tls })).rejects.toMatchObject({
        code: 'listener_certificate_invalid',
        exitCode: 2,
      });
    }
  });
});
