import { describe, expect, it } from 'vitest';
import { ACKNOWLEDGEMENT, DEVICE_AUTHORIZATION, TOKENS } from '../../helpers/misbehaving-server.ts';
import { startWorkplace } from '../../helpers/workplace.ts';

const ODD = {
  access_token: 'the-access-token',
  refresh_token: 'the-refresh-token',
  scope: ['a', 'b'],
  id_token: '',
};
const REMARKS =
  'it has no "token_type"; Bearer is assumed; "id_token" is empty; "scope" is a list instead of a string';

/** What warnings say, without line breaks. */
const joined = (text: string) => text.replace(/\s+/g, ' ');

describe('a token response with odd members', () => {
  it.each([
    ['token', 'client-credentials'],
    ['token', 'exchange', '--subject-token', 'opaque-token'],
    ['token', 'device'],
    ['ciba', 'start', '--login-hint', 'cl-taro'],
    ['token', 'refresh', 'opaque-refresh-token'],
  ])('of %s %s is printed as it came under --json, with one warning', async (...command) => {
    const place = await startWorkplace({
      ...(command[0] === 'ciba' && { backchannel: [ACKNOWLEDGEMENT] }),
      ...(command[1] === 'device' && { device_authorization: [DEVICE_AUTHORIZATION] }),
      token: [{ json: ODD }],
    });
    const { code, stdout, stderr } = await place.run(...command, ...place.target, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(ODD);
    expect(joined(stderr).split(REMARKS)).toHaveLength(2);
  });
});

describe('the device grant', () => {
  it('speaks to a server that calls the address verification_url and sends numbers in strings', async () => {
    const { verification_uri, verification_uri_complete: _, ...others } = DEVICE_AUTHORIZATION.json;
    const json = { ...others, verification_url: verification_uri, expires_in: '1800', interval: '5' };
    const place = await startWorkplace({ device_authorization: [{ json }], token: [TOKENS] });
    const { code, stderr } = await place.run('token', 'device', ...place.target, '--json');
    expect(code).toBe(0);
    expect(stderr).toContain(`Open ${verification_uri}\n`);
    expect(joined(stderr)).toContain(
      '"verification_uri" is named "verification_url"; "expires_in" is a string, "1800"; "interval" is a string, "5"',
    );
  });
});
