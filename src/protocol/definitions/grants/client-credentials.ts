import { SCOPE } from '../common.ts';
import type { GrantDefinition } from './grant.ts';

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2 */
export const CLIENT_CREDENTIALS_GRANT = {
  name: 'client-credentials',
  command: 'token client-credentials',
  grantType: 'client_credentials',
  summary: 'as the client itself',
  specification: 'RFC 6749 §4.4',
  examples: [
    'oauthctl token client-credentials --scope profile',
    'oauthctl token client-credentials --reuse --field access_token',
  ],
  parameters: { scope: SCOPE },
} as const satisfies GrantDefinition;
