import { SCOPE } from '../common.ts';
import type { GrantDefinition } from './grant.ts';

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-6 */
export const REFRESH_GRANT = {
  name: 'refresh',
  command: 'token refresh',
  grantType: 'refresh_token',
  summary: 'with a refresh token',
  specification: 'RFC 6749 §6',
  examples: ['oauthctl token refresh', 'oauthctl token refresh @refresh-token.txt'],
  parameters: { refresh_token: { is: 'secret' }, scope: SCOPE },
} as const satisfies GrantDefinition;
