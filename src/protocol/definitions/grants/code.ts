import type { GrantDefinition } from './grant.ts';

/**
 * The other parameters are those of the authorization request.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
 * @see https://www.rfc-editor.org/rfc/rfc7636#section-4.5
 */
export const CODE_GRANT = {
  name: 'code',
  command: 'token code',
  grantType: 'authorization_code',
  summary: 'a person signs in with a browser, with PKCE, state and nonce',
  specification: 'RFC 6749 §4.1',
  examples: ['oauthctl token code --scope openid', 'oauthctl token code --scope openid --par --dpop'],
  notes: '--param and --omit change the authorization request, also if it is pushed or signed.',
  parameters: {
    code: { is: 'secret' },
    redirect_uri: { is: 'plain' },
    code_verifier: { is: 'secret' },
    resource: { is: 'identity' },
  },
} as const satisfies GrantDefinition;
