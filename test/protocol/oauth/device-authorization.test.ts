import { describe, expect, it } from 'vitest';
import { OauthctlError } from '../../../src/errors.ts';
import { parseDeviceAuthorization } from '../../../src/protocol/oauth/device-authorization.ts';
import { DEVICE_AUTHORIZATION } from '../../helpers/misbehaving-server.ts';

const { json } = DEVICE_AUTHORIZATION;

function refusalOf(response: Readonly<Record<string, unknown>>, intervalOverride?: number): OauthctlError {
  try {
    parseDeviceAuthorization(response, { intervalOverride });
  } catch (error) {
    if (error instanceof OauthctlError) return error;
    throw error;
  }
  return expect.fail('it was accepted');
}

describe('a device authorization response', () => {
  it('is read with every member, those that nobody knows included', () => {
    const response = { ...json, interval: 7, message: 'Go there' };
    expect(parseDeviceAuthorization(response)).toEqual({
      ...json,
      interval: 7,
      remarks: [],
      json: response,
    });
  });

  it('needs neither an interval nor a complete URL', () => {
    const { verification_uri_complete: _, ...least } = json;
    expect(parseDeviceAuthorization(least)).toMatchObject({
      interval: undefined,
      verification_uri_complete: undefined,
    });
    expect(parseDeviceAuthorization({ ...json, verification_uri_complete: null })).toMatchObject({
      verification_uri_complete: undefined,
    });
  });

  it.each([
    ['device_code', undefined],
    ['device_code', ''],
    ['user_code', undefined],
    ['user_code', ' '],
    ['verification_uri', undefined],
    ['verification_uri', '/device'],
    ['verification_uri', 'javascript:alert(1)'],
    ['verification_uri', 'file:///etc/passwd'],
    ['verification_uri', 'https://bank.example@evil.example/'],
    ['verification_uri_complete', 'data:text/html,x'],
    ['verification_uri_complete', 5],
    ['expires_in', undefined],
    ['expires_in', 'soon'],
    ['expires_in', 0],
    ['interval', 0],
    ['interval', 2.5],
    ['interval', '2.5'],
    ['interval', 'often'],
  ])('breaks the protocol with %s %j, and the message names the member', (name, value) => {
    const error = refusalOf({ ...json, [name]: value });
    expect(error).toMatchObject({ code: 'device_authorization_invalid', exitCode: 4 });
    expect(error.message).toContain(`"${name}"`);
    expect(error.hint).toContain('RFC 8628');
  });

  it.each([
    [{ expires_in: '600' }, { expires_in: 600 }, '"expires_in" is a string, "600"'],
    [{ interval: '7' }, { interval: 7 }, '"interval" is a string, "7"'],
    [{ user_code: 12345678 }, { user_code: '12345678' }, '"user_code" is a number instead of a string'],
    [
      { verification_uri: undefined, verification_url: 'https://as.example/go' },
      { verification_uri: 'https://as.example/go' },
      '"verification_uri" is named "verification_url"',
    ],
    [
      { verification_uri_complete: null, verification_url_complete: 'https://as.example/go?c=1' },
      { verification_uri_complete: 'https://as.example/go?c=1' },
      '"verification_uri_complete" is named "verification_url_complete"',
    ],
  ])('with %j is understood, and the remark says how', (odd, read, remark) => {
    expect(parseDeviceAuthorization({ ...json, ...odd })).toMatchObject({ ...read, remarks: [remark] });
  });

  it('names no interval with null', () => {
    expect(parseDeviceAuthorization({ ...json, interval: null }).interval).toBeUndefined();
  });

  it('checks a URL under its other name as well', () => {
    const odd = { ...json, verification_uri: undefined, verification_url: 'javascript:alert(1)' };
    expect(refusalOf(odd).message).toContain('"verification_url"');
  });

  it('says nothing of the codes when it is refused', () => {
    const response = { ...json, verification_uri_complete: `nonsense:${json.user_code}` };
    const { message, hint } = refusalOf(response);
    expect(`${message} ${hint}`).not.toContain(json.user_code);
  });

  it('with a senseless interval is taken where the person names one', () => {
    expect(refusalOf({ ...json, interval: 0 }).hint).toContain('--interval');
    expect(parseDeviceAuthorization({ ...json, interval: 0 }, { intervalOverride: 3 })).toMatchObject({
      interval: undefined,
    });
  });
});
