import type { Case } from '../case.ts';

const CLIENT_NOT_ACCEPTED = {
  cause:
    'The server does not accept the client: unknown or disabled client, wrong secret, or another authentication method.',
  remedy:
    'Compare --client-id, --client-secret and --auth-method with the registration of the client; with --cert, the ' +
    'subject of the certificate as well.',
};

/** `unauthorized_client` of servers that use it for wrong credentials, at every endpoint. */
export const GENERIC_CREDENTIALS: readonly Case[] = [
  {
    when: { error: 'unauthorized_client', description: /\b(?:secret|credentials?)\b/i },
    ...CLIENT_NOT_ACCEPTED,
  },
];

/** Errors that mean the same at every endpoint, and those of the metadata. */
export const GENERIC_ANY_ENDPOINT: readonly Case[] = [
  {
    when: { endpoint: 'metadata', error: 'metadata_not_found' },
    cause: 'The server publishes neither OpenID Connect Discovery nor RFC 8414 metadata for this issuer.',
    remedy:
      'Check the issuer, its path included: it is the address before /.well-known/openid-configuration.',
  },
  {
    when: { error: 'invalid_target' },
    cause: 'The server does not know the resource, or issues no tokens for it to this client.',
    remedy: 'Compare --resource with the addresses that the server knows.',
  },
  {
    when: { error: 'invalid_authorization_details' },
    cause:
      'The server does not know a type of the authorization details, or a member of one is missing or wrong.',
    remedy:
      'Compare --authorization-details with authorization_details_types_supported in "oauthctl discover".',
  },
  {
    when: { error: 'invalid_client' },
    ...CLIENT_NOT_ACCEPTED,
  },
  {
    when: { error: 'invalid_request_object' },
    cause:
      'The server could not decrypt, verify or read the request object, or its algorithms are not those that the client is registered for.',
    remedy:
      'Register what "oauthctl key jwks" prints for the signing key, compare the signing and encryption algorithms with ' +
      'the registration of the client, and the client_id and response_type inside with those outside.',
  },
  {
    when: { error: 'server_error' },
    cause: 'The server failed with an internal error.',
    remedy: "Check the server's log at this time.",
  },
];
