import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/http/failure.ts';

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

const describeIt = (error: unknown, url = 'https://as.example/token') =>
  describeFailure(error, { url: new URL(url), timeoutMs: 30_000 });

describe('the description of a failure', () => {
  it.each([
    ['EHOSTUNREACH', 'unreachable', 'as.example:443 is unreachable (EHOSTUNREACH)'],
    ['ENETUNREACH', 'unreachable', 'as.example:443 is unreachable (ENETUNREACH)'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout', 'as.example:443 did not accept the connection in time'],
    ['ETIMEDOUT', 'connect_timeout', 'as.example:443 did not accept the connection in time'],
    ['EAI_AGAIN', 'dns', 'the host name as.example could not be resolved (EAI_AGAIN)'],
    ['CERT_REVOKED', 'tls', 'the TLS connection to as.example:443 failed: its certificate has been revoked'],
    ['ERR_TLS_UNKNOWN', 'tls', 'the TLS connection to as.example:443 failed: ERR_TLS_UNKNOWN'],
    ['ESOMETHING', 'network', 'the exchange with as.example:443 failed: ESOMETHING'],
  ])('of %s is %s', (code, expected, message) => {
    expect(describeIt(coded(code))).toMatchObject({ code: expected, message, exitCode: 5 });
  });

  it('has the port that the scheme implies', () => {
    expect(describeIt(coded('ECONNREFUSED'), 'http://as.example/').message).toBe(
      'as.example:80 refused the connection',
    );
  });

  it('looks through causes and errors of both address families', () => {
    const both = new AggregateError([coded('ECONNREFUSED', '::1'), coded('ECONNREFUSED', '127.0.0.1')]);
    const wrapped = new Error('no connection', { cause: both });
    expect(describeIt(wrapped)).toMatchObject({ code: 'connection_refused' });
  });

  it('keeps what was thrown as its cause, an Error or not', () => {
    expect(describeIt('a string')).toMatchObject({
      code: 'network',
      message: 'the exchange with as.example:443 failed: a string',
      cause: 'a string',
    });
  });
});
