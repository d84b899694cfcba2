import type { Case } from '../case.ts';

/** Keycloak on requests about a token: introspection, revocation, UserInfo. */
export const KEYCLOAK_PRESENTED_TOKEN: readonly Case[] = [
  {
    when: { endpoint: 'introspection', status: 403, description: /client not allowed/i },
    cause:
      'Keycloak allows introspection to confidential clients only, not to public or bearer-only clients.',
    remedy: 'Introspect as a confidential client, such as that of the resource server.',
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
    when: { endpoint: 'userinfo', description: /token verification failed/i },
    cause:
      'The server does not accept the access token: it is expired, revoked, not for a user, not an access token, or ' +
      'from another issuer. The same realm under another host name is another issuer.',
    remedy: 'Request a new one with --scope openid; "oauthctl token show" shows the claims of the kept one.',
  },
];
