import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/protocol/oauth/challenge.ts';

/** What was sent, and what is read as `[scheme, parameters, token68]`. */
const CORPUS: readonly (readonly [string | undefined, readonly unknown[]])[] = [
  [undefined, []],
  ['', []],
  [' , ,', []],
  ['Bearer', [['Bearer', {}]]],
  [
    'Negotiate, Basic realm="a"',
    [
      ['Negotiate', {}],
      ['Basic', { realm: 'a' }],
    ],
  ],
  ['Negotiate YIIB8A==', [['Negotiate', {}, 'YIIB8A==']]],
  [
    'Negotiate YIIB8A==, Bearer realm=a',
    [
      ['Negotiate', {}, 'YIIB8A=='],
      ['Bearer', { realm: 'a' }],
    ],
  ],
  ['Bearer realm="example"', [['Bearer', { realm: 'example' }]]],
  [
    'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    [['Bearer', { realm: 'example', error: 'invalid_token', error_description: 'The access token expired' }]],
  ],
  [
    'DPoP error="use_dpop_nonce", algs="ES256 PS256", Bearer error="invalid_token"',
    [
      ['DPoP', { error: 'use_dpop_nonce', algs: 'ES256 PS256' }],
      ['Bearer', { error: 'invalid_token' }],
    ],
  ],
  // The example of RFC 9110, section 11.6.1.
  [
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
    [
      ['Basic', { realm: 'simple' }],
      ['Newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ],
  ],
  ['bearer ERROR="x"', [['bearer', { error: 'x' }]]],
  ['Bearer error = "x" , scope\t=\t"a b"', [['Bearer', { error: 'x', scope: 'a b' }]]],
  ['Bearer error="first", error="second"', [['Bearer', { error: 'first' }]]],
  ['Bearer ,realm="a",,error="x",', [['Bearer', { realm: 'a', error: 'x' }]]],
  ['Bearer error="a, Basic realm=b"', [['Bearer', { error: 'a, Basic realm=b' }]]],
  ['Bearer error=""', [['Bearer', { error: '' }]]],
  ['Bearer error="\\\\"', [['Bearer', { error: '\\' }]]],
  // Servers that forget the quotes, or the comma.
  [
    'Bearer resource_metadata=https://rs.example/a?b=c, error=x',
    [['Bearer', { resource_metadata: 'https://rs.example/a?b=c', error: 'x' }]],
  ],
  ['Bearer realm="a" error="x"', [['Bearer', { realm: 'a', error: 'x' }]]],
  // What cannot be read ends the list.
  ['"just a text"', []],
  [
    'Bearer error="never ends',
    [
      ['Bearer', {}],
      ['error', {}],
    ],
  ],
  ['Bearer; error="x"', [['Bearer', {}]]],
  ['Bearer __proto__="x", error="y"', [['Bearer', { ['__proto__']: 'x', error: 'y' }]]],
];

describe('the challenges of a WWW-Authenticate header', () => {
  it.each(CORPUS)('%j are read', (header, expected) => {
    const read = parseChallenges(header).map(({ scheme, parameters, token68 }) => [
      scheme,
      Object.entries(parameters),
      ...(token68 === undefined ? [] : [token68]),
    ]);
    expect(read).toEqual(
      expected.map((one) => {
        const [scheme, parameters, ...rest] = one as [string, object, ...string[]];
        return [scheme, Object.entries(parameters), ...rest];
      }),
    );
  });

  // A parser that goes back over what it has read would take minutes for each of these, and reach the limit of the test.
  it.each(['a', 'a ', 'a=', 'a="', '"', '\\', ', ', 'a="b" ', 'a b='])(
    'half a megabyte of %j are read in one pass',
    (part) => {
      expect(parseChallenges(part.repeat(500_000 / part.length))).toBeInstanceOf(Array);
    },
  );
});
