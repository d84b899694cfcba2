/** What the registered header parameters mean. @see https://www.iana.org/assignments/jose/jose.xhtml */
const PARAMETERS: Readonly<Record<string, string>> = {
  alg: 'algorithm of the signature, or of the key encryption (RFC 7515, RFC 7516)',
  b64: 'whether the payload is encoded (RFC 7797)',
  crit: 'parameters that must be understood (RFC 7515)',
  cty: 'content type; JWT stands for a nested JWT (RFC 7519)',
  enc: 'algorithm of the content encryption (RFC 7516)',
  epk: 'ephemeral public key of the key agreement (RFC 7518)',
  apu: 'information about the producer in the key agreement (RFC 7518)',
  apv: 'information about the recipient in the key agreement (RFC 7518)',
  iv: 'initialization vector of the key wrapping (RFC 7518)',
  jku: 'where the issuer says its keys are; never fetched here (RFC 7515)',
  jwk: 'key in the token itself; never trusted here (RFC 7515)',
  kid: 'key that it is signed or encrypted with (RFC 7515)',
  p2c: 'iterations of the password derivation (RFC 7518)',
  p2s: 'salt of the password derivation (RFC 7518)',
  tag: 'authentication tag of the key wrapping (RFC 7518)',
  typ: 'media type of the whole: JWT, at+jwt, logout+jwt, dpop+jwt, … (RFC 7515)',
  x5c: 'certificate chain in the token itself; never trusted here (RFC 7515)',
  x5t: 'SHA-1 thumbprint of the certificate (RFC 7515)',
  'x5t#S256': 'SHA-256 thumbprint of the certificate (RFC 7515)',
  x5u: 'where the issuer says its certificates are; never fetched here (RFC 7515)',
  zip: 'compression before encryption (RFC 7516)',
};

/** What claims mean: the registered ones, and those that servers are known for. @see https://www.iana.org/assignments/jwt/jwt.xhtml */
const CLAIMS: Readonly<Record<string, string>> = {
  iss: 'issuer: who made it (RFC 7519)',
  sub: 'subject: whom it is about (RFC 7519)',
  aud: 'audience: who may accept it (RFC 7519)',
  exp: 'expiration: not to be accepted from then on (RFC 7519)',
  nbf: 'not before: not to be accepted until then (RFC 7519)',
  iat: 'issued at (RFC 7519)',
  jti: 'identifier of this token (RFC 7519)',

  acr: 'class of the authentication (OpenID Connect)',
  address: 'postal address (OpenID Connect)',
  amr: 'methods of the authentication: pwd, otp, … (RFC 8176)',
  at_hash: 'binds an ID token to the access token (OpenID Connect)',
  auth_time: 'when the person authenticated (OpenID Connect)',
  azp: 'authorized party: the client it was issued to (OpenID Connect)',
  birthdate: 'date of birth (OpenID Connect)',
  c_hash: 'binds an ID token to the authorization code (OpenID Connect)',
  email: 'e-mail address (OpenID Connect)',
  email_verified: 'whether the e-mail address was verified (OpenID Connect)',
  family_name: 'family name (OpenID Connect)',
  gender: 'gender (OpenID Connect)',
  given_name: 'given name (OpenID Connect)',
  locale: 'language and region (OpenID Connect)',
  middle_name: 'middle name (OpenID Connect)',
  name: 'full name (OpenID Connect)',
  nickname: 'nickname (OpenID Connect)',
  nonce: 'what the authentication request sent (OpenID Connect)',
  phone_number: 'telephone number (OpenID Connect)',
  phone_number_verified: 'whether the telephone number was verified (OpenID Connect)',
  picture: 'address of a picture (OpenID Connect)',
  preferred_username: 'user name, which may change (OpenID Connect)',
  profile: 'address of the profile page (OpenID Connect)',
  s_hash: 'binds an ID token to the state (FAPI)',
  sid: 'session at the issuer (OpenID Connect logout)',
  sub_jwk: 'key of a self-issued ID token (OpenID Connect)',
  updated_at: 'when the profile last changed (OpenID Connect)',
  website: 'address of a web site (OpenID Connect)',
  zoneinfo: 'time zone (OpenID Connect)',
  'urn:openid:params:jwt:claim:auth_req_id': 'binds an ID token to the authentication request (CIBA)',
  'urn:openid:params:jwt:claim:rt_hash': 'binds an ID token to the refresh token (CIBA)',

  act: 'actor: who acts for the subject (RFC 8693)',
  ath: 'hash of the access token in a DPoP proof (RFC 9449)',
  authorization_details: 'what exactly is allowed (RFC 9396)',
  client_id: 'client it was issued to (RFC 9068)',
  cnf: 'confirmation: the key whose holder alone may use it (RFC 7800, RFC 9449, RFC 8705)',
  entitlements: 'entitlements of the subject (RFC 9068)',
  events: 'what happened: a security event, or a logout (RFC 8417)',
  groups: 'groups of the subject (RFC 9068)',
  htm: 'method of the request in a DPoP proof (RFC 9449)',
  htu: 'address of the request in a DPoP proof (RFC 9449)',
  may_act: 'who may become the actor (RFC 8693)',
  roles: 'roles of the subject (RFC 9068)',
  scope: 'what it allows (RFC 8693, RFC 9068)',
  token_introspection: 'the answer of an introspection (RFC 9701)',
  _sd: 'digests of claims that may be disclosed (SD-JWT)',
  _sd_alg: 'hash of those digests (SD-JWT)',

  'allowed-origins': 'web origins of the client, for CORS (Keycloak)',
  organization: 'organizations of the user (Keycloak)',
  realm_access: 'roles in the realm (Keycloak)',
  resource_access: 'roles in clients (Keycloak)',
  session_state: 'session at the issuer; sid by an older name (Keycloak)',
  typ: 'Bearer, ID, Refresh, Offline or Logout (Keycloak)',

  appid: 'client it was issued to (Microsoft Entra)',
  oid: 'the user across clients (Microsoft Entra)',
  scp: 'what it allows (Microsoft Entra, Okta)',
  tid: 'tenant (Microsoft Entra)',
  upn: 'user name (Microsoft Entra)',
  cid: 'client it was issued to (Okta)',
  hd: 'hosted domain (Google)',
  token_use: 'access or id (Amazon Cognito)',
};

/** Claims that hold seconds since 1970. */
export const TIME_CLAIMS: readonly string[] = ['exp', 'nbf', 'iat', 'auth_time', 'updated_at'];

/** Describes a header parameter in a few words; undefined for an unknown one. */
export function describeParameter(name: string): string | undefined {
  return Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
}

/** Describes a claim in a few words; undefined for an unknown one. */
export function describeClaim(name: string): string | undefined {
  return Object.hasOwn(CLAIMS, name) ? CLAIMS[name] : undefined;
}
