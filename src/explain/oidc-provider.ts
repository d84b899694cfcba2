import type { Case } from './case.ts';

/** oidc-provider, in its own words. */
export const OIDC_PROVIDER: readonly Case[] = [
  {
    when: { endpoint: 'introspection', description: /structured jwt tokens cannot be introspected/i },
    cause:
      'The access token is a JWT. oidc-provider keeps no record of those and introspects opaque tokens only.',
    remedy: 'Verify the token by the keys of the server: "oauthctl jwt verify".',
  },
  {
    when: { endpoint: 'revocation', description: /structured jwt tokens cannot be revoked/i },
    cause:
      'The access token is a JWT. oidc-provider keeps no record of those and revokes opaque tokens only.',
    remedy: 'Revoke the refresh token; the access token is valid until it expires.',
  },
  {
    when: { error: 'invalid_request', description: /^urn:\S+ is not allowed for this client$/i },
    cause: 'The client may not use this grant.',
    remedy: 'Add the grant to the grant_types in the registration of the client.',
  },
  {
    when: { endpoint: 'authorization', description: /response_type is not allowed for this client/i },
    cause: 'The client may not use this response type.',
    remedy: 'Add it to the response_types in the registration of the client, or omit --response-type.',
  },
  {
    when: { endpoint: 'authorization', description: /requires pkce/i },
    cause: 'The server requires PKCE, and the request has no code challenge.',
    remedy: 'It is sent by default: remove --omit and --param for code_challenge and code_challenge_method.',
  },
];
