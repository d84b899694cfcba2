import { describe, expect, it } from 'vitest';
import { buildClientAuthentication } from '../../src/protocol/client-authentication.ts';

describe('client authentication', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'by %s needs a secret',
    (token_endpoint_auth_method) => {
      expect(() => buildClientAuthentication({ client_id: 'a', token_endpoint_auth_method })).toThrow(
        expect.objectContaining({
          code: 'client_secret_missing',
          exitCode: 2,
          message: `${token_endpoint_auth_method} needs a client secret, and none is configured`,
        }),
      );
    },
  );

  it('by client_secret_basic says nothing in the form', () => {
    const client = {
      client_id: 'a',
      client_secret: 'b',
      token_endpoint_auth_method: 'client_secret_basic',
    } as const;
    expect(buildClientAuthentication(client)).toEqual({
      headers: { authorization: 'Basic YTpi' },
      parameters: [],
    });
  });

  it('by none sends no secret, even where there is one', () => {
    const client = { client_id: 'a', client_secret: 's3cret', token_endpoint_auth_method: 'none' } as const;
    expect(buildClientAuthentication(client)).toEqual({ headers: {}, parameters: [['client_id', 'a']] });
  });
});
