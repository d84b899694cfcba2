import { SCOPE } from '../common.ts';
import type { GrantDefinition } from './grant.ts';

/** @see https://www.rfc-editor.org/rfc/rfc7523#section-2.1 */
export const JWT_BEARER_GRANT = {
  name: 'jwt-bearer',
  command: 'token jwt-bearer',
  grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  summary: 'with a JWT that is signed by a party that the server trusts',
  specification: 'RFC 7523 §2.1',
  examples: [
    'oauthctl token jwt-bearer --assertion-key key.json --iss https://partner.example --sub cl-taro',
    'oauthctl token jwt-bearer --assertion file:assertion.jwt',
  ],
  parameters: {
    assertion: {
      is: 'assertion',
      option: {
        flags: '--assertion <ref>',
        help: 'a ready-made JWT: env:NAME, file:PATH, @FILE, cmd:COMMAND or -',
        read: 'token-secret',
      },
    },
    scope: SCOPE,
  },
} as const satisfies GrantDefinition;
