import { describe, expect, it } from 'vitest';
import { findProxy } from '../../src/http/proxy.ts';

const options = { httpProxy: 'http://plain.example:3128', httpsProxy: 'secure.example:8080' };

const via = (url: string, noProxy?: string) => findProxy(new URL(url), { ...options, noProxy })?.host;

describe('the proxy for an address', () => {
  it('is that of its scheme', () => {
    expect(via('http://as.example/')).toBe('plain.example:3128');
    expect(via('https://as.example/')).toBe('secure.example:8080');
    expect(findProxy(new URL('http://as.example/'), { httpsProxy: 'http://a.example' })).toBeUndefined();
    expect(findProxy(new URL('http://as.example/'), { httpProxy: '' })).toBeUndefined();
  });

  it.each([
    ['http://as.example/', '*'],
    ['http://as.example/', 'as.example'],
    ['http://as.example/', 'AS.Example'],
    ['http://as.example/', 'other.example, as.example'],
    ['http://as.example/', 'other.example as.example'],
    ['http://login.as.example/', 'as.example'],
    ['http://login.as.example/', '.as.example'],
    ['http://login.as.example/', '*.as.example'],
    ['http://as.example/', 'as.example:80'],
    ['https://as.example/', 'as.example:443'],
    ['http://as.example:8080/', 'as.example:8080'],
    ['http://127.0.0.1:8080/', '127.0.0.1'],
    ['http://[::1]:8080/', '::1'],
    ['http://[::1]:8080/', '[::1]'],
    ['http://[::1]:8080/', '[::1]:8080'],
  ])('%s is exempt by NO_PROXY %s', (url, noProxy) => {
    expect(via(url, noProxy)).toBeUndefined();
  });

  it.each([
    ['http://as.example/', ''],
    ['http://as.example/', ' , '],
    ['http://as.example/', 'login.as.example'],
    ['http://has.example/', 'as.example'],
    ['http://as.example:8080/', 'as.example:80'],
    ['http://as.example.org/', 'as.example'],
    ['http://[::1]:8080/', '[::1]:8081'],
  ])('%s is not exempt by NO_PROXY "%s"', (url, noProxy) => {
    expect(via(url, noProxy)).toBe('plain.example:3128');
  });

  it.each(['ftp://a.example', 'http://', 'socks5://a.example:1080', 'http://user:s3cret-word@:80'])(
    'must be http or https, which %s is not; its credentials are not told',
    (httpProxy) => {
      const attempt = () => findProxy(new URL('http://as.example/'), { httpProxy });
      expect(attempt).toThrow(expect.objectContaining({ code: 'proxy_invalid', exitCode: 2 }));
      expect(attempt).not.toThrow(/s3cret-word/);
    },
  );
});
