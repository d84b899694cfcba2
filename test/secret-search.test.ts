import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderExchange, renderTraceLine } from '../src/output/exchange.ts';
import { printable } from '../src/output/printable.ts';
import { Redactor } from '../src/redact.ts';

const CLIENT_ID = 'a-client';

/** Numbers from 0 to below `limit`, the same for the same seed (mulberry32). */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const encodeAll = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
const lowerPercent = (text: string) => encodeURIComponent(text).replace(/%../g, (one) => one.toLowerCase());
const toUnicodeEscapes = (text: string) =>
  [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** How a server or a program may write a secret. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  bare: (secret) => secret,
  base64,
  base64url,
  'base64 without padding': (secret) => base64(secret).replace(/=+$/, ''),
  'Basic with id': (secret) => `Basic ${base64(`${CLIENT_ID}:${secret}`)}`,
  'id and secret in base64': (secret) => base64(`${CLIENT_ID}:${secret}`),
  'id and secret in base64url': (secret) => base64url(`${CLIENT_ID}:${secret}`),
  'form-encoded in base64': (secret) =>
    base64(`${CLIENT_ID}:${new URLSearchParams([['', secret]]).toString().slice(1)}`),
  'base64 of the secret before more': (secret) => base64(`x${secret}yz`),
  'base64 in base64url JSON': (secret) => encodeURIComponent(base64(secret)),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  'hex in capitals': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  'percent-encoded': (secret) => encodeURIComponent(secret),
  'percent-encoded in lower case': lowerPercent,
  'percent-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'percent-encoded to the last character': encodeAll,
  'percent-encoded to the last character, twice': (secret) => encodeAll(encodeAll(secret)),
  'a form': (secret) => new URLSearchParams([['', secret]]).toString().slice(1),
  'HTML with numbers': escapeHtml,
  'HTML with names': (secret) =>
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  'HTML of all characters': (secret) =>
    [...secret].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(''),
  JSON: (secret) => JSON.stringify(secret).slice(1, -1),
  'JSON with escaped slashes': (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
  'JSON of code units': toUnicodeEscapes,
  'JSON in JSON': (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  'a form in HTML': (secret) => escapeHtml(encodeURIComponent(secret)),
  'HTML in JSON': (secret) => JSON.stringify(escapeHtml(secret)).slice(1, -1),
  printable: (secret) => printable(secret),
};

/** Whether enough of the secret is left in a text, in whatever form, to be of use. */
function isLeaked(text: string, secret: string, form: (part: string) => string): boolean {
  const written = form(secret);
  if (text.includes(written)) return true;
  if (secret.length >= 12 && text.includes(secret.slice(0, 12))) return true;
  return secret.length >= 6 && text.includes(secret);
}

const ALPHABETS = [
  'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  'abcdef0123456789',
  'abcXYZ019-._~',
  'aB3+/=&?%#<>"\'\\ :;,@!$()[]{}|^`~',
  'aé漢ß+/ %"',
];

function makeSecret(random: (limit: number) => number): string {
  const alphabet = [...(ALPHABETS[random(ALPHABETS.length)] ?? '')];
  const length = 6 + random(60);
  // White space at the ends of a secret is removed where it is read.
  return `s${Array.from({ length }, () => alphabet[random(alphabet.length)]).join('')}e`;
}

describe('a secret that a server sends back', () => {
  const seed = Number(process.env.OAUTHCTL_FUZZ_SEED ?? randomInt(2 ** 31));

  it(`is masked in every form and place (OAUTHCTL_FUZZ_SEED=${seed})`, () => {
    const random = makeRandom(seed);
    for (let round = 0; round < 25; round += 1) {
      const secret = makeSecret(random);
      const redactor = new Redactor();
      redactor.know('another secret', secret);
      for (const [name, form] of Object.entries(FORMS)) {
        const written = form(secret);
        const places: Readonly<Record<string, { headers?: Record<string, string>; body?: string }>> = {
          header: { headers: { 'x-debug': `was ${written}` } },
          location: { headers: { location: `https://as.example/cb?x=${encodeURIComponent(written)}` } },
          'JSON member': { body: JSON.stringify({ error_description: `wrong: ${written}, sorry` }) },
          page: { body: `<html><p>You sent ${written} to us</p></html>` },
          form: { body: `error=invalid&error_description=${encodeURIComponent(written)}` },
          'cut body': { body: `{"error_description":"${JSON.stringify(written).slice(1, -1)}` },
        };
        for (const [place, { headers = {}, body = '' }] of Object.entries(places)) {
          const exchange = {
            direction: 'out' as const,
            endpoint: 'token',
            startedAt: 0,
            request: { method: 'POST', url: 'https://as.example/token', headers: {}, body: '' },
            answer: { status: 400, ms: 1, headers, body },
          };
          const shown = [
            redactor.text(renderExchange(exchange, redactor)),
            renderTraceLine(exchange, redactor),
          ];
          for (const text of shown) {
            const what = `${JSON.stringify(secret)} as ${name} in ${place}: ${text}`;
            expect(isLeaked(text, secret, form), what).toBe(false);
            expect(text, what).toContain('(masked)');
          }
        }
      }
    }
  });

  it.each(['a-secret-of-many-characters-0123456789', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'])(
    'is masked where it is cut short: %s',
    (secret) => {
      const redactor = new Redactor();
      redactor.know(secret);
      for (const written of [
        secret,
        base64(secret),
        base64url(secret),
        Buffer.from(secret).toString('hex'),
      ]) {
        for (let length = 12; length < written.length; length += 1)
          expect(redactor.text(`<${written.slice(0, length)}>`), `${length}`).toMatch(
            /^<(?:eyJh…)?\(masked\)>$/,
          );
      }
    },
  );

  it('is masked by the whole token where another token begins alike', () => {
    const redactor = new Redactor();
    redactor.know('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl');
    expect(redactor.text('not eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJiIn0.b3RoZXI.')).toBe('not eyJh…(masked).');
  });
});

describe('a short secret', () => {
  const redactor = new Redactor();
  redactor.know('abc', 'x', 'a/b');
  it.each([
    ['{"value":"abc"}', '{"value":"(masked)"}'],
    ['value=abc&more=1', 'value=(masked)&more=1'],
    ['x-debug: abc', 'x-debug: (masked)'],
    ['<input value="abc">', '<input value="(masked)">'],
    ['<b>abc</b>', '<b>(masked)</b>'],
    ['abc', '(masked)'],
    ['value=a%2Fb', 'value=(masked)'],
    ["'x'", "'(masked)'"],
    ['{"v":"YWJj"}', '{"v":"(masked)"}'],
    ['v=616263', 'v=(masked)'],
  ])('is masked where it stands as a value: %s', (text, masked) => {
    expect(redactor.text(text)).toBe(masked);
  });

  it('leaves names and numbers of JSON as they are', () => {
    const short = new Redactor();
    short.know('error', '3', 'true', 'code');
    const line = '{"error":{"code":"usage","exit_code":3,"more":[true],"last":true}}';
    expect(short.text(line)).toBe(line);
    expect(short.text('{"a":"error","b":"3"}\nx-debug: 3\n')).toBe(
      '{"a":"(masked)","b":"(masked)"}\nx-debug: (masked)\n',
    );
  });

  it.each(['abcdef is x-ray', 'the abc of it', 'next', '"abcd"', '"x y"'])(
    'is no part of words: %s',
    (text) => {
      expect(redactor.text(text)).toBe(text);
    },
  );
});

describe('the credentials of a client', () => {
  it.each(['a-client-with-a-long-name', 'id'])('are masked wherever they are cut: %s', (id) => {
    for (const secret of ['abc', 'a secret of some length', 'p%+&:=']) {
      const redactor = new Redactor();
      redactor.knowClient(id, secret);
      for (const written of [base64(`${id}:${secret}`), base64url(`${id}:${secret}`)])
        for (let length = Math.min(12, written.length); length <= written.length; length += 1)
          expect(redactor.text(`<${written.slice(0, length)}>`), secret).toMatch(/^<\(masked\)=*>$/);
    }
  });
});

describe('what only begins like a secret', () => {
  it.each([
    ['https://as.example/device?user_code=ABCD-EFGH', 'open https://as.example/other'],
    ['-----BEGIN PRIVATE KEY-----abc', '-----BEGIN PRIVATE KEY-----xyz'],
    ['a-secret-of-many-characters', 'a-secret-of'],
  ])('is shown: %s', (secret, text) => {
    const redactor = new Redactor();
    redactor.know(secret);
    expect(redactor.text(text)).toBe(text);
  });
});

describe('a text that is made to take long', () => {
  it.each(['%25', '&amp;', '\\\\', 'a-secret-of-', 'YS1zZWNyZXQt', '"x"', '=', '%', '&', '\\'])(
    'is searched in time that grows with its length: %s',
    (part) => {
      const redactor = new Redactor();
      redactor.know(
        'a-secret-of-many-characters',
        'x',
        ...Array.from({ length: 20 }, (_, at) => `secret number ${at}`),
      );
      const startedAt = performance.now();
      redactor.text(part.repeat(Math.ceil(2 ** 20 / part.length)));
      expect(performance.now() - startedAt).toBeLessThan(20_000);
    },
  );
});
