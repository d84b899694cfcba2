import type { Case } from '../case.ts';

/** Keycloak on token exchange. */
export const KEYCLOAK_TOKEN_EXCHANGE: readonly Case[] = [
  {
    when: { endpoint: 'token', error: 'invalid_token' },
    cause:
      'The identity provider does not confirm the subject token: it has a wrong signature, is expired, or is from another issuer.',
    remedy: 'Get a new token there, and compare its iss with the issuer of the identity provider.',
  },
  {
    when: { endpoint: 'token', description: /audience not found/i },
    cause: 'The realm has no client of the name that --audience gave.',
    remedy: 'Give the client id of the service that the new token is for.',
  },
  {
    when: { endpoint: 'token', description: /assertion consumer url/i },
    cause:
      'A SAML assertion was requested, but the client of --audience is not a SAML client with a consumer URL.',
    remedy: 'Name a SAML client with --audience, and set its Assertion Consumer Service URL.',
  },
  {
    when: { endpoint: 'token', description: /standard token exchange is not enabled/i },
    cause: 'Token exchange is disabled for this client.',
    remedy:
      'Switch on "Standard Token Exchange" in the capability settings of the client ' +
      '(standard.token.exchange.enabled).',
  },
  {
    when: { endpoint: 'token', description: /sender-constrained token exchange rejected/i },
    cause:
      'The subject token is bound to a certificate or key of another client, and only that client may exchange it.',
    remedy: 'Exchange it as the client that it was issued to, or start from a token that is not bound.',
  },
  {
    when: { endpoint: 'token', description: /client not allowed to exchange/i },
    cause:
      'The client has no permission for this legacy exchange, or the user to impersonate does not exist: audience, ' +
      'requested_subject and both issuers each require one.',
    remedy:
      'Give the client a policy on the permission "token-exchange" of the target client or identity provider, or on ' +
      '"impersonate" of the users, in the admin console.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_request', description: /^invalid issuer$/i },
    cause: 'The realm has no identity provider of the name that requested_issuer gave.',
    remedy: 'Give the alias of an identity provider, not its address.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_issuer' },
    cause:
      'The realm has no identity provider of the name that subject_issuer gave, or it does not exchange tokens of other issuers.',
    remedy: 'Give the alias of an identity provider, or its issuer if the realm knows it.',
  },
  {
    when: { endpoint: 'token', error: 'not_linked' },
    cause: 'The user has no account linked at the identity provider that requested_issuer names.',
    remedy: 'Let the user link one at the account-link-url of the answer, which -v shows.',
  },
  {
    when: { endpoint: 'token', description: /not within the token audience|not the holder of the token/i },
    cause: 'The subject token was issued to another client and is not meant for this one.',
    remedy:
      "Add this client to the aud of the subject token, with an audience mapper in the other client's scopes.",
  },
  {
    when: { endpoint: 'token', description: /requested audience not available/i },
    cause: 'No token of this client can have the requested audience.',
    remedy: 'Omit that --audience, or give the client a scope with an audience mapper or a role of it.',
  },
  {
    when: {
      endpoint: 'token',
      description: /supports access tokens only|must be access token|requested_token_type unsupported/i,
    },
    cause: 'The server does not exchange tokens of this type, or does not issue the requested type.',
    remedy:
      'Use access tokens; Keycloak also issues ID tokens, and refresh tokens if the client allows them.',
  },
  {
    when: { endpoint: 'token', description: /not supported for standard token exchange/i },
    cause: "The parameter belongs to Keycloak's legacy token exchange.",
    remedy: 'Omit it, or enable the feature token-exchange and its permissions at the server.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_request', description: /^invalid token$/i },
    cause: 'The subject token is not from this realm, it is expired, or its session has ended.',
    remedy: 'Request a new subject token and exchange it.',
  },
  {
    when: { endpoint: 'token', description: /duplicated parameter/i },
    cause: 'The server accepts each parameter only once, --audience and --resource included.',
    remedy: 'Give one value, and send one request for each further value.',
  },
];
