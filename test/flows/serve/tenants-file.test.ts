import { describe, expect, it } from 'vitest';
import { MOST_TENANTS, parseTenants, parseTenantsText } from '../../../src/flows/serve/tenants-file.ts';
import { TENANTS_SCHEMA } from '../../../src/flows/serve/tenants-schema.ts';

const ISSUER = 'https://as.example/realms/a';
const LOCAL = { issuer: ISSUER, audience: 'api' };
const ASKED = { ...LOCAL, validation: 'introspection', client_id: 'api', client_secret: 'env:SECRET' };

const TEMPLATE = 'https://login.example/{tenantid}/v2.0';
const TEMPLATED = { issuer: TEMPLATE, audience: 'api', allowed_values: ['one', '0b7d-2'] };

const GOOD: readonly [string, unknown][] = [
  ['no tenants', { tenants: [] }],
  ['a schema', { $schema: './tenants.schema.json', tenants: [LOCAL] }],
  ['one audience', { tenants: [LOCAL] }],
  ['several audiences', { tenants: [{ issuer: ISSUER, audience: ['a', 'b'] }] }],
  ['any audience', { tenants: [{ issuer: ISSUER, any_audience: true }] }],
  ['an audience, and not any', { tenants: [{ ...LOCAL, any_audience: false }] }],
  ['introspection', { tenants: [ASKED] }],
  ['everything', { tenants: [{ ...ASKED, scopes: ['read'], claims: { a: 'x', b: 1, c: true } }] }],
  [
    'a tenant with nothing demanded',
    { tenants: [{ ...LOCAL, scopes: [], claims: {}, validation: 'local' }] },
  ],
  ['a template', { tenants: [TEMPLATED] }],
  [
    'a template, keys and another issuer of access tokens',
    {
      tenants: [
        {
          ...TEMPLATED,
          jwks_uri: 'https://login.example/{tenantid}/keys?p=a',
          access_token_issuer: 'https://sts.example/{tenantid}/',
        },
      ],
    },
  ],
  [
    'one address of keys for a template',
    { tenants: [{ ...TEMPLATED, jwks_uri: 'https://login.example/keys' }] },
  ],
  [
    'keys and an issuer of access tokens without a template',
    {
      tenants: [{ ...LOCAL, jwks_uri: 'https://as.example/k', access_token_issuer: 'https://sts.example/' }],
    },
  ],
];

