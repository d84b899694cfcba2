import { describe, expect, it } from 'vitest';
import { classifyAnswer } from '../../../src/protocol/oauth/answer.ts';

type Form = [
  name: string,
  status: number,
  headers: Record<string, string>,
  body: unknown,
  error: string,
  description: string | undefined,
];

const JSON_TYPE = { 'content-type': 'application/json' };
const HTML_TYPE = { 'content-type': 'text/html' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

const classify = (status: number, headers: Record<string, string>, body: unknown) =>
  classifyAnswer({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, 'token');

const REFUSALS: Form[] = [
  [
    'an error object with code and message (Microsoft Graph)',
    401,
    JSON_TYPE,
    { error: { code: 'InvalidAuthenticationToken', message: 'Access token is empty.' } },
    'InvalidAuthenticationToken',
    'Access token is empty.',
  ],
  [
    'an error object with a numeric code and a status word (Google)',
    403,
    JSON_TYPE,
    { error: { code: 403, message: 'Permission denied', status: 'PERMISSION_DENIED' } },
    'PERMISSION_DENIED',
    'Permission denied',
  ],
  [
    'an error object with a type (Facebook), even with the status 200',
    200,
    JSON_TYPE,
    { error: { message: 'Invalid client_id', type: 'OAuthException', code: 101 } },
    'OAuthException',
    'Invalid client_id',
  ],
  [
    'an error object with a number only',
    500,
    JSON_TYPE,
    { error: { code: 1 } },
    'internal_server_error',
    undefined,
  ],
  [
    'errorCode and errorSummary (Okta)',
    401,
    JSON_TYPE,
    { errorCode: 'E0000011', errorSummary: 'Invalid token provided', errorCauses: [] },
    'E0000011',
    'Invalid token provided',
  ],
  [
    'problem details with a type',
    403,
    { 'content-type': 'application/problem+json' },
    { type: 'https://example.com/probs/out-of-credit', title: 'Out of credit', detail: 'The balance is 30.' },
    'out-of-credit',
    'The balance is 30.',
  ],
  [
    'problem details without a type',
    400,
    { 'content-type': 'application/problem+json' },
    { type: 'about:blank', title: 'Bad Request', status: 400 },
    'bad_request',
    'Bad Request',
  ],
  [
    'the error page of a framework (Spring Boot)',
    401,
    JSON_TYPE,
    {
      timestamp: '2026-01-01T00:00:00Z',
      status: 401,
      error: 'Unauthorized',
      message: 'No client',
      path: '/oidc/token',
    },
    'Unauthorized',
    'No client',
  ],
  [
    'the error page of a framework (NestJS), with a list of messages left alone',
    400,
    JSON_TYPE,
    { statusCode: 400, message: ['a', 'b'], error: 'Bad Request' },
    'Bad Request',
    undefined,
  ],
  ['a message alone (AWS API Gateway)', 403, JSON_TYPE, { message: 'Forbidden' }, 'forbidden', 'Forbidden'],
  [
    'a Message with a capital (ASP.NET)',
    401,
    JSON_TYPE,
    { Message: 'Authorization has been denied' },
    'unauthorized',
    'Authorization has been denied',
  ],
  ['code and message', 422, JSON_TYPE, { code: 'bad_redirect', message: 'no' }, 'bad_redirect', 'no'],
  [
    'a list of errors with codes',
    400,
    JSON_TYPE,
    { errors: [{ code: 'invalid_client', message: 'unknown' }] },
    'invalid_client',
    'unknown',
  ],
  [
    'a list of errors as text',
    400,
    JSON_TYPE,
    { errors: ['client is unknown'] },
    'bad_request',
    'client is unknown',
  ],
  [
    'a fault (Apigee)',
    401,
    JSON_TYPE,
    { fault: { faultstring: 'Invalid ApiKey', detail: { errorcode: 'oauth.v2.InvalidApiKey' } } },
    'unauthorized',
    'Invalid ApiKey',
  ],
  [
    'a form',
    400,
    FORM_TYPE,
    'error=bad_verification_code&error_description=The+code+is+wrong.&error_uri=https%3A%2F%2Fx.example%2Fe',
    'bad_verification_code',
    'The code is wrong.',
  ],
  [
    'a form with the status 200 and another type (GitHub)',
    200,
    { 'content-type': 'text/plain' },
    'error=slow_down&interval=10',
    'slow_down',
    undefined,
  ],
  [
    'a challenge that carries the error',
    401,
    { 'www-authenticate': 'Bearer realm="x", error="invalid_token", error_description="The token expired"' },
    '',
    'invalid_token',
    'The token expired',
  ],
  [
    'a challenge that carries the error beside a page',
    403,
    { ...HTML_TYPE, 'www-authenticate': 'Bearer error="insufficient_scope"' },
    '<html>',
    'insufficient_scope',
    undefined,
  ],
  [
    'a bare challenge',
    401,
    { 'www-authenticate': 'Basic realm="api"' },
    '',
    'unauthorized',
    'WWW-Authenticate: Basic realm="api"',
  ],
  ['a status without a word', 403, {}, '', 'forbidden', undefined],
  [
    'a short text',
    400,
    { 'content-type': 'text/plain' },
    'client_id is unknown\n',
    'bad_request',
    'client_id is unknown',
  ],
  ['429 with a page', 429, HTML_TYPE, '<html><title>Too many</title>', 'too_many_requests', undefined],
  ['429 with nothing', 429, { 'retry-after': '30' }, '', 'too_many_requests', undefined],
  ['an empty error', 400, JSON_TYPE, { error: '' }, 'bad_request', undefined],
  [
    'a description that is no text',
    400,
    JSON_TYPE,
    { error: 'a', error_description: { x: 1 } },
    'a',
    undefined,
  ],
];

describe('a refusal in another form than that of RFC 6749', () => {
  it.each(REFUSALS)('is read where it is %s', (_name, status, headers, body, error, description) => {
    const classified = classify(status, headers, body);
    expect(classified.kind).toBe('refused');
    if (classified.kind !== 'refused') return;
    expect(classified.oauth.error).toBe(error);
    expect(classified.oauth.error_description).toBe(description);
    expect(classified.oauth.status).toBe(status);
    expect(classified.oauth.retry_after).toBe(headers['retry-after']);
  });

  it.each<[string, number, Record<string, string>, string]>([
    ['an HTML page', 401, HTML_TYPE, '<!doctype html><title>Sign in</title>'],
    ['a page of a gateway in plain text', 502, { 'content-type': 'text/plain' }, 'Bad Gateway'],
    ['a gateway with nothing to say', 504, {}, ''],
    ['an address that does not exist', 404, { 'content-type': 'text/plain' }, '404 page not found'],
    ['a method that does not exist', 405, {}, ''],
    ['a long text', 400, { 'content-type': 'text/plain' }, 'a '.repeat(400)],
    ['bytes', 400, { 'content-type': 'application/octet-stream' }, '\u0000\u0001\u0002'],
    ['half of JSON', 400, JSON_TYPE, '{"error":"a'],
    ['a form without an error', 400, { 'content-type': 'text/html' }, '<form>'],
  ])('is not made up from %s', (_name, status, headers, body) => {
    expect(classify(status, headers, body).kind).toBe('foreign');
  });

  it('is not seen in a success that has a message', () => {
    expect(classify(200, JSON_TYPE, { access_token: 'a', message: 'welcome', code: 'x' }).kind).toBe('ok');
  });
});
