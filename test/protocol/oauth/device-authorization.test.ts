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
    expect(parseDeviceAuthorization(response)).toEqual({ ...json, interval: 7, json: response });
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
    ['user_code', 12345678],
    ['user_code', ' '],
    ['verification_uri', undefined],
    ['verification_uri', '/device'],
    ['verification_uri', 'javascript:alert(1)'],
    ['verification_uri', 'file:///etc/passwd'],
    ['verification_uri', 'https://bank.example@evil.example/'],
    ['verification_uri_complete', 'data:text/html,x'],
    ['verification_uri_complete', 5],
    ['expires_in', undefined],
    ['expires_in', '600'],
    ['expires_in', 0],
    ['interval', 0],
    ['interval', 2.5],
    ['interval', '5'],
  ])('breaks the protocol with %s %j, and the message names the member', (name, value) => {
    const error = refusalOf({ ...json, [name]: value });
    expect(error).toMatchObject({ code: 'device_authorization_invalid', exitCode: 4 });
    expect(error.message).toContain(`"${name}"`);
    expect(error.hint).toContain('RFC 8628');
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
