import type { Endpoint } from '../errors.ts';

/** One answer of a server, and what is behind it. All conditions of `when` must hold. */
export interface Case {
  readonly when: {
    readonly endpoint?: Endpoint;
    readonly error?: string;
    readonly description?: RegExp;
    readonly status?: number;
  };
  readonly cause: string;
  readonly remedy: string;
}

/** From what a server answered to its cause and remedy; the special before the general. */
export const CASES: readonly Case[] = [
  {
    when: {
      endpoint: 'metadata',
      error: 'metadata_not_found',
      description: /realm does not exist|\/realms\//i,
    },
    cause: 'The server knows no realm of this name.',
    remedy:
      'Check the spelling, upper and lower case included. Keycloak 16 and older have /auth before /realms.',
  },
  {
    when: { endpoint: 'metadata', error: 'metadata_not_found' },
    cause: 'Neither OpenID Connect Discovery nor RFC 8414 metadata is there.',
    remedy:
      'Check the issuer: on Keycloak it ends in /realms/REALM, before version 17 in /auth/realms/REALM.',
  },
  {
    when: { error: 'access_denied', description: /realm not enabled/i },
    cause: 'The realm is switched off.',
    remedy: 'Switch on "Enabled" in the settings of the realm.',
  },
  {
    when: { description: /oauth 2\.0 device authorization grant/i },
    cause: 'The device grant is switched off for this client.',
    remedy:
      'Switch on "OAuth 2.0 Device Authorization Grant" in the capability settings of the client ' +
      '(oauth2.device.authorization.grant.enabled).',
  },
  {
    when: { endpoint: 'device_authorization', error: 'unauthorized_client', description: /^$/ },
    cause: 'The client may not use the device grant.',
    remedy: 'Allow the grant urn:ietf:params:oauth:grant-type:device_code in the registration of the client.',
  },
  {
    when: { endpoint: 'device_authorization', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'token', description: /audience not found/i },
    cause: 'The realm has no client of the name that --audience gave.',
    remedy: 'Give the client id of the service that the new token is for.',
  },
  {
    when: { error: 'invalid_client', description: /client_assertion/i },
    cause: 'The client is registered to authenticate with a signed JWT, not with a secret.',
    remedy: "Compare --auth-method with the client authenticator on the client's Credentials tab.",
  },
  {
    when: { description: /signature on jwt token by client secret/i },
    cause:
      'The client assertion is signed with another secret than the client has, or with another algorithm.',
    remedy:
      "Compare --client-secret and --signing-alg with the signature and secret on the client's Credentials tab.",
  },
  {
    when: { error: 'invalid_client', description: /signature on jwt token/i },
    cause: 'The signature of the client assertion is not by the key that is registered under its kid.',
    remedy:
      'Register what "oauthctl key jwks" prints for the file of --client-key; a server may keep the old keys for a while.',
  },
  {
    when: { error: 'invalid_client', description: /unable to load public key/i },
    cause:
      'The server found no public key for the kid and the algorithm of the client assertion, or could not fetch the keys.',
    remedy:
      'Register what "oauthctl key jwks" prints for the file of --client-key, or name a registered key with --kid; ' +
      'Keycloak overlooks keys without "use": "sig".',
  },
  {
    when: { description: /token reuse detected/i },
    cause: 'The client assertion was used before: the server takes each jti once.',
    remedy: 'Make a new one; with --client-key every request gets its own.',
  },
  {
    when: { error: 'invalid_client', description: /token is not active/i },
    cause: 'The client assertion has expired, or is not valid yet by the clock of the server.',
    remedy: 'Make a new one, and compare the clocks of both machines.',
  },
  {
    when: { description: /token audience doesn't match|invalid token audience/i },
    cause: 'The aud of the client assertion is neither the issuer nor an endpoint of this server.',
    remedy:
      'Leave --assertion-audience out, or set it to what the server calls itself ("oauthctl discover").',
  },
  {
    when: { error: 'invalid_client' },
    cause:
      'The server does not accept the client: unknown or disabled client, wrong secret, or another authentication method.',
    remedy: 'Compare --client-id, --client-secret and --auth-method with the registration of the client.',
  },
  {
    when: {
      error: 'unauthorized_client',
      description: /invalid client(?: or invalid client)? (?:secret|credentials)/i,
    },
    cause: 'Keycloak says so when the client secret is wrong, or the client is unknown or disabled.',
    remedy: "Compare --client-id and --client-secret with the client's Credentials tab.",
  },
  {
    when: { error: 'unauthorized_client', description: /client secret not provided/i },
    cause: 'The client has a secret, and none was sent.',
    remedy: 'Give --client-secret, and an --auth-method that sends it.',
  },
  {
    when: { description: /client not allowed oidc ciba grant/i },
    cause: 'The CIBA grant is switched off for this client.',
    remedy: 'Switch on "OIDC CIBA Grant" in the capability settings of the client (oidc.ciba.grant.enabled).',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /invalid[_ ]user/i },
    cause: 'The realm has no such user, or the user is disabled or locked.',
    remedy:
      'Check --login-hint: Keycloak takes a user name, and an e-mail address only where the realm allows it.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'unknown_user_id' },
    cause: 'The server could not tell from the hint who should be asked.',
    remedy: 'Check --login-hint, and in which form the server wants it.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_binding_message' },
    cause:
      'Keycloak takes 1 to 50 characters: letters, digits and - . _ + / ! ? #. A space is not among them.',
    remedy: 'Choose a --binding-message of these characters, for example test-0001.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /failed to send authentication request/i },
    cause: 'The server could not reach the authentication device.',
    remedy:
      'Start "oauthctl ciba device" (or add --device), and check that the address it listens on is the one in the ' +
      "server's ciba-http-auth-channel setting, seen from the server's machine.",
  },
  {
    when: {
      endpoint: 'backchannel_authentication',
      description: /unexpected response from authentication device/i,
    },
    cause: 'The authentication device answered the delegation, but not with 201.',
    remedy:
      'Look at what the device says: a 401 means that it does not trust the bearer (another profile, or localhost ' +
      'against 127.0.0.1), a 404 that the path differs.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /missing parameter ?: ?(\w+)/i },
    cause:
      'The server wants a parameter that was not sent. Which hint it reads is set in the CIBA policy of the realm.',
    remedy: 'On Keycloak use --login-hint, the only hint that it reads, and --scope.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /user code not supported/i },
    cause: 'Keycloak does not support user codes.',
    remedy: 'Leave --user-code out.',
  },
  {
    when: { endpoint: 'backchannel_authentication', description: /notification token|ping and push modes/i },
    cause: 'The delivery mode of the client and the request do not agree on a client_notification_token.',
    remedy:
      'It belongs in ping mode and nowhere else: check ciba.backchannel.token.delivery.mode of the client.',
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'backchannel_authentication', error: 'unauthorized_client' },
    cause: 'The client may not use CIBA.',
    remedy: 'Allow the grant urn:openid:params:grant-type:ciba in the registration of the client.',
  },
  {
    when: { endpoint: 'token', description: /standard token exchange is not enabled/i },
    cause: 'Token exchange is switched off for this client.',
    remedy:
      'Switch on "Standard Token Exchange" in the capability settings of the client ' +
      '(standard.token.exchange.enabled).',
  },
  {
    when: { endpoint: 'token', description: /not within the token audience/i },
    cause: 'The subject token was issued to another client and is not meant for this one.',
    remedy:
      "Put this client into the aud of the subject token, with an audience mapper at the other client's scopes.",
  },
  {
    when: { endpoint: 'token', description: /requested audience not available/i },
    cause: 'A token of this client would not have the audience that was asked for, whatever the exchange.',
    remedy: 'Leave that --audience out, or give the client a scope with an audience mapper or a role of it.',
  },
  {
    when: { endpoint: 'token', description: /supports access tokens only|requested_token_type unsupported/i },
    cause: 'The server does not exchange tokens of this type, or not into it.',
    remedy:
      'Use access tokens; Keycloak gives ID tokens as well, refresh tokens only where the client allows them.',
  },
  {
    when: { endpoint: 'token', description: /not supported for standard token exchange/i },
    cause: "The parameter belongs to Keycloak's legacy token exchange.",
    remedy: 'Leave it out, or switch the feature token-exchange on at the server, and its permissions.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_request', description: /^invalid token$/i },
    cause: 'The subject token is none of this realm, it is expired, or its session has ended.',
    remedy: 'Get a new subject token and exchange that.',
  },
  {
    when: { endpoint: 'token', description: /duplicated parameter/i },
    cause: 'The server takes a parameter once only, --audience and --resource included.',
    remedy: 'Name one, and make a request for each other.',
  },
  {
    when: { endpoint: 'token', status: 501 },
    cause: 'The server has this grant switched off.',
    remedy:
      'Keycloak exchanges tokens from 26.2 on; before that, the feature token-exchange has to be switched on.',
  },
  {
    when: { endpoint: 'token', description: /jwt authorization grant is not supported/i },
    cause: 'The JWT authorization grant is switched off for this client.',
    remedy: 'Switch on "JWT Authorization Grant" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied', description: /denied the authorization request/i },
    cause: 'The person said no in the browser.',
    remedy: 'Ask again with a new code, once that is sorted out.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token', description: /device code/i },
    cause: 'Nobody entered the code before it expired.',
    remedy: 'Ask for a new code; how long one lives is set at the server (OAuth 2.0 Device Code Lifespan).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /device code/i },
    cause: 'The device code is unknown, used already, or of another client.',
    remedy: 'Ask for a new code; each gives tokens once.',
  },
  {
    when: { endpoint: 'token', error: 'access_denied' },
    cause: 'The person said no or cancelled on the authentication device.',
    remedy: 'Ask again with a new authentication request, once that is sorted out.',
  },
  {
    when: { endpoint: 'token', error: 'expired_token' },
    cause: 'Nobody approved the request before it expired.',
    remedy:
      'Start a new authentication request; how long one lives is set at the server (Keycloak: CIBA policy, Expires In).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^unauthorized client$/i },
    cause: 'The auth_req_id belongs to another client.',
    remedy: 'Poll with the client that made the request: compare --client-id and the profile.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /auth[ _]req[ _]id/i },
    cause:
      'The auth_req_id is unknown: it was used already, it expired some time ago, or a second result callback ' +
      'destroyed the transaction.',
    remedy: 'Start a new authentication request; each id gives tokens once.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /not fully set up/i },
    cause: 'The user has required actions to do (a password to change, a profile to complete).',
    remedy: 'Let the user sign in once in a browser, or remove the required actions in the admin console.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /user disabled|could not identify user/i,
    },
    cause: 'The user was disabled or removed after the request was made.',
    remedy: 'Enable the user, or ask another one with a new request.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /invalid user credentials/i },
    cause: 'The user name or the password is wrong, or the account is disabled or locked.',
    remedy:
      'Check --username and --password; after several wrong ones Keycloak locks an account for a while.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /refresh token|token is not active|session/i,
    },
    cause:
      'The refresh token is expired, used already, revoked, or of another client, or its session has ended.',
    remedy: 'Sign in again; a new refresh token comes with the new tokens.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant' },
    cause: 'The grant is unknown, used already, expired, or was issued to another client.',
    remedy: 'Begin again with a new request.',
  },
  {
    when: { endpoint: 'token', error: 'unsupported_grant_type' },
    cause: 'The server does not know this grant, or has the feature switched off.',
    remedy: 'Compare with the grants that "oauthctl discover" shows.',
  },
  {
    when: { endpoint: 'token', description: /service account/i },
    cause: 'The client has no service account, so it has no tokens of its own.',
    remedy: 'Switch on "Service accounts roles" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', description: /direct access grants/i },
    cause: 'The password grant is switched off for this client.',
    remedy:
      'Switch on "Direct access grants" in the capability settings of the client, or use another grant.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'token', error: 'unauthorized_client' },
    cause: 'The client may not use this grant.',
    remedy: 'Allow the grant in the registration of the client.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 401 },
    cause: 'The callback carried no bearer that the server could read.',
    remedy: 'Send the bearer of the delegation, unchanged.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 403 },
    cause: 'The bearer is used already, expired, or belongs to no pending request.',
    remedy: 'Each bearer takes one result. Start a new authentication request.',
  },
  {
    when: { endpoint: 'ciba_callback', status: 500 },
    cause:
      'Keycloak could not handle the result. Keycloak 14 answers so when the request is gone: its end was told ' +
      'to the client already.',
    remedy: "Start a new authentication request, or look into the server's log at this time.",
  },
  {
    when: { error: 'server_error' },
    cause: 'Something failed inside the server.',
    remedy: "Look into the server's log at this time.",
  },
];
