import { describe, expect, it } from 'vitest';
import { findGrant, GRANTS } from '../../src/protocol/definitions/grants/index.ts';
import { isSecretClass, type ParameterDefinitions } from '../../src/protocol/definitions/parameter.ts';
import { REQUESTS } from '../../src/protocol/definitions/requests.ts';
import { buildParameters, declareParameters } from '../../src/protocol/oauth/form.ts';
import { buildDeclaredTokenRequest } from '../../src/protocol/oauth/token.ts';

const requests: readonly (readonly [name: string, definitions: ParameterDefinitions])[] = [
  ...GRANTS.map(({ name, parameters }) => [name, parameters] as const),
  ...Object.entries(REQUESTS),
];

describe('the definitions', () => {
  it.each(['name', 'command', 'grantType'] as const)('have each %s once', (member) => {
    const all = GRANTS.map((grant) => grant[member]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('find a grant by its type', () => {
    expect(findGrant('client_credentials')?.command).toBe('token client-credentials');
    expect(findGrant('urn:example:unknown')).toBeUndefined();
  });

  it('have no parameter that is secret in one request and not in another', () => {
    const names = requests.flatMap(([, definitions]) => Object.entries(definitions));
    const secret = new Set(names.filter(([, { is }]) => isSecretClass(is)).map(([name]) => name));
    const plain = names.filter(([, { is }]) => !isSecretClass(is)).map(([name]) => name);
    expect(plain.filter((name) => secret.has(name))).toEqual([]);
  });

  it.each(requests)(
    'of %s read a secret from no option that shows it in the arguments',
    (_name, definitions) => {
      const readers = Object.values(definitions).flatMap(({ is, option }) =>
        isSecretClass(is) && option ? [option.read] : [],
      );
      expect(readers.filter((reader) => !['secret', 'token', 'token-secret'].includes(reader))).toEqual([]);
    },
  );

  it.each(requests)(
    'of %s call the value of an option <ref> where it is a reference',
    (_name, definitions) => {
      const options = Object.values(definitions).flatMap(({ option }) => (option ? [option] : []));
      const isReference = (read: string) => /secret|token/.test(read);
      expect(options.filter(({ flags, read }) => flags.endsWith('<ref>') !== isReference(read))).toEqual([]);
    },
  );
});

describe('the parameters of a request', () => {
  it('stand in the order of the values; undefined is left out, a list repeats the name', () => {
    expect(
      buildParameters('authorization', {
        scope: 'a',
        login_hint: undefined,
        resource: ['x', 'y'],
        max_age: 0,
      }),
    ).toEqual([
      ['scope', 'a'],
      ['resource', 'x'],
      ['resource', 'y'],
      ['max_age', '0'],
    ]);
  });

  it.each(['pin', 'toString', ''])('that are not defined are not built: %j', (name) => {
    expect(() => declareParameters(REQUESTS.introspection, { token: 'a', [name]: 'b' })).toThrow(TypeError);
    expect(() => buildDeclaredTokenRequest('password', { [name]: 'b' })).toThrow(TypeError);
  });

  it('of a grant that is not defined are not built', () => {
    expect(() => buildDeclaredTokenRequest('urn:example:unknown', {})).toThrow(TypeError);
  });
});
