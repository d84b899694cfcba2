import { describe, expect, it } from 'vitest';
import { ValidationError } from '../../../src/errors.ts';
import { checkMetadataLink, parseResourceMetadata } from '../../../src/protocol/oauth/protected-resource.ts';

const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof ValidationError) return error.code;
    throw error;
  }
  return undefined;
};

describe('the metadata of a protected resource', () => {
  it.each([
    ['https://rs.example/api', 'https://rs.example/api'],
    ['https://rs.example/api?page=2', 'https://rs.example/api'],
    ['https://rs.example/api?page=2', 'https://rs.example/api?page=2'],
    ['https://rs.example/', 'https://rs.example'],
  ])('for %s is that of %s', (url, resource) => {
    const json = { resource, authorization_servers: ['https://as.example'], vendor: 1 };
    expect(parseResourceMetadata(json, url)).toEqual(json);
  });

  it.each([
    [{}, 'resource_metadata_invalid'],
    [{ resource: 7 }, 'resource_metadata_invalid'],
    [{ resource: 'https://rs.example' }, 'resource_mismatch'],
    [{ resource: 'https://rs.example/api/' }, 'resource_mismatch'],
    [{ resource: 'https://rs.example/other' }, 'resource_mismatch'],
    [{ resource: 'https://evil.example/api' }, 'resource_mismatch'],
    [{ resource: 'https://rs.example/api', scopes_supported: 'a b' }, 'resource_metadata_invalid'],
    [{ resource: 'https://rs.example/api', authorization_servers: [7] }, 'resource_metadata_invalid'],
  ])('%j is refused: %s', (json, expected) => {
    expect(code(() => parseResourceMetadata(json, 'https://rs.example/api'))).toBe(expected);
  });

  it.each([
    'https://evil.example/.well-known/oauth-protected-resource',
    'http://rs.example/.well-known/oauth-protected-resource',
    'https://rs.example:8443/x',
    'https://rs.example.evil/x',
    'https://rs.example@evil.example/x',
    '/relative',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '',
  ])('is not looked for at %s', (link) => {
    expect(code(() => checkMetadataLink(link, 'https://rs.example/api'))).toBe('resource_metadata_foreign');
  });

  it('is looked for at the origin of the resource', () => {
    expect(
      code(() => checkMetadataLink('https://rs.example/any/where', 'https://rs.example/api')),
    ).toBeUndefined();
  });
});
