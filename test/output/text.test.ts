import { describe, expect, it } from 'vitest';
import { inWords } from '../../src/output/duration.ts';
import { renderField, renderJson } from '../../src/output/json.ts';
import { printable } from '../../src/output/printable.ts';
import { colours, mayAnimate } from '../../src/output/style.ts';

describe('a duration in words', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [0.4, '0 s'],
    [0.5, '1 s'],
    [59, '59 s'],
    [59.6, '1 min'],
    [60, '1 min'],
    [591, '9 min 51 s'],
    [3_600, '1 h'],
    [3_605, '1 h'],
    [3_660, '1 h 1 min'],
    [7_260, '2 h 1 min'],
    [86_399, '23 h 59 min'],
    [86_400, '1 day'],
    [273_600, '3 days 4 h'],
    [172_859, '2 days'],
  ])('of %d seconds is %s', (seconds, words) => {
    expect(inWords(seconds)).toBe(words);
  });
});

describe('one field of a result', () => {
  const result = {
    access_token: 'abc',
    expires_in: 300,
    active: false,
    nothing: null,
    keys: [{ kid: 'one' }, { kid: 'two' }],
    'not-before-policy': 0,
  };

  it.each([
    ['access_token', 'abc\n'],
    ['expires_in', '300\n'],
    ['active', 'false\n'],
    ['nothing', 'null\n'],
    ['not-before-policy', '0\n'],
    ['keys.1.kid', 'two\n'],
    ['keys.0', '{"kid":"one"}\n'],
  ])('%s is %j', (path, text) => {
    expect(renderField(result, path)).toBe(text);
  });

  it.each([
    'scope',
    'access_token.length',
    'nothing.a',
    'keys.2',
    'keys.one',
    '',
    'toString',
    '__proto__',
    'keys.0.',
  ])('%j is not there, and the failure is one of usage', (path) => {
    expect(() => renderField(result, path)).toThrow(
      expect.objectContaining({ code: 'field_unknown', exitCode: 2, message: `the result has no "${path}"` }),
    );
  });

  it('that is missing brings the names of those there are', () => {
    expect(() => renderField({ a: { b: 1, c: 2 } }, 'a.d')).toThrow(
      expect.objectContaining({ hint: 'There are: b, c.' }),
    );
  });
});

describe('JSON', () => {
  it('is rendered whole, for people as well', () => {
    expect(renderJson({ a: [1], b: null })).toBe('{\n  "a": [\n    1\n  ],\n  "b": null\n}\n');
  });
});

describe('printable text', () => {
  it.each([
    ['plain é ① 𝄞', 'plain é ① 𝄞'],
    ['\u001b[2J\u001b]0;title\u0007', '\\x1b[2J\\x1b]0;title\\x07'],
    ['a\rb\nc\td', 'a\\x0db\\x0ac\\x09d'],
    ['\u009b31m', '\\x9b31m'],
    ['del\u007f', 'del\\x7f'],
    ['right\u202eleft\u2066x\u2069', 'right\\x202eleft\\x2066x\\x2069'],
    ['one\u2028two', 'one\\x2028two'],
  ])('of %j is %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps line breaks and tabs where several lines are allowed, and nothing else', () => {
    expect(printable('a\n\tb\r\u001b', true)).toBe('a\n\tb\\x0d\\x1b');
  });
});

describe('colour', () => {
  it.each([
    ['on a terminal', {}, true, 1],
    ['not elsewhere', {}, false, 0],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, 0],
    ['with an empty NO_COLOR', { NO_COLOR: '' }, true, 1],
    ['not with TERM=dumb', { TERM: 'dumb' }, true, 0],
    ['not with CI', { CI: 'true' }, true, 0],
    ['with CI=false', { CI: 'false' }, true, 1],
    ['elsewhere with FORCE_COLOR', { FORCE_COLOR: '1' }, false, 1],
    ['with FORCE_COLOR before NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, 1],
    ['not elsewhere with FORCE_COLOR=0', { FORCE_COLOR: '0' }, false, 0],
    ['not on a terminal with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, 0],
  ])('is drawn %s', async (_when, env, isTerminal, level) => {
    const painted = (await colours(env, isTerminal)).bold('x');
    expect(painted).toBe(level === 1 ? '\u001b[1mx\u001b[22m' : 'x');
  });

  it.each([
    ['on a terminal', {}, true, true],
    ['not elsewhere, whatever FORCE_COLOR says', { FORCE_COLOR: '1' }, false, false],
    ['not with TERM=dumb', { TERM: 'dumb' }, true, false],
    ['not with CI', { CI: '1' }, true, false],
    ['with NO_COLOR', { NO_COLOR: '1' }, true, true],
  ])('and a spinner moves %s', (_when, env, isTerminal, expected) => {
    expect(mayAnimate(env, isTerminal)).toBe(expected);
  });
});
