import { describe, expect, it } from 'vitest';
import {
  isSecretName,
  mask,
  maskBody,
  maskForm,
  maskHeader,
  maskJson,
  maskUrl,
  Redactor,
} from '../src/redact.ts';

const JWS = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjbC10YXJvIn0.c2lnbmF0dXJl';
const JWE = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXZpdg.Y2lwaGVydGV4dA.dGFn';

/** Milliseconds that a text of one megabyte may take on a loaded machine: quadratic time would take minutes. */
const A_MOMENT = 20_000;

describe('a text that is made to take long', () => {
  const MEGABYTE = 2 ** 20;
  const fill = (part: string, end = '') => part.repeat(Math.ceil(MEGABYTE / part.length)) + end;
  it.each([
    ['eyJ', fill('eyJ')],
    ['eyJ and dots', fill('eyJaaaaa.')],
    ['eyJ between dots', fill('eyJ.')],
    ['one dot behind all', fill('eyJ', '.')],
    ['Bearer', fill('Bearer ')],
    ['Bearer and spaces', `Bearer ${fill(' ')}`],
    ['Basic after Basic', fill('Basic Basic\t')],
    ['quotes', fill('"a')],
    ['names without values', fill('"a":')],
    ['open values', fill('"token":"')],
    ['backslashes', `"token":"${fill('\\\\')}`],
    ['slashes', fill('//')],
    ['authorities', fill('//a:')],
    ['question marks', fill('?#')],
    ['ampersands', fill('&')],
    ['equals signs', fill('a=')],
    ['percent signs', fill('%2')],
  ])('is masked in time: %s', (_what, text) => {
    const startedAt = performance.now();
    new Redactor().text(text);
    maskBody(text);
    maskUrl(text);
    maskHeader('location', text);
    maskHeader('authorization', text);
    expect(performance.now() - startedAt).toBeLessThan(A_MOMENT);
  });
});

