import { describe, expect, it } from 'vitest';
import { isLoopbackHost } from '../../src/protocol/loopback.ts';

describe('the loopback interface', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.255.254', '127.0.0.53', '::1', '[::1]'])(
    'is %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each([
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.0.0',
    '127.0.0.256',
    '127.0.0.1.example.org',
    '127.0.0.1:80',
    'localhost.example.org',
    'app.localhost',
    'xlocalhost',
    '[127.0.0.1]',
    '::1%lo',
  ])('is not %s', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});
