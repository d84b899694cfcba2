import type { GrantDefinition } from './grant.ts';

/**
 * The other parameters are those of the device authorization request.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.4
 */
export const DEVICE_GRANT = {
  name: 'device',
  command: 'token device',
  grantType: 'urn:ietf:params:oauth:grant-type:device_code',
  summary: 'a person enters a code in a browser, anywhere',
  specification: 'RFC 8628',
  examples: ['oauthctl token device --scope openid'],
  parameters: { device_code: { is: 'secret' } },
} as const satisfies GrantDefinition;
