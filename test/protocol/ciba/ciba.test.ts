import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { buildAuthenticationRequest, parseAcknowledgement } from '../../../src/protocol/ciba/ciba.ts';
import { withExtraParameters } from '../../../src/protocol/oauth/form.ts';

describe('an authentication request', () => {
  it('asks for openid where no scope is given, and leaves out what has no value', () => {
    expect(buildAuthenticationRequest({ login_hint: 'cl-taro', acr_values: undefined })).toEqual([
      ['scope', 'openid'],
      ['login_hint', 'cl-taro'],
    ]);
  });

  it('without a hint is refused', () => {
    expect(() => buildAuthenticationRequest({})).toThrow(
      expect.objectContaining({
        code: 'hint_missing',
        exitCode: 2,
        hint: expect.stringContaining('--login-hint'),
      }),
    );
  });

  it.each([
    [{ login_hint: 'a', id_token_hint: 'b' }, '--login-hint and --id-token-hint'],
    [{ login_hint: 'a', login_hint_token: 'b' }, '--login-hint and --login-hint-token'],
    [
      { login_hint: 'a', login_hint_token: 'b', id_token_hint: 'c' },
      '--login-hint and --login-hint-token and --id-token-hint',
    ],
  ])('with %j is refused, and names the flags', (request, flags) => {
    expect(() => buildAuthenticationRequest(request)).toThrow(
      expect.objectContaining({
        code: 'hint_ambiguous',
        exitCode: 2,
        message: `${flags} were given, but only one is allowed`,
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])(
    'with an expiry of %d is refused',
    (requested_expiry) => {
      expect(() => buildAuthenticationRequest({ login_hint: 'a', requested_expiry })).toThrow(
        expect.objectContaining({ code: 'requested_expiry_invalid', exitCode: 2 }),
      );
    },
  );

  it('can be altered by the person, to provoke the server', () => {
    const built = buildAuthenticationRequest({ login_hint: 'a' });
    const extra = [
      ['scope', 'x'],
      ['resource', '1'],
      ['resource', '2'],
    ] as const;
    expect(withExtraParameters(built, extra)).toEqual([['login_hint', 'a'], ...extra]);
  });
});

describe('an acknowledgement', () => {
  it('keeps every member as it came', () => {
    const json = { auth_req_id: 'id', expires_in: 120, interval: 5, own: [null] };
    expect(parseAcknowledgement(json)).toEqual({
      auth_req_id: 'id',
      expires_in: 120,
      interval: 5,
      remarks: [],
      json,
    });
  });

  it('may name no interval', () => {
    expect(parseAcknowledgement({ auth_req_id: 'id', expires_in: 1 }).interval).toBeUndefined();
  });

  it('may have an interval as long as it lives', () => {
    expect(parseAcknowledgement({ auth_req_id: 'id', expires_in: 5, interval: 5 }).interval).toBe(5);
  });

  const good = { auth_req_id: 'id', expires_in: 120, interval: 5 };

  it.each([
    [{ auth_req_id: undefined }, /no "auth_req_id"/],
    [{ auth_req_id: '' }, /no "auth_req_id"/],
    [{ auth_req_id: 7 }, /no "auth_req_id"/],
    [{ auth_req_id: null }, /no "auth_req_id"/],
    [{ expires_in: undefined }, /"expires_in" must be a positive whole number of seconds, and is missing/],
    [{ expires_in: 0 }, /"expires_in".* and is 0/],
    [{ expires_in: -120 }, /"expires_in".* and is -120/],
    [{ expires_in: '2 min' }, /"expires_in".* and is "2 min"/],
    [{ expires_in: 1.5 }, /"expires_in".* and is 1.5/],
    [{ expires_in: 1e300 }, /"expires_in"/],
    [{ interval: 0 }, /"interval" must be a positive whole number of seconds, and is 0/],
    [{ interval: -5 }, /"interval".* and is -5/],
    [{ interval: 'often' }, /"interval".* and is "often"/],
    [{ interval: '1000' }, /"interval" of 1000 s is longer/],
    [{ interval: 1e9 }, /"interval" of 1000000000 s is longer than its "expires_in" of 120 s/],
    [{ interval: 121 }, /"interval" of 121 s is longer/],
  ])('with %j breaks the protocol', (wrong, message) => {
    expect(() => parseAcknowledgement({ ...good, ...wrong })).toThrow(
      expect.objectContaining({
        code: 'acknowledgement_invalid',
        exitCode: 4,
        message: expect.stringMatching(message),
        hint: expect.stringContaining('CIBA Core §7.3'),
      }),
    );
  });

  it.each([0, -5, 'often', 1e9])(
    'with the interval %j is forgiven where the person names one',
    (interval) => {
      expect(parseAcknowledgement({ ...good, interval }, { intervalOverride: 5 }).interval).toBeUndefined();
    },
  );

  it('may have its numbers in strings, which is a remark', () => {
    expect(parseAcknowledgement({ auth_req_id: 'id', expires_in: '120', interval: '5' })).toMatchObject({
      expires_in: 120,
      interval: 5,
      remarks: ['"expires_in" is a string, "120"', '"interval" is a string, "5"'],
    });
  });

  it('names no interval with null', () => {
    expect(parseAcknowledgement({ ...good, interval: null }).interval).toBeUndefined();
  });

  it('without an id is not forgiven', () => {
    expect(() => parseAcknowledgement({ expires_in: 120 }, { intervalOverride: 5 })).toThrow(
      /no "auth_req_id"/,
    );
  });

  it.each([
    { auth_req_id: 'id', expires_in: 120, interval: 5 },
    { auth_req_id: 'id', expires_in: 120 },
    { expires_in: 120 },
    { auth_req_id: '', expires_in: 120 },
    { auth_req_id: 'id' },
    { auth_req_id: 'id', expires_in: -1 },
    { auth_req_id: 'id', expires_in: 120, interval: 0 },
  ])('that oauth4webapi refuses is refused, as with %j', async (json) => {
    const accepted = (act: () => unknown) => {
      try {
        act();
        return true;
      } catch {
        return false;
      }
    };
    const theirs = await oauth
      .processBackchannelAuthenticationResponse(
        { issuer: 'https://as.example' },
        { client_id: 'a' },
        Response.json(json),
      )
      .then(
        () => true,
        () => false,
      );
    expect(accepted(() => parseAcknowledgement(json))).toBe(theirs);
  });
});
