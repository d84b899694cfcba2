import type { GrantDefinition } from './grant.ts';

/**
 * The other parameters are those of the authentication request.
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.10.1
 */
export const CIBA_GRANT = {
  name: 'ciba',
  command: 'ciba start',
  grantType: 'urn:openid:params:grant-type:ciba',
  summary: 'a person is asked on another device',
  specification: 'CIBA Core 1.0',
  examples: ['oauthctl ciba start --login-hint cl-taro --device --approve'],
  parameters: { auth_req_id: { is: 'secret' } },
} as const satisfies GrantDefinition;
