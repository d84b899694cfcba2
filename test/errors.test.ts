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
    [7, refused('access_denied')],
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

  it('without description has none', () => {
    expect(refused('invalid_scope').message).toBe('the server answered 400 invalid_scope');
  });
});
