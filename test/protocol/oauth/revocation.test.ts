import { describe, expect, it } from 'vitest';
import { parseRevocationAnswer } from '../../../src/protocol/oauth/revocation.ts';
import { parseLogoutAnswer } from '../../../src/protocol/oidc/logout.ts';

const answer = (status: number, body = '', type = 'application/json') => ({
  status,
  headers: body === '' ? {} : { 'content-type': type },
  body,
});

describe('a revocation response', () => {
  it.each([
    ['an empty 200', answer(200), 'revoked'],
    ['a 204', answer(204), 'revoked'],
    ['any other body with 200', answer(200, 'OK', 'text/plain'), 'revoked'],
    ['an empty JSON object', answer(200, '{}'), 'revoked'],
    ['an error with 200, as Keycloak has it', answer(200, '{"error":"invalid_token"}'), 'refused'],
    ['an error with 400', answer(400, '{"error":"unsupported_token_type"}'), 'refused'],
    ['a page with 200', answer(200, '<!doctype html><title>Sign in</title>', 'text/html'), 'foreign'],
    ['a page that is called something else', answer(200, ' <html>', 'text/plain'), 'foreign'],
    ['a redirect', answer(302), 'foreign'],
    ['an empty 404', answer(404), 'foreign'],
    ['a 503', answer(503, 'busy', 'text/plain'), 'unavailable'],
  ])('that is %s is understood', (_what, received, kind) => {
    expect(parseRevocationAnswer(received).kind).toBe(kind);
  });
});

describe('the answer to ending a session by refresh token', () => {
  it.each([
    ['a 204', answer(204), 'ended'],
    ['an empty 200', answer(200), 'ended'],
    ['an error', answer(400, '{"error":"invalid_grant"}'), 'refused'],
    ['a page for people', answer(200, '<html>Do you want to log out?', 'text/html;charset=utf-8'), 'page'],
    ['a redirect to a login page', answer(303), 'page'],
    ['an empty 500', answer(500), 'foreign'],
  ])('that is %s is understood', (_what, received, kind) => {
    expect(parseLogoutAnswer(received).kind).toBe(kind);
  });
});
