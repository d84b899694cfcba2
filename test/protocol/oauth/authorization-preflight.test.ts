import { describe, expect, it } from 'vitest';
import {
  classifyPreflight,
  pickPreflightParameters,
} from '../../../src/protocol/oauth/authorization-preflight.ts';
import { buildParameters } from '../../../src/protocol/oauth/form.ts';

const REDIRECT_URI = 'http://127.0.0.1:4711/callback';
const PARAMETERS = buildParameters('authorization', {
  client_id: 'test-client',
  response_type: 'code',
  response_mode: 'query',
  redirect_uri: REDIRECT_URI,
  scope: 'openid',
  state: 'S',
  nonce: 'N',
  code_challenge: 'C',
  code_challenge_method: 'S256',
  login_hint: 'cl-taro',
  prompt: 'none',
});
const URL = 'https://as.example/realms/a/auth?client_id=test-client';

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const judge = ({ status = 200, headers = {}, body = '' }: Answer) =>
  classifyPreflight({ status, headers, body }, { url: URL, parameters: PARAMETERS });
const html = { 'content-type': 'text/html' };
const to = (location: string) => ({ status: 302, headers: { location } });

describe('a preflight', () => {
  it('carries client, redirect URI, response type, scope and PKCE alone', () => {
    expect(pickPreflightParameters(PARAMETERS).map(([name]) => name)).toEqual([
      'client_id',
      'response_type',
      'redirect_uri',
      'scope',
      'code_challenge',
      'code_challenge_method',
    ]);
  });

  it.each([
    ['a login page', { headers: html, body: '<form>' }],
    ['a redirect to a login page of the server', to('/interaction/abc')],
    ['a redirect to itself', to(URL)],
    ['a login page that knows errors', to('/login?error')],
    ['a code without a login', to(`${REDIRECT_URI}?code=C`)],
    ['what a browser with a session does not get', to(`${REDIRECT_URI}?error=login_required`)],
    ['the same in the fragment', to(`${REDIRECT_URI}#error=interaction_required`)],
  ])('passes with %s', (_what, answer) => {
    expect(judge(answer)).toMatchObject({ kind: 'passed' });
  });

  it.each([
    [
      'an error page',
      { status: 400, headers: html, body: '<p>Client not found.</p>' },
      { error: 'bad_request', error_description: 'Client not found.', status: 400 },
    ],
    [
      'JSON',
      { status: 400, body: '{"error":"invalid_client","error_description":"unknown"}' },
      { error: 'invalid_client', error_description: 'unknown', status: 400 },
    ],
    [
      'JSON with status 200',
      { body: '{"error":"invalid_request"}' },
      { error: 'invalid_request', status: 200 },
    ],
    [
      'JSON of a framework',
      { status: 500, body: '{"status":500,"error":"Internal Server Error","message":"boom"}' },
      { error: 'Internal Server Error', error_description: 'boom', status: 500 },
    ],
    [
      'plain text with a code',
      {
        status: 400,
        headers: { 'content-type': 'text/plain' },
        body: '[invalid_request] OAuth 2.0 Parameter: client_id',
      },
      { error: 'invalid_request', error_description: 'OAuth 2.0 Parameter: client_id', status: 400 },
    ],
    [
      'plain text of an address that does not exist',
      { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found' },
      { error: 'not_found', error_description: '404 page not found', status: 404 },
    ],
    ['no body', { status: 403 }, { error: 'forbidden', status: 403 }],
    ['no text', { status: 400, body: '\u0000\u0001\ufffd' }, { error: 'bad_request', status: 400 }],
    [
      'an error at the redirect URI',
      to(
        `${REDIRECT_URI}?error=invalid_scope&error_description=Invalid+scopes%3A+x&iss=https%3A%2F%2Fas.example`,
      ),
      { error: 'invalid_scope', error_description: 'Invalid scopes: x' },
    ],
    [
      'an error in the fragment',
      to(`${REDIRECT_URI}#error=unauthorized_client`),
      { error: 'unauthorized_client' },
    ],
    ['access_denied without a user', to(`${REDIRECT_URI}?error=access_denied`), { error: 'access_denied' }],
    [
      'a redirect to an error page of another program',
      to('https://login.example/error?error=invalid_client&error_description=unknown'),
      { error: 'invalid_client', error_description: 'unknown' },
    ],
  ])('is refused by %s', (_what, answer, oauth) => {
    const verdict = judge(answer);
    expect(verdict).toMatchObject({ kind: 'refused', oauth: { endpoint: 'authorization', ...oauth } });
  });

  it.each([
    ['another method is expected', { status: 405 }, /405 method_not_allowed/],
    ['a server is busy', { status: 429, headers: html, body: 'wait' }, /429 too_many_requests: wait/],
    [
      'a gateway reaches nothing',
      { status: 502, headers: html, body: '<h1>Bad Gateway' },
      /502 bad_gateway: Bad/,
    ],
    [
      'Kerberos is tried first',
      { status: 401, headers: { 'www-authenticate': 'Negotiate' } },
      /authentication \(Negotiate\)/,
    ],
    [
      'a bot protection is there',
      { status: 403, headers: { ...html, 'cf-mitigated': 'challenge' }, body: 'x' },
      /403/,
    ],
    ['it redirects elsewhere', to('https://login.example/sign-in'), /redirects to login\.example/],
    ['it redirects nowhere', { status: 302 }, /without a valid address/],
    [
      'a parameter is missed that the preflight leaves out',
      to(`${REDIRECT_URI}?error=invalid_request&error_description=Missing+parameter%3A+nonce`),
      /because of "nonce"/,
    ],
    [
      'the same on a page',
      { status: 400, headers: html, body: '<p>Missing parameter: state</p>' },
      /because of "state"/,
    ],
  ])('decides nothing where %s', (_what, answer, reason) => {
    expect(judge(answer)).toMatchObject({ kind: 'unclear', reason: expect.stringMatching(reason) });
  });
});
