import { describe, expect, it } from 'vitest';
import {
  findMember,
  isSameMember,
  parseJson,
  readNumberText,
  stringifyJson,
  stringifyMember,
} from '../src/exact-json.ts';

describe('JSON with numbers as they were written', () => {
  it.each([
    '{"uid":12345678901234567999}',
    '{"a":[9007199254740993,{"b":-9007199254740993}]}',
    '{"float":1.10,"one":1.0,"big":1e400,"small":1E-400,"zero":-0,"exponent":1.7e9}',
    '[1.0,0.1000000000000000055511151231257827]',
    '{"text":"#12345678901234567999","n":12345678901234567999}',
    '{"###":"a \\"quote\\": 1.0, \\\\","n":1.0}',
    '{"__proto__":12345678901234567999}',
    '{"plain":[1,2.5,-3,1700000000,null,true,"x"]}',
    '12',
    '"1.0"',
  ])('%s is printed as it came', (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it('has the values of JSON.parse', () => {
    const text = '{"a":12345678901234567999,"b":[1.0,1e400,-0],"c":{"d":"1.0"}}';
    expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
    expect((parseJson(text) as { b: number[] }).b.map((one) => Object.is(one, -0))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('takes a text for a text, however it is written', () => {
    expect(stringifyJson(parseJson('{"text":"\\u0023\\u00231.0","n":1.0}'))).toBe('{"text":"##1.0","n":1.0}');
  });

  it('takes the last of members with one name', () => {
    expect(stringifyJson(parseJson('{"a":1.0,"a":12345678901234567999}'))).toBe('{"a":12345678901234567999}');
    expect(stringifyJson(parseJson('{"a":1.0,"a":"x"}'))).toBe('{"a":"x"}');
  });

  it('keeps the text in a copy, and forgets it with another value', () => {
    const value = parseJson('{"a":1.0,"b":12345678901234567999}') as { a: number; b: number };
    expect(stringifyJson({ ...value })).toBe('{"a":1.0,"b":12345678901234567999}');
    expect(stringifyJson({ ...value, b: 5 })).toBe('{"a":1.0,"b":5}');
    const { a: _left, ...rest } = value;
    expect(stringifyJson({ nested: [rest] }, 1)).toBe(
      JSON.stringify({ nested: [{ b: 5 }] }, null, 1).replace('5', '12345678901234567999'),
    );
    expect(readNumberText(value, 'a')).toBe('1.0');
    expect(stringifyMember(value, 'b')).toBe('12345678901234567999');
  });

  it('passes over a byte order mark', () => {
    expect(parseJson('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it('is thrown for what is not JSON, and for JSON that is nested too deep', () => {
    expect(() => parseJson('{"a":1.0')).toThrow(SyntaxError);
    const nested = (levels: number) => `${'['.repeat(levels)}1.0${']'.repeat(levels)}`;
    expect(() => parseJson(nested(50_000))).toThrow('nested deeper than 256 levels');
    expect(Array.isArray(parseJson(nested(256)))).toBe(true);
  });

  it.each([
    ['12345678901234567999', '12345678901234567890', false],
    ['12345678901234567999', '12345678901234567999', true],
    ['12345678901234567999', '12345678901234567000', false],
    ['9007199254740993', '9007199254740992', false],
    ['1.0', '1', true],
    ['1e3', '1000', true],
    ['-0', '0', true],
    ['1e400', '1e401', false],
    ['10e399', '1e400', true],
    ['{"a":9007199254740993,"b":1}', '{"b":1,"a":9007199254740993}', true],
    ['{"a":9007199254740993}', '{"a":9007199254740992}', false],
    ['[1]', '[1,2]', false],
    ['"1"', '1', false],
  ])('%s and %s are the same: %s', (one, other, isSame) => {
    const [left, right] = [parseJson(`[${one}]`), parseJson(`[${other}]`)] as object[];
    expect(isSameMember(left ?? [], 0, right ?? [], 0)).toBe(isSame);
  });
});

describe('a path to a member', () => {
  const value = {
    claims: {
      'https://ex.com/roles': ['admin', 'user'],
      'a.b': { c: 1 },
      a: { b: { c: 2 }, 'b.c': 3 },
      'with "quote"]': 4,
      '': 5,
    },
    list: [{ name: 'first' }],
  };
  it.each([
    ['claims["https://ex.com/roles"]', '["admin","user"]'],
    ["claims['https://ex.com/roles'][1]", '"user"'],
    ['claims["https://ex.com/roles"].0', '"admin"'],
    ['claims.https://ex.com/roles', '["admin","user"]'],
    ['claims.https://ex.com/roles.1', '"user"'],
    ['claims["a.b"].c', '1'],
    ['claims.a["b.c"]', '3'],
    ['claims.a["b"]["c"]', '2'],
    ['claims["with \\"quote\\"]"]', '4'],
    ['claims[""]', '5'],
    ['["claims"]["a.b"]["c"]', '1'],
    ['list.0.name', '"first"'],
    ['list[0].name', '"first"'],
  ])('%s leads to %s', (path, json) => {
    const found = findMember(value, path);
    expect(found && stringifyMember(found.holder, found.name)).toBe(json);
  });

  it.each([
    'claims["https://ex.com"]',
    'claims[',
    'claims["a.b"',
    'list[1]',
    'claims.a.toString',
    '',
    'claims.',
    'claims["a"]x',
  ])('%s leads nowhere', (path) => {
    expect(findMember(value, path)).toBeUndefined();
  });
});
