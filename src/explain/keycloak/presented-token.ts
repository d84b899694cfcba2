import type { Case } from '../case.ts';

/** Keycloak on requests about a token: introspection, revocation, UserInfo. */
export const KEYCLOAK_PRESENTED_TOKEN: readonly Case[] = [
  {
    when: {
      endpoint: 'resource',
      error: 'insufficient_scope',
      description: /missing (?:openid scope|scope: \[?openid)/i,
    },
    cause: 'The token was requested without the scope "openid".',
    remedy: 'Request a token with --scope openid and call again.',
  },
  {
    when: { endpoint: 'introspection', status: 403, description: /client not allowed/i },
    cause:
      'Keycloak allows introspection to confidential clients only, not to public or bearer-only clients.',
    remedy: 'Introspect as a confidential client, such as that of the resource server.',
  },
  {
    when: { endpoint: 'introspection', status: 401, description: /authentication failed/i },
    cause: 'The client is unknown or disabled, its secret is wrong, or it authenticates by another method.',
    remedy: 'Compare --client-id, --client-secret and --auth-method with the registration of the client.',
  },
  {
    when: { endpoint: 'introspection', description: /unsupported token type/i },
    cause: 'The server does not know this token_type_hint.',
    remedy: 'Use access_token or refresh_token, or omit --token-type-hint.',
  },
  {
    when: { endpoint: 'revocation', description: /unmatching clients/i },
    cause: 'The token was issued to another client; only that client may revoke it.',
    remedy: 'Revoke it with the profile of the client that requested it (its azp or client_id).',
  },
  {
    when: { endpoint: 'userinfo', description: /lightweight access token/i },
    cause:
      'The access token is a lightweight one, which Keycloak 26.6 and later accepts for introspection only.',
    remedy:
      'Switch off "Always use lightweight access token" of the client, or introspect the token instead.',
  },
  {
    when: { endpoint: 'userinfo', description: /session[ _]not[ _]found|doesn't have client attached/i },
    cause: 'The session of the token has ended: logged out, revoked or expired.',
    remedy: 'Sign in again and use the new access token.',
  },
  {
    when: { endpoint: 'userinfo', description: /(?:user|client) disabled/i },
    cause: 'The user, or the client that the token was issued to, was disabled.',
    remedy: 'Enable it again, or use a token of another user or client.',
  },
];
