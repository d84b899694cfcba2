import { describe, expect, it } from 'vitest';
import type { ComparedVerdicts } from '../../../src/flows/validation/compared-verdicts.ts';
import { remarkOn } from '../../../src/flows/validation/remarks.ts';
import { explainDifference } from '../../../src/flows/validation/validation-difference.ts';
import { type Check, failed, passed } from '../../../src/protocol/jose/jwt-verdict.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const ISSUER = 'https://as.example/realms/one';
const CLAIMS = {
  iss: ISSUER,
  aud: ['resource-server'],
  azp: 'the-app',
  sub: 'user-1',
  sid: 'session-1',
  iat: SECONDS - 10,
  exp: SECONDS + 290,
};

const accepted = { verdict: 'accepted' as const, checks: [passed('signature', 'right')] };
const refused = (...checks: readonly Check[]) => ({ verdict: 'refused' as const, checks });
const active = (answer: object = {}) => ({
  verdict: 'accepted' as const,
  answer: { active: true, ...answer },
});
const INACTIVE = { verdict: 'refused' as const, answer: { active: false } };

function compared(given: Partial<ComparedVerdicts>): ComparedVerdicts {
  return {
    token: 'eyJ.e30.x',
    local: accepted,
    introspection: active(),
    claims: CLAIMS,
    issuer: ISSUER,
    client_id: 'resource-server',
    now: NOW,
    leeway: 0,
    ...given,
  };
}
const codes = (given: Partial<ComparedVerdicts>) =>
  explainDifference(compared(given)).map(({ code }) => code);
const remarks = (given: Partial<ComparedVerdicts>) => remarkOn(compared(given)).map(({ code }) => code);

describe('why introspection refuses what the local check accepts', () => {
  it('names what only the server knows: the session, the user and the client of the token', () => {
    const findings = explainDifference(compared({ introspection: INACTIVE }));
    expect(findings.map(({ code }) => code)).toEqual([
      'revoked_or_logged_out',
      'user_disabled',
      'client_disabled',
    ]);
    expect(findings[0]?.cause).toContain('"session-1"');
    expect(findings[1]?.cause).toContain('"user-1"');
    expect(findings[2]?.cause).toContain('the-app');
  });

  it('blames no session, user or client that there is none of', () => {
    const claims = { aud: 'resource-server', azp: 'resource-server', exp: SECONDS + 9 };
    const findings = explainDifference(compared({ introspection: INACTIVE, claims }));
    expect(findings.map(({ code }) => code)).toEqual(['revoked_or_logged_out']);
    expect(findings[0]?.cause).not.toContain('session');
  });

  it('knows the session of older Keycloaks', () => {
    const { sid: _sid, ...others } = CLAIMS;
    const claims = { ...others, session_state: 'session-2' };
    expect(explainDifference(compared({ introspection: INACTIVE, claims }))[0]?.cause).toContain('session-2');
  });

  it('puts first that the client which introspects is not in aud, and what helps', () => {
    const [first] = explainDifference(compared({ introspection: INACTIVE, client_id: 'introspector' }));
    expect(first).toMatchObject({
      code: 'client_not_in_audience',
      cause: expect.stringMatching(
        /^The introspecting client introspector is not in its aud, which is resource-server:/,
      ),
      remedy: expect.stringContaining('put introspector into the aud of the tokens of the-app'),
    });
    expect(`${first?.cause} ${first?.remedy}`).not.toMatch(/keycloak|mapper/i);
  });

  it('names the audience mapper where the server is Keycloak', () => {
    const [first] = explainDifference(
      compared({ introspection: INACTIVE, client_id: 'introspector', isKeycloak: true }),
    );
    expect(first).toMatchObject({
      cause: expect.stringContaining("Keycloak 26 then answers inactive, even for the client's own tokens"),
      remedy: expect.stringContaining('audience mapper for introspector to the client the-app'),
    });
  });

  it('does not blame aud where the same client had been told that the token is active', () => {
    expect(codes({ introspection: INACTIVE, client_id: 'introspector', wasActive: true })).not.toContain(
      'client_not_in_audience',
    );
  });

  it.each([
    ['has expired by the server’s clock', { min: 289_500, max: 290_500 }, {}],
    ['is not valid yet by the server’s clock', { min: -12_000, max: -11_000 }, {}],
    ['has an nbf that the server has not reached', { min: -3_000, max: -2_000 }, { nbf: SECONDS - 1 }],
  ])('blames the clocks alone where the token %s', (_what, clock, claims) => {
    expect(codes({ introspection: INACTIVE, clock, claims: { ...CLAIMS, ...claims } })).toEqual([
      'clock_skew',
    ]);
  });

  it('does not blame clocks that differ by less than the token has left', () => {
    expect(codes({ introspection: INACTIVE, clock: { min: 2_000, max: 3_000 } })).not.toContain('clock_skew');
  });

  it('blames the leeway that is given here', () => {
    const claims = { ...CLAIMS, exp: SECONDS - 5 };
    expect(codes({ introspection: INACTIVE, claims, leeway: 30 })).toEqual(['leeway']);
  });
});

