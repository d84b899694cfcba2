import { describe, expect, it } from 'vitest';
import { colours } from '../../src/output/style.ts';
import { renderTokens, type ShownToken } from '../../src/output/token-result.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjbC10YXJvIn0.c2lnbmF0dXJl';
const now = Date.UTC(2026, 0, 1);
const paint = await colours({}, false);

const render = (tokens: ShownToken[], others = {}, showSecrets = false) =>
  renderTokens(tokens, others, { paint, now, showSecrets });

const token: ShownToken = {
  name: 'access_token',
  token: JWT,
  alg: 'RS256',
  expiresIn: 300,
  claims: { sub: 'cl-taro', exp: now / 1000 + 300, aud: ['a', 'b'] },
};

describe('a token result for people', () => {
  it('shows algorithm, lifetime and claims, and the token masked', () => {
    const text = render([{ ...token, verified: true }], { token_type: 'Bearer', 'not-before-policy': 0 });
    expect(text).toBe(
      [
        'access_token      eyJh…(masked) · RS256 · expires in 5 min · verified',
        '  sub                cl-taro',
        '  exp                1767225900 (2026-01-01T00:05:00Z)',
        '  aud                ["a","b"]',
        'token_type        Bearer',
        'not-before-policy 0',
        '',
      ].join('\n'),
    );
    expect(text).not.toContain(JWT);
  });

  it('shows the token itself when secrets are to be shown', () => {
    expect(render([token], {}, true)).toContain(JWT);
  });

  it('calls a token that cannot be read opaque', () => {
    expect(render([{ name: 'refresh_token', token: 'opaque-value', expiresIn: 1800 }])).toBe(
      'refresh_token  (masked) · opaque · expires in 30 min\n',
    );
  });

  it('takes the lifetime of the claims where the response names none', () => {
    const { expiresIn: _, ...unnamed } = token;
    expect(render([unnamed])).toContain('expires in 5 min');
    expect(render([{ ...unnamed, claims: { exp: now / 1000 - 1 } }])).toContain('expired');
    expect(render([{ ...unnamed, claims: {} }])).not.toContain('expire');
  });

  it('shows a time that is none as it came, and names milliseconds', () => {
    expect(render([{ ...token, claims: { exp: 'soon', iat: 1e300 } }])).toMatch(
      /exp +soon\n {2}iat +1e\+300 \(not a time in seconds since 1970\)\n/,
    );
    expect(render([{ ...token, claims: { exp: 1_795_592_000_123 } }])).toMatch(
      /exp +1795592000123 \(not a time in seconds since 1970; as milliseconds it is 2026-11-25T07:33:20\.123Z\)\n/,
    );
  });

  it('lets no claim write to the screen', () => {
    const claims = { 'na\u001bme': 'a\u001b[2J\nb', list: ['\u009b1m'] };
    const text = render([{ ...token, alg: 'R\u001bS', claims }], { sc: '\u001b[1m' });
    for (const control of ['\u001b', '\u009b']) expect(text).not.toContain(control);
    expect(text.split('\n')).toHaveLength(5);
  });
});
