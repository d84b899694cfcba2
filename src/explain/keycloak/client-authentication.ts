import type { Case } from '../case.ts';

/** Keycloak on the authentication of a client. */
export const KEYCLOAK_CLIENT_AUTHENTICATION: readonly Case[] = [
  {
    when: { error: 'invalid_client', description: /client_assertion/i },
    cause: 'The client is registered to authenticate with a signed JWT, not with a secret.',
    remedy: "Compare --auth-method with the client authenticator on the client's Credentials tab.",
  },
  {
    when: { description: /signature on jwt token by client secret/i },
    cause:
      'The client assertion is signed with another secret than that of the client, or with another algorithm.',
    remedy:
      "Compare --client-secret and --signing-alg with the signature and secret on the client's Credentials tab.",
  },
  {
    when: { error: 'invalid_client', description: /signature on jwt token/i },
    cause: 'The signature of the client assertion was not made with the key registered under its kid.',
    remedy:
      'Register what "oauthctl key jwks" prints for the file of --client-key; a server may cache the old keys for a while.',
  },
  {
    when: { error: 'invalid_client', description: /unable to load public key/i },
    cause:
      'The server found no public key for the kid and the algorithm of the client assertion, or could not fetch the keys.',
    remedy:
      'Register what "oauthctl key jwks" prints for the file of --client-key, or name a registered key with --kid; ' +
      'Keycloak ignores keys without "use": "sig".',
  },
  {
    when: { description: /token reuse detected/i },
    cause: 'The client assertion was used before: the server accepts each jti once.',
    remedy: 'Make a new one; with --client-key each request gets a new assertion.',
  },
  {
    when: { error: 'invalid_client', description: /token is not active/i },
    cause: 'The client assertion has expired, or is not valid yet by the clock of the server.',
    remedy: 'Make a new one, and compare the clocks of both machines.',
  },
  {
    when: { description: /token audience doesn't match|invalid token audience/i },
    cause: 'The aud of the client assertion is neither the issuer nor an endpoint of this server.',
    remedy: 'Omit --assertion-audience, or set it to the issuer of the server ("oauthctl discover").',
  },
  {
    when: {
      error: 'unauthorized_client',
      description: /invalid client(?: or invalid client)? (?:secret|credentials)/i,
    },
    cause:
      'The client secret or key is wrong, the client authenticates by another method, or it is unknown or disabled.',
    remedy:
      "Compare --client-id, --auth-method and --client-secret (or the key) with the client's Credentials tab. Keycloak 14 accepts a " +
      'secret with special characters with --auth-method client_secret_post only.',
  },
  {
    when: { error: 'unauthorized_client', description: /client secret not provided/i },
    cause: 'The client has a secret, but none was sent.',
    remedy: 'Give --client-secret, and an --auth-method that sends it.',
  },
];
