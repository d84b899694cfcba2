import { describe, expect, it } from 'vitest';
import {
  parseBoolean,
  parseCount,
  parseNameOptionalValue,
  parseNameValue,
  parseParameters,
  parseSeconds,
  readJson,
  setClaim,
} from '../../src/session/option-values.ts';

const usage = (code: string, message: string) =>
  expect.objectContaining({ name: 'UsageError', code, exitCode: 2, message });

describe('seconds', () => {
  it.each([
    ['30', 30],
    ['0.5', 0.5],
    [' 7 ', 7],
    ['1e3', 1000],
  ])('%j are %d', (text, seconds) => {
    expect(parseSeconds(text, '--timeout')).toBe(seconds);
  });

  it.each(['', ' ', '0', '-1', 'abc', '5s', 'NaN', 'Infinity', '1e999'])('are refused as %j', (text) => {
    expect(() => parseSeconds(text, '--timeout')).toThrow(
      usage('seconds_invalid', `--timeout takes a positive number of seconds; "${text}" is invalid`),
    );
  });

  it('may be 0 where the option allows it, and not negative', () => {
    expect(parseSeconds('0', '--leeway', { mayBeZero: true })).toBe(0);
    expect(() => parseSeconds('-1', '--leeway', { mayBeZero: true })).toThrow(
      usage('seconds_invalid', '--leeway takes a number of seconds, 0 or more; "-1" is invalid'),
    );
  });

  it('are undefined where the option is not given', () => {
    expect(parseSeconds(undefined, '--deadline')).toBeUndefined();
  });
});

describe('a count', () => {
  const limits = { min: 1, max: 99 };

  it.each([
    ['1', 1],
    ['99', 99],
    ['007', 7],
  ])('%j is %d', (text, count) => {
    expect(parseCount(text, '--count', limits)).toBe(count);
  });

  it.each(['', '0', '100', '1.5', '-1', 'one', '1e1', ' 1', '1'.repeat(400)])('is refused as %j', (text) => {
    expect(() => parseCount(text, '--count', limits)).toThrow(
      usage('count_invalid', `--count takes a whole number from 1 to 99; "${text}" is invalid`),
    );
  });

  it('is refused with the code of its option', () => {
    expect(() => parseCount('99', '--respond', { min: 200, max: 599, code: 'status_invalid' })).toThrow(
      expect.objectContaining({ code: 'status_invalid' }),
    );
  });

  it('is undefined where the option is not given', () => {
    expect(parseCount(undefined, '--count', limits)).toBeUndefined();
  });
});

describe('NAME=VALUE', () => {
  it('is split at the first =', () => {
    expect(parseNameValue('a=b=c', '--param')).toEqual(['a', 'b=c']);
    expect(parseNameValue('a=', '--param')).toEqual(['a', '']);
    expect(parseParameters(['a=1', 'a=2'])).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
    expect(parseParameters()).toEqual([]);
  });

  it.each(['', 'a', '=b'])('is refused as %j', (text) => {
    expect(() => parseParameters([text], '--token-param')).toThrow(
      usage('param_invalid', `--token-param takes NAME=VALUE; "${text}" is invalid`),
    );
  });

  it('may be NAME alone where the option allows it', () => {
    expect(parseNameOptionalValue('a', '--claim', 'claim_invalid')).toEqual(['a', undefined]);
    expect(parseNameOptionalValue('a=', '--claim', 'claim_invalid')).toEqual(['a', '']);
    for (const text of ['', '=b']) {
      expect(() => parseNameOptionalValue(text, '--claim', 'claim_invalid')).toThrow(
        usage('claim_invalid', `--claim takes NAME=VALUE or NAME; "${text}" is invalid`),
      );
    }
  });

  it('sets a claim to JSON where the value is JSON, else to text', () => {
    const claims = {};
    setClaim(claims, 'exp', '12');
    setClaim(claims, 'none', 'null');
    setClaim(claims, 'list', '["a"]');
    setClaim(claims, 'text', 'one two');
    expect(claims).toEqual({ exp: 12, none: null, list: ['a'], text: 'one two' });
  });
});

describe('a boolean', () => {
  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('%j is %s', (text, value) => {
    expect(parseBoolean(text, 'OAUTHCTL_DPOP', 'dpop_invalid')).toBe(value);
  });

  it.each(['', 'yes', 'toString'])('is refused as %j', (text) => {
    expect(() => parseBoolean(text, 'OAUTHCTL_DPOP', 'dpop_invalid')).toThrow(
      usage('dpop_invalid', `OAUTHCTL_DPOP takes true or false; "${text}" is invalid`),
    );
  });
});

describe('JSON', () => {
  const readFile = async (path: string) => `{ "from": ${JSON.stringify(path)} }`;

  it('is the value or in a file, and is written anew', async () => {
    expect(await readJson('{ "a": 1 }', '--claims', 'object', readFile)).toBe('{"a":1}');
    expect(await readJson('@c.json', '--claims', 'object', readFile)).toBe('{"from":"c.json"}');
  });

  it.each([
    ['[]', 'object'],
    ['{}', 'array'],
    ['null', 'object'],
    ['"text"', 'object'],
    ['{', 'object'],
  ] as const)('%s is not taken for a JSON %s', async (text, kind) => {
    await expect(readJson(text, '--claims', kind, readFile)).rejects.toThrow(
      usage('json_invalid', `--claims takes a JSON ${kind}, or @FILE with one`),
    );
  });
});
