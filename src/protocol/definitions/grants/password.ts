import { SCOPE } from '../common.ts';
import type { GrantDefinition } from './grant.ts';

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.3.2 */
export const PASSWORD_GRANT = {
  name: 'password',
  command: 'token password',
  grantType: 'password',
  summary: "with a user's name and password",
  specification: 'RFC 6749 §4.3',
  examples: ['oauthctl token password --username cl-taro --password env:USER_PASSWORD --scope openid'],
  parameters: {
    username: {
      is: 'user',
      option: { flags: '--username <name>', help: 'the user', read: 'text', ask: 'User name' },
      setting: 'loginHint',
    },
    password: {
      is: 'secret',
      option: {
        flags: '--password <ref>',
        help: 'env:NAME, file:PATH, cmd:COMMAND or - (default: asked for on a terminal)',
        read: 'secret',
        ask: 'Password',
      },
    },
    scope: SCOPE,
  },
} as const satisfies GrantDefinition;
