import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/http/failure.ts';
import { makeAuthority, makeCertificate } from '../helpers/certificates.ts';

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

  it('looks into causes and errors of both address families', () => {
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

describe('a client certificate that a server does not accept', () => {
  const authority = makeAuthority('Authority of a test');
  const refusal = (alert: string, certificate?: X509Certificate) =>
    describeFailure(
      coded('ERR_SSL_TLSV1_ALERT', `ssl3_read_bytes:tlsv13 alert ${alert}:SSL alert number 46`),
      {
        url: new URL('https://as.example/token'),
        timeoutMs: 30_000,
        certificate,
        now: Date.now(),
      },
    );

  it.each([
    ['that has expired', { from: -7_200, until: -3_600, authority }, /of CN=client expired on/],
    ['that is not valid yet', { from: 3_600, authority }, /of CN=client is not valid before/],
    ['that is self-signed', {}, /of CN=client is self-signed/],
    ['of an authority', { authority }, /has to trust CN=Authority of a test, which issued .* CN=client/],
  ])('%s is described by its own validity and issuer', (_what, options, hint) => {
    const certificate = new X509Certificate(makeCertificate('client', options).cert);
    for (const alert of ['certificate unknown', 'bad certificate', 'unknown ca', 'certificate expired']) {
      expect(refusal(alert, certificate)).toMatchObject({
        code: 'client_certificate_refused',
        exitCode: 5,
        message: `as.example:443 does not accept the client certificate (${alert})`,
        hint: expect.stringMatching(hint),
        maybeHandled: false,
      });
    }
  });

  it('is distinguished from a missing one', () => {
    expect(refusal('certificate required')).toMatchObject({
      code: 'client_certificate_refused',
      message: 'as.example:443 requires a client certificate (certificate required)',
      hint: expect.stringContaining('--cert, --key'),
    });
  });

  it('is distinguished from other alerts', () => {
    expect(refusal('protocol version')).toMatchObject({
      code: 'tls',
      message: 'the TLS connection to as.example:443 failed: protocol version',
    });
  });
});
