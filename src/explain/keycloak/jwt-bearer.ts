import type { Case } from '../case.ts';

/** Keycloak on JWT authorization grants. */
export const KEYCLOAK_JWT_BEARER: readonly Case[] = [
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /token reuse detected/i },
    cause: 'The assertion was used before: the server accepts each jti once.',
    remedy: 'Make a new one; with --assertion-key each request gets a new assertion.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /invalid token audience|multiple audiences not allowed/i,
    },
    cause:
      'The aud of the assertion is neither the issuer nor the token endpoint of this server, or it has several values.',
    remedy: 'Omit --aud, or set it to the issuer of the server ("oauthctl discover").',
  },
  {
    when: { endpoint: 'token', description: /jwt authorization grant is not supported/i },
    cause: 'The JWT authorization grant is disabled for this client.',
    remedy: 'Switch on "JWT Authorization Grant" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', description: /public client not allowed to use authorization grant/i },
    cause: 'The client is public: a JWT authorization grant requires a confidential client.',
    remedy: 'Switch on "Client authentication" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', description: /no identity provider for provided issuer/i },
    cause: 'The realm has no identity provider whose issuer is the iss of the assertion.',
    remedy: 'Compare --iss with the issuer of the identity provider; they must be identical.',
  },
  {
    when: { endpoint: 'token', description: /identity provider is not (?:enabled|allowed|configured)/i },
    cause:
      'The identity provider of the iss is disabled, not set up for JWT authorization grants, or not allowed to ' +
      'this client.',
    remedy:
      'Switch "JWT Authorization Grant" on at the identity provider, and choose the provider in the capability ' +
      'settings of the client (oauth2.jwt.authorization.grant.idp).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^invalid signature$/i },
    cause:
      'No key of the identity provider verifies the assertion: its kid is unknown, or it was signed with another key.',
    remedy:
      'Publish what "oauthctl key jwks" prints for the file of --assertion-key where the provider reads its keys, or ' +
      'name a published one with --assertion-kid; a server may cache the old keys for a while.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^user not found$/i },
    cause: 'No user of the realm is linked to the sub of the assertion.',
    remedy: "Compare --sub with the user's id under Identity provider links; it is not the user name.",
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /claim is required|missing claim|not a valid jwt|missing parameter ?: ?assertion/i,
    },
    cause: 'The assertion is not a JWT, or it lacks a claim that the server requires.',
    remedy: 'It needs iss, sub, aud, exp and jti; --assertion-key sets them all.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /issued in the future|too far in the (?:past|future)/i,
    },
    cause:
      'By the clock of the server the assertion is from the past or the future, or its lifetime is too long.',
    remedy: 'Compare the clocks of both machines, and shorten --lifetime.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^token is not active$/i },
    cause:
      'The refresh token is expired. If an assertion was sent, it is expired or not valid yet by the clock of the ' +
      'server.',
    remedy: 'Sign in again, or make a new assertion and compare the clocks of both machines.',
  },
];