describe('why the local check refuses what introspection accepts', () => {
  it.each([
    ['audience_not_ours', failed('aud', 'audience_mismatch', 'd'), {}],
    ['audience_not_ours', failed('aud', 'audience_missing', 'd'), {}],
    ['shared_secret_alg', failed('alg', 'alg_confusion', 'alg is HS512, which'), {}],
    ['alg_not_accepted', failed('alg', 'alg_unfit', 'd'), {}],
    ['type_not_accepted', failed('typ', 'type_unexpected', 'd'), {}],
    ['not_an_access_token', failed('kind', 'not_an_access_token', 'd'), {}],
    ['keys_rotated', failed('key', 'key_unknown', 'd'), {}],
    ['signature_not_checked', failed('signature', 'signature_wrong', 'd'), {}],
    ['stricter_local_check', failed('claim x', 'claim_missing', 'd'), {}],
    ['issuer_differs', failed('iss', 'issuer_mismatch', 'd'), { iss: 'https://as.example/realms/two' }],
    ['issuer_host_name', failed('iss', 'issuer_mismatch', 'd'), { iss: 'http://inner:8080/realms/one' }],
    ['clock_skew', failed('iat', 'issued_in_future', 'd'), { iat: SECONDS + 20 }],
    ['whole_seconds', failed('exp', 'expired', 'd'), { exp: SECONDS - 0.5 }],
    ['clock_skew', failed('exp', 'expired', 'd'), { exp: SECONDS - 20 }],
  ])('is %s for %o', (code, check, claims) => {
    const local = refused(check);
    expect(codes({ local, audience: ['api'], claims: { ...CLAIMS, ...claims } })).toEqual([code]);
  });

  it('tells a difference of the clocks from a server that is more generous', () => {
    const local = refused(failed('exp', 'expired', 'it expired 20 s ago'));
    const claims = { ...CLAIMS, exp: SECONDS - 20 };
    const behind = explainDifference(compared({ local, claims, clock: { min: -31_000, max: -30_500 } }));
    expect(behind[0]).toMatchObject({
      code: 'clock_skew',
      cause: expect.stringContaining("the server's clock is 30.5 to 31.0 s behind ours"),
    });
    expect(codes({ local, claims, clock: { min: -200, max: 400 } })).toEqual(['server_leeway']);
  });

  it('sees a lightweight token where introspection tells the audience that the token lacks', () => {
    const local = refused(failed('aud', 'audience_missing', 'd'));
    expect(codes({ local, audience: ['api'], introspection: active({ aud: 'api' }) })).toEqual([
      'lightweight_token',
    ]);
  });

  it.each(['http://$(id)@inner:8080/realms/one', 'http://inner:8080/realms/one?$(id)'])(
    'repeats no issuer in a command that holds more than a name: %s',
    (iss) => {
      const local = refused(failed('iss', 'issuer_mismatch', 'd'));
      const [finding] = explainDifference(compared({ local, claims: { ...CLAIMS, iss } }));
      expect(finding).toMatchObject({ code: 'issuer_differs', remedy: expect.not.stringContaining('$(id)') });
    },
  );

  it('tells each cause once', () => {
    const local = refused(failed('aud', 'audience_mismatch', 'd'), failed('aud', 'audience_mismatch', 'e'));
    expect(codes({ local, audience: ['api'] })).toEqual(['audience_not_ours']);
  });

  it('takes claims of any kind for what they are', () => {
    const claims = { iss: 7, aud: { a: 1 }, azp: [], exp: '1', cnf: null, sub: {} };
    const local = refused(failed('iss', 'issuer_mismatch', 'd'));
    expect(codes({ local, claims })).toEqual(['issuer_differs']);
    expect(codes({ introspection: INACTIVE, claims })).toContain('revoked_or_logged_out');
  });
});

describe('where there is no local check', () => {
  it.each([
    ['opaque_token', failed('format', 'not_a_jwt', 'd')],
    ['encrypted_token', failed('format', 'encrypted', 'd')],
  ])('it is for an %s', (code, check) => {
    const local = { verdict: 'unknown' as const, checks: [check] };
    expect(codes({ token: 'opaque-token-1', local, claims: undefined })).toEqual([code]);
  });
});

describe('verdicts that agree, or are not known', () => {
  it('have no difference to explain', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ local: refused(failed('exp', 'expired', 'd')), introspection: INACTIVE })).toEqual([]);
    expect(codes({ introspection: { verdict: 'unknown' } })).toEqual([]);
    expect(codes({ local: { verdict: 'unknown', checks: [] } })).toEqual([]);
  });
});

describe('what else is worth knowing', () => {
  it('an issuer that is http behind a proxy is the proxy’s fault, and is not advised', () => {
    const [remark] = remarkOn(
      compared({
        local: refused(failed('iss', 'issuer_mismatch', 'd')),
        introspection: INACTIVE,
        claims: { ...CLAIMS, iss: ISSUER.replace('https:', 'http:') },
      }),
    );
    expect(remark).toMatchObject({ code: 'issuer_host_name' });
    expect(remark?.remedy).toContain('X-Forwarded-Proto: https');
    expect(remark?.remedy).not.toMatch(/--issuer|--accept-issuer/);
  });

  it.each([
    ['bound_token', { claims: { ...CLAIMS, cnf: { jkt: 'x' } } }],
    ['bound_token', { claims: { ...CLAIMS, cnf: { 'x5t#S256': 'x' } } }],
    ['bound_token', { introspection: active({ cnf: { jkt: 'x' } }) }],
    ['lightweight_token', { introspection: active({ realm_access: {} }) }],
    ['clock_offset', { clock: { min: 4_000, max: 5_000 } }],
    [
      'issuer_host_name',
      {
        local: refused(failed('iss', 'issuer_mismatch', 'd')),
        introspection: INACTIVE,
        claims: { ...CLAIMS, iss: 'http://inner:8080/realms/one' },
      },
    ],
  ])('is %s', (code, given) => {
    expect(remarks(given)).toEqual([code]);
  });

  it('is nothing of a plain token', () => {
    expect(remarks({ introspection: active({ sub: 'user-1' }), clock: { min: -1, max: 900 } })).toEqual([]);
    expect(remarks({ claims: { ...CLAIMS, cnf: { other: 'x' } } })).toEqual([]);
  });
});