const BAD: readonly [string, unknown][] = [
  ['a list alone', []],
  ['null', null],
  ['a text', 'tenants'],
  ['nothing', {}],
  ['an object of tenants', { tenants: {} }],
  ['a member that is not known', { tenants: [], tenant: [] }],
  ['a schema that is no text', { $schema: 1, tenants: [] }],
  ['a tenant that is a text', { tenants: [ISSUER] }],
  ['a tenant that is null', { tenants: [null] }],
  ['no issuer', { tenants: [{ audience: 'api' }] }],
  ['an issuer that is no URL', { tenants: [{ ...LOCAL, issuer: 'as.example' }] }],
  ['an issuer of another scheme', { tenants: [{ ...LOCAL, issuer: 'file:///etc/passwd' }] }],
  ['an issuer with a query', { tenants: [{ ...LOCAL, issuer: `${ISSUER}?a=b` }] }],
  ['an issuer with a fragment', { tenants: [{ ...LOCAL, issuer: `${ISSUER}#a` }] }],
  ['no audience', { tenants: [{ issuer: ISSUER }] }],
  ['an empty audience', { tenants: [{ issuer: ISSUER, audience: '' }] }],
  ['an empty list of audiences', { tenants: [{ issuer: ISSUER, audience: [] }] }],
  ['an audience that is a number', { tenants: [{ issuer: ISSUER, audience: [1] }] }],
  ['not any audience, and none', { tenants: [{ issuer: ISSUER, any_audience: false }] }],
  ['an audience and any', { tenants: [{ ...LOCAL, any_audience: true }] }],
  ['any audience in words', { tenants: [{ issuer: ISSUER, any_audience: 'true' }] }],
  ['a misspelt member', { tenants: [{ ...LOCAL, audiance: 'api' }] }],
  ['another validation', { tenants: [{ ...LOCAL, validation: 'none' }] }],
  ['introspection without a client', { tenants: [{ ...LOCAL, validation: 'introspection' }] }],
  ['an empty client', { tenants: [{ ...ASKED, client_id: '' }] }],
  ['a secret by standard input', { tenants: [{ ...ASKED, client_secret: '-' }] }],
  ['scopes in one text', { tenants: [{ ...LOCAL, scopes: 'read write' }] }],
  ['a scope with a space', { tenants: [{ ...LOCAL, scopes: ['read write'] }] }],
  ['claims in a list', { tenants: [{ ...LOCAL, claims: ['a'] }] }],
  ['a claim that is an object', { tenants: [{ ...LOCAL, claims: { a: {} } }] }],
  ['a template without allowed values', { tenants: [{ ...LOCAL, issuer: TEMPLATE }] }],
  ['allowed values without a template', { tenants: [{ ...LOCAL, allowed_values: ['a'] }] }],
  ['no allowed values', { tenants: [{ ...TEMPLATED, allowed_values: [] }] }],
  ['an allowed value that is a path', { tenants: [{ ...TEMPLATED, allowed_values: ['a/b'] }] }],
  ['an allowed value that is a step up', { tenants: [{ ...TEMPLATED, allowed_values: ['..'] }] }],
  ['an allowed value with a line end', { tenants: [{ ...TEMPLATED, allowed_values: ['a\n'] }] }],
  ['an allowed value that is escaped', { tenants: [{ ...TEMPLATED, allowed_values: ['%2e%2e'] }] }],
  ['an empty allowed value', { tenants: [{ ...TEMPLATED, allowed_values: [''] }] }],
  ['an allowed value that is a number', { tenants: [{ ...TEMPLATED, allowed_values: [1] }] }],
  ['allowed values in one text', { tenants: [{ ...TEMPLATED, allowed_values: 'one' }] }],
  ['two placeholders', { tenants: [{ ...TEMPLATED, issuer: 'https://login.example/{a}/{b}' }] }],
  ['an open brace', { tenants: [{ ...TEMPLATED, issuer: 'https://login.example/{a' }] }],
  ['a placeholder without a name', { tenants: [{ ...TEMPLATED, issuer: 'https://login.example/{}' }] }],
  ['keys at no URL', { tenants: [{ ...LOCAL, jwks_uri: '/keys' }] }],
  ['keys in a file', { tenants: [{ ...LOCAL, jwks_uri: 'file:///keys' }] }],
  [
    'a placeholder in the address of keys alone',
    { tenants: [{ ...LOCAL, jwks_uri: 'https://x.example/{a}' }] },
  ],
  ['an issuer of access tokens that is no URL', { tenants: [{ ...LOCAL, access_token_issuer: 'sts' }] }],
  ['too many', { tenants: Array(MOST_TENANTS + 1).fill(LOCAL) }],
];