describe('what is secret', () => {
  it.each([
    'access_token',
    'refresh_token',
    'id_token',
    'client_secret',
    'auth_req_id',
    'client_assertion',
    'code',
    'password',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'DPoP',
    'device_code',
    'user_code',
    'verification_uri_complete',
    'subject_token',
    'actor_token',
    'assertion',
    'client_notification_token',
    'code_verifier',
    'id_token_hint',
    'jwt',
    'login_hint_token',
    'Proxy-Authorization',
    'registration_access_token',
    'request',
    'response',
    'secret',
    'token',
  ])('%s is', (name) => {
    expect(isSecretName(name)).toBe(true);
    expect(isSecretName(name.toUpperCase())).toBe(true);
  });

  it.each([
    'client_id',
    'scope',
    'login_hint',
    'binding_message',
    'token_type',
    'expires_in',
    'audience',
    'grant_type',
    'resource',
    'state',
    'subject_token_type',
    'username',
    'error',
    'toString',
  ])('%s is not', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('masking', () => {
  it('keeps of a JWT that it is one, and of anything else nothing', () => {
    expect(mask(JWS)).toBe('eyJh…(masked)');
    expect(mask('s3cret')).toBe('(masked)');
    expect(mask('')).toBe('');
  });

  it.each([
    ['Authorization', `Bearer ${JWS}`, 'Bearer (masked)'],
    ['authorization', 'basic YTpi', 'basic (masked)'],
    ['authorization', 'Unknown abc', '(masked)'],
    ['dpop', JWS, 'eyJh…(masked)'],
    ['set-cookie', 'SESSION=1; Path=/', '(masked)'],
    ['content-type', 'application/json', 'application/json'],
    [
      'location',
      'https://client.example/cb?code=abc&state=1#x',
      'https://client.example/cb?code=(masked)&state=1#x',
    ],
  ])('of the header %s: %s leaves %s', (name, value, masked) => {
    expect(maskHeader(name, value)).toBe(masked);
  });

  it.each([
    ['grant_type=a&client_secret=s%20t&scope=b', 'grant_type=a&client_secret=(masked)&scope=b'],
    ['a=b=c&code=d=e', 'a=b=c&code=(masked)'],
    ['client%5Fsecret=x', 'client%5Fsecret=(masked)'],
    ['CLIENT_SECRET=x', 'CLIENT_SECRET=(masked)'],
    ['code', 'code='],
    ['code=', 'code='],
    ['%E0%A4%A=x', '%E0%A4%A=x'],
    ['', ''],
  ])('of the form %j leaves %j', (form, masked) => {
    expect(maskForm(form)).toBe(masked);
  });

  it.each([
    ['https://as.example/a?code=x&state=y', 'https://as.example/a?code=(masked)&state=y'],
    [
      'https://c.example/cb#access_token=x&token_type=b',
      'https://c.example/cb#access_token=(masked)&token_type=b',
    ],
    ['http://user:pass@proxy.example:8080/', 'http://user:(masked)@proxy.example:8080/'],
    ['https://as.example/realms/R', 'https://as.example/realms/R'],
    ['/cb?id_token=x', '/cb?id_token=(masked)'],
  ])('of the URL %s leaves %s', (url, masked) => {
    expect(maskUrl(url)).toBe(masked);
  });

  it('of JSON reaches every depth, and changes nothing else', () => {
    const value = {
      access_token: JWS,
      expires_in: 300,
      nothing: null,
      nested: [{ client_secret: 'x', client_id: 'a' }],
      token: ['one', 'two'],
    };
    expect(maskJson(value)).toEqual({
      access_token: 'eyJh…(masked)',
      expires_in: 300,
      nothing: null,
      nested: [{ client_secret: '(masked)', client_id: 'a' }],
      token: ['(masked)', '(masked)'],
    });
    expect(value.access_token).toBe(JWS);
  });
});

describe('a body', () => {
  it.each([
    ['JSON', '{"client_secret":"s-e-c-r-e-t","a":1}', 'application/json'],
    ['JSON that is cut short', '{"a":1,"client_secret": "s-e-c-r-e-t', 'application/json'],
    ['JSON with an escaped quote, cut short', '{"client_secret":"s-e-c\\"-r-e-t","b', 'application/json'],
    ['JSON sent as a form', '{"client_secret":"s-e-c-r-e-t"}', 'application/x-www-form-urlencoded'],
    ['a form', 'a=1&client_secret=s-e-c-r-e-t', 'application/x-www-form-urlencoded'],
    ['a form sent as text', 'client_secret=s-e-c-r-e-t&a=1', 'text/plain'],
    ['a form sent as JSON', 'client_secret=s-e-c-r-e-t&a=1', 'application/json'],
    ['a JWT', 's-e-c-r-e-t', 'application/jwt'],
  ])('gives no secret away as %s', (_form, body, type) => {
    const masked = maskBody(body, type);
    expect(masked).not.toMatch(/r-e-t/);
    expect(masked).toContain('(masked)');
  });

  it('that is no form and no JSON stays as it is', () => {
    expect(maskBody('<html>a=b &amp; c</html>', 'text/html')).toBe('<html>a=b &amp; c</html>');
  });
});

describe('the redactor', () => {
  it('removes a secret that it knows, wherever it stands', () => {
    const redactor = new Redactor();
    redactor.know('s3cret-value');
    expect(redactor.text('a s3cret-value, xs3cret-valuex')).toBe('a (masked), x(masked)x');
  });

  it.each(['a b+c/d=é', 'quote"and\\back', 'line\nbreak', "it's (so) *!~"])(
    'knows %j as it stands in URLs, forms and JSON',
    (secret) => {
      const redactor = new Redactor();
      redactor.know(secret);
      const forms = [
        secret,
        encodeURIComponent(secret),
        new URLSearchParams({ secret }).toString().slice('secret='.length),
        JSON.stringify({ secret }).slice('{"secret":"'.length, -2),
      ];
      for (const form of forms) expect(redactor.text(`<${form}>`)).toBe('<(masked)>');
    },
  );

  it('leaves nothing of a secret that begins with another', () => {
    const redactor = new Redactor();
    redactor.know('secret', 'secret-and-more');
    expect(redactor.text('secret-and-more secret')).toBe('(masked) (masked)');
  });

  it('does not blank out innocent words for a short secret', () => {
    const redactor = new Redactor();
    redactor.know('a', '', undefined, 'abcde');
    expect(redactor.text('abcde a')).toBe('abcde a');
  });

  it('takes a value that no URL can hold', () => {
    const redactor = new Redactor();
    redactor.know('lone \ud800 half');
    expect(redactor.text('a lone \ud800 half b')).toBe('a (masked) b');
  });

  it('masks JWTs, JWEs and Authorization values that nobody told it of', () => {
    const redactor = new Redactor();
    expect(redactor.text(`id ${JWS}, ${JWE}.`)).toBe('id eyJh…(masked), eyJh…(masked).');
    expect(redactor.text('Authorization: Bearer abcdefghijklmnop')).toBe('Authorization: Bearer (masked)');
    expect(redactor.text('Basic YWJjZGVmZ2hpamtsbW5vcA==')).toBe('Basic (masked)');
  });

  it('learns the secret members of an answer, however deep', () => {
    const redactor = new Redactor();
    redactor.knowMembers({
      auth_req_id: 'the-request-id',
      scope: 'not-a-secret',
      deep: [{ refresh_token: 'opaque-token' }],
    });
    expect(redactor.text('the-request-id not-a-secret opaque-token')).toBe('(masked) not-a-secret (masked)');
    expect(() => redactor.knowMembers(undefined)).not.toThrow();
  });

  it('masks nothing when secrets are to be shown', () => {
    const redactor = new Redactor(true);
    redactor.know('s3cret-value');
    expect(redactor.text(`s3cret-value ${JWS}`)).toBe(`s3cret-value ${JWS}`);
  });
});
