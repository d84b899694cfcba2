import type { Case } from '../case.ts';

/** Requests about or with a token: revocation, UserInfo, logout, a protected resource. */
export const GENERIC_PRESENTED_TOKEN: readonly Case[] = [
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
    when: { endpoint: 'resource', error: 'invalid_token' },
    cause:
      'The resource does not accept the token: expired, revoked, its session ended, issued by another server, or bound to a key or certificate that the request did not prove.',
    remedy:
      'Request a new one and call again; "oauthctl token show" shows the issuer and the binding of the kept one.',
  },
  {
    when: { endpoint: 'resource', error: 'insufficient_scope' },
    cause: 'The token lacks a scope that the resource requires; the resource does not say which.',
    remedy: 'Find it in the documentation of the resource, and request a token with --scope.',
  },
  {
    when: { endpoint: 'resource', status: 401 },
    cause: 'The resource refused the credentials without a reason.',
    remedy:
      'Check that the token is for this resource ("aud" in "oauthctl token show"), and that no proxy drops the Authorization header.',
  },
  {
    when: { endpoint: 'resource', status: 403 },
    cause: 'The resource accepted the token, but does not allow the request.',
    remedy:
      'Check the roles and scopes of the token with "oauthctl token show" against what the resource requires.',
  },
  {
    when: { endpoint: 'introspection', status: 401 },
    cause:
      'The server does not accept the client: it is unknown or disabled, its secret is wrong, or it authenticates by another method.',
    remedy: 'Compare --client-id, --client-secret and --auth-method with the registration of the client.',
  },
  {
    when: { endpoint: 'introspection', status: 403 },
    cause: 'The server does not allow this client to introspect the token.',
    remedy: 'Introspect as a client that may, such as that of the resource server.',
  },
  {
    when: { endpoint: 'introspection', error: 'unsupported_token_type' },
    cause: 'The server does not introspect tokens of this type.',
    remedy: 'Verify a JWT by the keys of the server: "oauthctl jwt verify".',
  },
  {
    when: { endpoint: 'revocation', error: 'unsupported_token_type' },
    cause: 'The server does not revoke tokens of this type, such as ID tokens.',
    remedy: 'Revoke the refresh token or the access token; "oauthctl logout" ends the session.',
  },
  {
    when: { endpoint: 'revocation', error: 'invalid_token' },
    cause:
      'The server does not know the token: it was revoked before, or another server issued it. Nothing was revoked.',
    remedy: 'Compare the token with the issuer; "oauthctl introspect" shows whether it is active.',
  },
  {
    when: { endpoint: 'end_session', error: 'invalid_grant' },
    cause: 'The token is not a refresh token of this server, or it has expired.',
    remedy:
      'Give the refresh token, not the access token. If the session is still active, end it in a browser: "oauthctl logout --browser".',
  },
  {
    when: { endpoint: 'userinfo', error: 'insufficient_scope' },
    cause: 'The token was requested without the scope "openid".',
    remedy: 'Request a token with --scope openid.',
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
  {
    when: { endpoint: 'userinfo', status: 401 },
    cause:
      'The server does not accept the access token: it is expired, revoked, not for a user, not an access token, or ' +
      'from another issuer.',
    remedy: 'Request a new one with --scope openid; "oauthctl token show" shows the claims of the kept one.',
  },
];
