import { describe, expect, it } from 'vitest';
import {
  InterruptedError,
  NetworkError,
  OauthctlError,
  PendingError,
  RefusedError,
  TimeoutError,
  UsageError,
  ValidationError,
} from '../src/errors.ts';
import { REFUSAL_CODES } from '../src/refusal-codes.ts';

const refused = (error: string, error_description?: string) =>
  new RefusedError({ error, error_description, status: 400, endpoint: 'token' });

describe('the exit code', () => {
  it.each([
    [2, new UsageError('a', 'b')],
    [3, refused('invalid_grant')],
    [4, new ValidationError('a', 'b')],
    [5, new NetworkError('a', 'b')],
    [6, new TimeoutError('a', 'b')],
    [6, refused('expired_token')],
    [3, refused('access_denied', 'Realm not enabled')],
    [3, new RefusedError({ error: 'expired_token', status: 400, endpoint: 'introspection' })],
    [
      7,
      new RefusedError({ error: 'access_denied', status: 400, endpoint: 'token' }, { personDecides: true }),
    ],
    [8, new PendingError('b')],
    [130, new InterruptedError('SIGINT')],
    [143, new InterruptedError('SIGTERM')],
  ])('is %d for %s', (exitCode, error) => {
    expect(error.exitCode).toBe(exitCode);
    expect(error).toBeInstanceOf(OauthctlError);
    expect(error.name).toBe(error.constructor.name);
  });
});

describe('a refusal', () => {
  it('says what the server said, and keeps it as it came', () => {
    const error = refused('invalid_grant', 'Invalid auth_req_id');
    expect(error.message).toBe('the server answered 400 invalid_grant: Invalid auth_req_id');
    expect(error.code).toBe('invalid_grant');
    expect(error.oauth).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid auth_req_id',
      status: 400,
      endpoint: 'token',
    });
  });

  it('has a code of the documented list, whatever the server says', () => {
    expect(refused('Unauthorized').code).toBe('refused');
    expect(refused('E0000011').code).toBe('refused');
    expect(refused('unauthorized').code).toBe('unauthorized');
    for (const code of REFUSAL_CODES) expect(code).toMatch(/^[a-z][a-z_]*$/);
    expect(REFUSAL_CODES.size).toBeGreaterThan(60);
  });

  it('after the end of a lifetime means that time ran out, whatever its word', () => {
    const refusedLate = (error: string) =>
      new RefusedError({ error, status: 400, endpoint: 'token' }, { expired: 'the request has expired' });
    expect(refusedLate('invalid_request')).toMatchObject({
      code: 'expired',
      exitCode: 6,
      message: 'the request has expired; the server answered 400 invalid_request',
    });
    expect(refusedLate('expired_token')).toMatchObject({ code: 'expired_token', exitCode: 6 });
  });

  it('names when to come back', () => {
    const error = new RefusedError({
      error: 'too_many_requests',
      status: 429,
      endpoint: 'token',
      retry_after: '30',
    });
    expect(error.message).toBe('the server answered 429 too_many_requests (Retry-After: 30)');
  });

  it('without description has none', () => {
    expect(refused('invalid_scope').message).toBe('the server answered 400 invalid_scope');
  });
});
