import { describe, expect, it } from 'vitest';
import { explainBrokerDifference } from '../../../src/flows/kafka/difference.ts';
import { parseOauthbearerChallenge } from '../../../src/protocol/kafka/oauthbearer.ts';
import { explainBrokerRefusal } from '../../../src/protocol/kafka/refusal.ts';

const NOW = Date.UTC(2026, 0, 1);
const ALIVE = { exp: NOW / 1000 + 60 };
const EXPIRED = { exp: NOW / 1000 - 60 };

const refused = (errorMessage: string) => ({ errorCode: 58, errorMessage, challenge: undefined });

describe('what is behind a refusal', () => {
  it.each([
    ['Token validation failed: Token not active (ErrId: a3269aed)', 'inactive', 'introspection'],
    ['Token expired at: 1795315557000 (2026-11-22T02:45:57 UTC) (ErrId: 8a810179)', 'expired', 'local'],
    ['Signature check failed: Invalid token signature (ErrId: 17f3d97c)', 'signature_wrong', 'local'],
    ['Token validation failed: Unknown signing key (kid:sc74L3) (ErrId: 36e8c326)', 'key_unknown', 'local'],
    [
      'Token validation failed: Issuer not allowed: http://localhost/realms/R (ErrId: c)',
      'issuer_not_allowed',
      'local',
    ],
    [
      'Token validation failed: Expected audience not available in the token (ErrId: 4)',
      'audience_missing',
      'local',
    ],
    ['Token validation failed: Failed to parse JWT. (ErrId: 1ab3e854)', 'not_a_jwt', 'local'],
    ['Runtime failure during token validation (ErrId: a0382981)', 'broker_failed', undefined],
    [
      'Cannot change principals during re-authentication from User:a to User:b',
      'principal_changed',
      undefined,
    ],
    ['Something that nobody has heard of', 'unknown', undefined],
  ])('%s', (text, reason, validation) => {
    const verdict = explainBrokerRefusal(refused(text), ALIVE, NOW);
    expect(verdict).toMatchObject({ reason, validation });
    expect(verdict.cause).toMatch(/\.$/);
    expect(verdict.remedy).toMatch(/\.$/);
  });

  it('is told by the claims where introspection says no more than inactive', () => {
    const inactive = refused('Token validation failed: Token not active (ErrId: 1)');
    expect(explainBrokerRefusal(inactive, ALIVE, NOW).cause).toContain('it was revoked, its session ended');
    expect(explainBrokerRefusal(inactive, EXPIRED, NOW).cause).toContain('It has expired.');
    expect(explainBrokerRefusal(inactive, undefined, NOW).cause).toContain('opaque');
  });

  it('is told by the claims where the broker answers with a challenge', () => {
    const text = '{"status":"invalid_token"}';
    const challenged = { errorCode: 58, errorMessage: text, challenge: parseOauthbearerChallenge(text) };
    expect(explainBrokerRefusal(challenged, ALIVE, NOW)).toMatchObject({
      reason: 'unknown',
      validation: 'local',
    });
    expect(explainBrokerRefusal(challenged, EXPIRED, NOW)).toMatchObject({
      reason: 'expired',
      validation: 'local',
    });
  });
});

describe('why a broker does not agree with the server', () => {
  const accepted = undefined;
  const refusal = { reason: 'audience_missing', cause: 'The cause.', remedy: 'The remedy.' } as const;
  const codes = (...args: Parameters<typeof explainBrokerDifference>) =>
    explainBrokerDifference(...args).map(({ code }) => code);

  it('accepts what was revoked, until it expires', () => {
    const [finding] = explainBrokerDifference({
      refusal: accepted,
      local: 'accepted',
      introspection: 'refused',
      expiresIn: 41.6,
    });
    expect(finding).toMatchObject({
      code: 'revocation_unseen',
      cause: expect.stringContaining('until it expires, in 42 s'),
    });
  });

  it.each([
    [{ refusal: accepted, local: 'accepted', introspection: 'accepted' }, []],
    [{ refusal: accepted, local: 'refused', introspection: 'unknown' }, ['broker_accepts_more']],
    [{ refusal: accepted, local: 'unknown', introspection: 'unknown' }, []],
    [{ refusal, local: 'accepted', introspection: 'accepted' }, ['broker_refuses_alone']],
    [{ refusal, local: 'accepted', introspection: 'refused' }, ['broker_introspects']],
    [{ refusal, local: 'refused', introspection: 'refused' }, []],
    [{ refusal: { ...refusal, reason: 'broker_failed' }, local: 'accepted', introspection: 'accepted' }, []],
  ] as const)('%j', (compared, expected) => {
    expect(codes({ expiresIn: undefined, ...compared })).toEqual(expected);
  });
});