describe('a list of tenants', () => {
  it.each(GOOD)('is taken with %s, by the parser and by the schema', (_what, value) => {
    expect(() => parseTenants(value, 'the list')).not.toThrow();
    expect(complies(value, TENANTS_SCHEMA)).toBe(true);
  });

  it.each(BAD)('is not taken with %s, by the parser and by the schema', (_what, value) => {
    expect(() => parseTenants(value, 'the list')).toThrow(
      expect.objectContaining({ code: 'tenants_invalid', exitCode: 2 }),
    );
    expect(complies(value, TENANTS_SCHEMA)).toBe(false);
  });

  it('is not taken with an issuer that is there twice', () => {
    expect(() => parseTenants({ tenants: [LOCAL, { ...ASKED }] }, 'the list')).toThrow(/there twice/);
  });

  it.each([
    [
      'another placeholder than its issuer',
      { ...TEMPLATED, jwks_uri: 'https://login.example/{other}/keys' },
      '"jwks_uri" has the placeholder {other}, and "issuer" does not',
    ],
    [
      'keys that are not fetched by https',
      { ...LOCAL, jwks_uri: 'http://as.example/keys' },
      'its "jwks_uri" is http: http://as.example/keys',
    ],
    [
      'one issuer of access tokens for many tenants',
      { ...TEMPLATED, access_token_issuer: 'https://sts.example/' },
      'the issuer https://sts.example/ is there twice',
    ],
    [
      'an allowed value that is there twice',
      { ...TEMPLATED, allowed_values: ['one', 'one'] },
      'the issuer https://login.example/one/v2.0 is there twice',
    ],
  ])('is not taken with %s', (_what, tenant, message) => {
    expect(() => parseTenants({ tenants: [tenant] }, 'the list')).toThrow(message);
  });

  it('is not taken with an issuer that is one of a template as well', () => {
    const one = { ...LOCAL, issuer: 'https://login.example/one/v2.0' };
    expect(() => parseTenants({ tenants: [TEMPLATED, one] }, 'the list')).toThrow(/one\/v2.0 is there twice/);
  });

  it('is not taken with more tenants than are allowed, where a template has the allowed values of too many', () => {
    const allowed_values = Array.from({ length: MOST_TENANTS }, (_, index) => `t${index}`);
    const tenants = [{ ...TEMPLATED, allowed_values }, LOCAL];
    expect(() => parseTenants({ tenants }, 'the list')).toThrow(/more than 1000 tenants/);
  });

  it('comes with what a tenant leaves out', () => {
    expect(
      parseTenants({ tenants: [LOCAL, { issuer: 'https://b.example', any_audience: true }] }, 'x'),
    ).toEqual([
      { issuer: ISSUER, audience: ['api'], validation: 'local', scopes: [], claims: {} },
      { issuer: 'https://b.example', audience: [], validation: 'local', scopes: [], claims: {} },
    ]);
  });

  it('says everything that is wrong, and where', () => {
    const tenants = [LOCAL, { issuer: 'x', audience: 1, validation: 'introspection', client_id: 'a' }];
    expect(() => parseTenants({ tenants }, 'tenants.json')).toThrow(
      'tenants.json is no list of tenants: tenants[1]: "issuer" is not an http or https URL without query and fragment; ' +
        'tenants[1]: "audience" is neither a string nor a list of some; tenants[1]: introspection takes a "client_secret"',
    );
  });

  it('is not taken where it is cut short', () => {
    expect(() => parseTenantsText('{"tenants":[', 'tenants.json')).toThrow(/tenants.json .* not whole JSON/);
    expect(parseTenantsText(JSON.stringify({ tenants: [LOCAL] }), 'x')).toHaveLength(1);
  });
});

type Schema = Readonly<Record<string, unknown>> | boolean;

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
};

/** Judges a value by the keywords of JSON Schema that ours uses; another keyword is a defect of this judge. */
function complies(value: unknown, schema: Schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const isObject = TYPES.object?.(value) ?? false;
  const members = isObject ? (value as Record<string, unknown>) : {};
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const keywords: Record<string, (wanted: never) => boolean> = {
    type: (types: string | string[]) => [types].flat().some((type) => TYPES[type]?.(value)),
    required: (names: string[]) => !isObject || names.every((name) => Object.hasOwn(members, name)),
    properties: () =>
      Object.entries(properties).every(
        ([name, one]) => !Object.hasOwn(members, name) || complies(members[name], one),
      ),
    additionalProperties: (one: Schema) =>
      Object.keys(members).every((name) => Object.hasOwn(properties, name) || complies(members[name], one)),
    items: (one: Schema) => !Array.isArray(value) || value.every((item) => complies(item, one)),
    minItems: (least: number) => !Array.isArray(value) || value.length >= least,
    maxItems: (most: number) => !Array.isArray(value) || value.length <= most,
    minLength: (least: number) => typeof value !== 'string' || value.length >= least,
    pattern: (source: string) => typeof value !== 'string' || new RegExp(source).test(value),
    enum: (values: unknown[]) => values.includes(value),
    const: (wanted: unknown) => value === wanted,
    not: (one: Schema) => !complies(value, one),
    allOf: (ones: Schema[]) => ones.every((one) => complies(value, one)),
    oneOf: (ones: Schema[]) => ones.filter((one) => complies(value, one)).length === 1,
    if: (one: Schema) =>
      complies(value, ((complies(value, one) ? schema.then : schema.else) ?? true) as Schema),
  };
  const silent = ['$schema', 'title', 'description', 'default', 'then', 'else'];
  return Object.entries(schema).every(([keyword, wanted]) => {
    if (silent.includes(keyword)) return true;
    const judge = keywords[keyword];
    if (judge === undefined) throw new Error(`no judge of ${keyword}`);
    return judge(wanted as never);
  });
}
