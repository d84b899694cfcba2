import { describe, expect, it } from 'vitest';
import {
  buildClientMessage,
  parseBootstrap,
  parseOauthbearerChallenge,
} from '../../../src/protocol/kafka/oauthbearer.ts';

describe('the message of the client', () => {
  it('carries the token, and extensions behind it', () => {
    expect(buildClientMessage('abc.def-~+/=')).toBe('n,,\x01auth=Bearer abc.def-~+/=\x01\x01');
    expect(
      buildClientMessage('abc', [
        ['logicalCluster', 'lkc-1'],
        ['traceId', 'a b'],
      ]),
    ).toBe('n,,\x01auth=Bearer abc\x01logicalCluster=lkc-1\x01traceId=a b\x01\x01');
  });

  it.each(['', 'a b', 'abc\x01auth=Bearer other', 'abc\n', 'äbc'])('takes no token like %j', (token) => {
    expect(() => buildClientMessage(token)).toThrow(
      expect.objectContaining({ code: 'token_unfit', exitCode: 2 }),
    );
  });

  it.each([
    ['auth', 'x'],
    ['', 'x'],
    ['a-b', 'x'],
    ['a1', 'x'],
    ['name', ''],
    ['name', 'a\x01auth=Bearer other'],
    ['name', 'ä'],
  ])('takes no extension like %j=%j', (name, value) => {
    expect(() => buildClientMessage('abc', [[name, value]])).toThrow(
      expect.objectContaining({ code: 'sasl_extension_invalid', exitCode: 2 }),
    );
  });
});

describe('the challenge of a server', () => {
  it('is none where the answer is empty', () => {
    expect(parseOauthbearerChallenge('')).toBeUndefined();
  });

  it('is read as JSON, and kept as it came', () => {
    const text = '{"status":"invalid_token","scope":"kafka","openid-configuration":"https://as.example/o"}';
    expect(parseOauthbearerChallenge(text)).toEqual({
      text,
      status: 'invalid_token',
      scope: 'kafka',
      openidConfiguration: 'https://as.example/o',
    });
  });

  it.each(['no JSON', '[]', '{"status":7}', 'null'])('is kept where it is something else: %s', (text) => {
    expect(parseOauthbearerChallenge(text)).toEqual({ text });
  });
});

describe('the list of brokers', () => {
  it('is read in its order, with names, addresses and an ignored protocol', () => {
    expect(parseBootstrap('one:9092, 127.0.0.1:1,[::1]:65535,SASL_SSL://two.example:9093')).toEqual([
      { host: 'one', port: 9092 },
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 65_535 },
      { host: 'two.example', port: 9093 },
    ]);
  });

  it.each([
    '',
    'one',
    'one:',
    'one:0',
    'one:65536',
    ':9092',
    'one:9092,',
    '::1:9092',
    'a/b:1',
    'one:9092/x',
    'a|b:1',
    'a@b:1',
  ])('takes nothing like %j', (text) => {
    expect(() => parseBootstrap(text)).toThrow(
      expect.objectContaining({ code: 'bootstrap_invalid', exitCode: 2 }),
    );
  });
});
