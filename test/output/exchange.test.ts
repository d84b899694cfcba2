import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderExchange, renderTraceLine } from '../../src/output/exchange.ts';
import { openTraceFile } from '../../src/output/trace-file.ts';
import { Redactor } from '../../src/redact.ts';
import { emptyFolder } from '../store/folder.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjbC10YXJvIn0.c2lnbmF0dXJl';
const SECRETS = [
  's3cret-of-client',
  'the-auth-req-id',
  'opaque-refresh',
  'SESSION=cookie-value',
  JWT,
  'known-value',
  'an-opaque-assertion',
];

const exchange = {
  direction: 'out' as const,
  endpoint: 'token',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
  request: {
    method: 'POST',
    url: 'https://as.example/token?code=s3cret-of-client',
    headers: {
      authorization: 'Basic s3cret-of-client',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    },
    body: 'grant_type=a&auth_req_id=the-auth-req-id&client_secret=s3cret-of-client&client_assertion=an-opaque-assertion',
  },
  answer: {
    status: 200,
    ms: 31,
    headers: { 'content-type': 'application/json', 'set-cookie': 'SESSION=cookie-value' },
    body: `{"access_token":"${JWT}","refresh_token":"opaque-refresh","expires_in":300,"note":"known-value"}`,
  },
};

const redactor = (showSecrets = false) => {
  const made = new Redactor(showSecrets);
  made.know('known-value');
  return made;
};

describe('an exchange for people', () => {
  it('shows the request and the answer as they were, but for the secrets', () => {
    const made = redactor();
    expect(made.text(renderExchange(exchange, made))).toBe(
      [
        '> POST https://as.example/token?code=(masked)',
        '> authorization: Basic (masked)',
        '> content-type: application/x-www-form-urlencoded; charset=utf-8',
        '> ',
        '> grant_type=a&auth_req_id=(masked)&client_secret=(masked)&client_assertion=(masked)',
        '< 200  31 ms',
        '< content-type: application/json',
        '< set-cookie: (masked)',
        '< ',
        '< {"access_token":"eyJh…(masked)","refresh_token":"(masked)","expires_in":300,"note":"(masked)"}',
        '',
      ].join('\n'),
    );
  });

  it('shows all when that is asked for', () => {
    const made = redactor(true);
    const text = made.text(renderExchange(exchange, made));
    for (const secret of SECRETS) expect(text).toContain(secret);
  });

  it('tells why there was no answer, and what was received', () => {
    const { answer: _, ...unanswered } = { ...exchange, direction: 'in' as const, failure: 'it broke' };
    const lines = renderExchange(unanswered, redactor()).split('\n');
    expect(lines[0]).toBe('> (received) POST https://as.example/token?code=(masked)');
    expect(lines.slice(-2)).toEqual(['! it broke', '']);
  });

  it.each([
    ['Application/X-WWW-Form-Urlencoded', 'client_secret=s3cret-of-client'],
    ['application/jwt', JWT],
    ['application/JWT; charset=utf-8', 'opaque-s3cret-of-client'],
    ['text/plain', '{"client_secret":"s3cret-of-client"}'],
    ['', `plain ${JWT}`],
  ])('masks a body of type "%s"', (type, body) => {
    const made = redactor();
    const request = { ...exchange.request, headers: { 'content-type': type }, body };
    const text = made.text(renderExchange({ ...exchange, request }, made));
    expect(text).toContain('(masked)');
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  });

  it('lets nobody else write to the screen', () => {
    const answer = {
      ...exchange.answer,
      headers: { server: 'a\u001b[2Jb' },
      body: '<html>\r\n\t\u001b]0;title\u0007\u202e</html>',
    };
    const lines = renderExchange({ ...exchange, answer }, redactor()).split('\n');
    expect(lines.slice(-5)).toEqual([
      '< server: a\\x1b[2Jb',
      '< ',
      '< <html>',
      '< \t\\x1b]0;title\\x07\\x202e</html>',
      '',
    ]);
  });
});

describe('an exchange in a trace', () => {
  it('is one line of JSON with the wire’s own names', () => {
    const line = renderTraceLine(exchange, redactor());
    expect(line.match(/\n/g)).toHaveLength(1);
    for (const secret of SECRETS) expect(line).not.toContain(secret);
    expect(JSON.parse(line)).toEqual({
      v: 1,
      at: '2026-01-02T03:04:05.000Z',
      direction: 'out',
      endpoint: 'token',
      request: {
        method: 'POST',
        url: 'https://as.example/token?code=(masked)',
        headers: {
          authorization: 'Basic (masked)',
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        },
        body: 'grant_type=a&auth_req_id=(masked)&client_secret=(masked)&client_assertion=(masked)',
      },
      answer: {
        status: 200,
        ms: 31,
        headers: { 'content-type': 'application/json', 'set-cookie': '(masked)' },
        body: '{"access_token":"eyJh…(masked)","refresh_token":"(masked)","expires_in":300,"note":"(masked)"}',
      },
    });
  });

  it('stays JSON when a secret holds what JSON escapes', () => {
    const made = new Redactor();
    made.know('a"b\\c\nd');
    const answer = { ...exchange.answer, body: 'text with a"b\\c\nd in it' };
    const line = renderTraceLine({ ...exchange, answer }, made);
    expect(JSON.parse(line).answer.body).toBe('text with (masked) in it');
  });
});

describe('a trace file', () => {
  it('is begun anew, readable by its owner only, and has each line at once', async () => {
    const path = join(await emptyFolder(), 'trace.jsonl');
    openTraceFile(path)('old\n');
    const append = openTraceFile(path);
    append('one\n');
    expect(await readFile(path, 'utf8')).toBe('one\n');
    append('two\n');
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written is reported with its path', async () => {
    const path = join(await emptyFolder(), 'missing', 'trace.jsonl');
    expect(() => openTraceFile(path)).toThrow(
      expect.objectContaining({
        code: 'file_unwritable',
        exitCode: 2,
        message: `${path} cannot be written (ENOENT)`,
      }),
    );
  });
});
