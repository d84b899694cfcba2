import { describe, expect, it } from 'vitest';
import { weighFlows } from '../../../src/protocol/kafka/flow-choice.ts';

const SETUP = { introspectionEndpoint: 'https://as.example/introspect', jwksUri: 'https://as.example/jwks' };

describe('which of the four flows suits', () => {
  const fits = (...args: Parameters<typeof weighFlows>) => weighFlows(...args).map((flow) => flow.fits);

  // Client credentials with introspection, and locally; a long-lived token likewise.
  it.each([
    ['JWTs of five minutes', { format: 'jwt', expiresIn: 300 }, [true, true, false, false]],
    ['JWTs of a day', { format: 'jwt', expiresIn: 86_400 }, [true, true, true, true]],
    ['opaque tokens of a day', { format: 'opaque', expiresIn: 86_400 }, [true, false, true, false]],
    ['JWEs', { format: 'encrypted', expiresIn: undefined }, [true, false, true, false]],
    ['tokens unknown', undefined, [undefined, undefined, undefined, undefined]],
  ] as const)('%s', (_, token, expected) => {
    expect(fits(SETUP, token)).toEqual(expected);
  });

  it('depends on what the server has', () => {
    const token = { format: 'jwt', expiresIn: 86_400 } as const;
    expect(fits({ jwksUri: 'https://as.example/jwks' }, token)).toEqual([false, true, false, true]);
    expect(fits({ introspectionEndpoint: 'https://as.example/i' }, token)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('warns of revocation wherever the broker checks locally', () => {
    const flows = weighFlows(SETUP, { format: 'jwt', expiresIn: 300 });
    const warned = flows.map(({ remarks }) =>
      remarks.some((remark) => remark.startsWith('A revoked token is accepted')),
    );
    expect(warned).toEqual([false, true, false, true]);
  });
});
