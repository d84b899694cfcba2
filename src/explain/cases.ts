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

/** Keycloak says it in the description, others in the error. */
const PROOF_REFUSED = {
  cause:
    'The server does not accept the DPoP proof: its address, method, time, algorithm or key, or it came before.',
  remedy:
    'Compare htu with the address that the server sees (a proxy may change it), both clocks, and --dpop-alg with "oauthctl discover".',
} as const;

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
    when: { endpoint: 'token', description: /assertion consumer url/i },
    cause:
      'A SAML assertion is made for the client of --audience, and that is no SAML client with a consumer URL.',
    remedy: 'Name a SAML client with --audience, and set its Assertion Consumer Service URL.',
  },
  {
    when: { error: 'use_dpop_nonce' },
    cause:
      'The server wants a nonce of its own in the DPoP proof, and gave none that can be used, or refused the one it gave.',
    remedy: 'Look at the DPoP-Nonce header with -v; the request was sent twice at most.',
  },
  {
    when: { description: /dpop proof (is missing|jwt not provided)/i },
    cause: 'The client, or its refresh token, is bound by DPoP, and the request carried no proof.',
    remedy:
      'Add --dpop, or store it: "oauthctl profile set NAME --dpop". On Keycloak "Require DPoP bound tokens" of the client decides.',
  },
  {
    when: { description: /dpop confirmation|confirmation doesn't match dpop/i },
    cause: 'The token is bound to another key than the one of the DPoP proof.',
    remedy:
      'Use the key that the token was requested with: leave --dpop-key out for the kept one, or name the right file.',
  },
  {
    when: { error: 'invalid_dpop_proof' },
    ...PROOF_REFUSED,
  },
  {
    when: { error: 'invalid_request', description: /dpop/i },
    ...PROOF_REFUSED,
  },
  {
    when: { endpoint: 'resource', error: 'invalid_token' },
    cause:
      'The resource does not accept the token: expired, revoked, its session ended, of another server, or bound to a key or certificate that was not proven.',
    remedy:
      'Request a new one and call again; "oauthctl token show" shows whose the kept one is, and what it is bound to.',
  },
  {
    when: {
      endpoint: 'resource',
      error: 'insufficient_scope',
      description: /missing (?:openid scope|scope: \[?openid)/i,
    },
    cause: 'The token was requested without the scope "openid".',
    remedy: 'Request one with --scope openid and call again.',
  },
  {
    when: { endpoint: 'resource', error: 'insufficient_scope' },
    cause: 'The token lacks a scope that the resource wants, and the resource does not say which.',
    remedy: 'Find it in the documentation of the resource, and request a token with --scope.',
  },
  {
    when: { endpoint: 'resource', status: 401 },
    cause: 'The resource refused the credentials and does not say why.',
    remedy:
      'Check that the token is for this resource ("aud" in "oauthctl token show"), and that nothing on the way drops the Authorization header.',
  },
  {
    when: { endpoint: 'resource', status: 403 },
    cause: 'The resource took the token, and does not allow the request with it.',
    remedy:
      'Check the roles and scopes of the token with "oauthctl token show" against what the resource wants.',
  },
  {
    when: { endpoint: 'introspection', status: 403, description: /client not allowed/i },
    cause: 'Keycloak lets confidential clients introspect, and neither public nor bearer-only ones.',
    remedy: 'Ask as a confidential client, such as that of the resource server.',
  },
  {
    when: { endpoint: 'introspection', status: 401, description: /authentication failed/i },
    cause: 'The client is unknown or disabled, its secret is wrong, or it authenticates by another method.',
    remedy: 'Compare --client-id, --client-secret and --auth-method with the registration of the client.',
  },
  {
    when: { endpoint: 'introspection', description: /unsupported token type/i },
    cause: 'The server does not know this token_type_hint.',
    remedy: 'Use access_token or refresh_token, or leave --token-type-hint out.',
  },
  {
    when: { endpoint: 'revocation', error: 'unsupported_token_type' },
    cause: 'The server does not revoke tokens of this type, such as ID tokens.',
    remedy: 'Revoke the refresh token or the access token; "oauthctl logout" ends the session.',
  },
  {
    when: { endpoint: 'revocation', error: 'invalid_token' },
    cause:
      'The server knows no such token, or not any more: it was revoked before, or is of another realm. Nothing was revoked.',
    remedy: 'Compare the token with the issuer; "oauthctl introspect" tells whether it is active.',
  },
  {
    when: { endpoint: 'revocation', description: /unmatching clients/i },
    cause: 'The token was issued to another client, and only that one may revoke it.',
    remedy: 'Revoke it with the profile of the client that requested it (its azp or client_id).',
  },
  {
    when: { description: /token client and authorized client don't match/i },
    cause: 'The refresh token was issued to another client.',
    remedy: 'Use the profile of the client that requested it (its azp).',
  },
  {
    when: { endpoint: 'end_session', error: 'invalid_grant' },
    cause: 'It is no refresh token of this realm, or it has expired.',
    remedy:
      'Give the refresh token (an access token does not do). Where the session goes on, end it in a browser: "oauthctl logout --browser".',
  },
  {
    when: { endpoint: 'userinfo', description: /lightweight access token/i },
    cause:
      'The access token is a lightweight one, which Keycloak takes for introspection only (26.6 and later).',
    remedy:
      'Switch off "Always use lightweight access token" of the client, or introspect the token instead.',
  },
  {
    when: { endpoint: 'userinfo', description: /session[ _]not[ _]found|doesn't have client attached/i },
    cause: 'The session of the token has ended: logged out, revoked or expired.',
    remedy: 'Sign in again and ask with the new access token.',
  },
  {
    when: { endpoint: 'userinfo', description: /(?:user|client) disabled/i },
    cause: 'The user, or the client that the token was issued to, was disabled.',
    remedy: 'Enable it again, or ask with a token of another one.',
  },
  {
    when: { endpoint: 'userinfo', error: 'insufficient_scope' },
    cause: 'The token was requested without the scope "openid".',
    remedy: 'Request one with --scope openid.',
  },
  {
    when: { endpoint: 'userinfo', status: 401 },
    cause:
      'The server does not accept the access token: expired, revoked, of another realm or host name, or no access token at all.',
    remedy: 'Request a new one with --scope openid; "oauthctl token show" shows the claims of the kept one.',
  },
  {
    when: { endpoint: 'authorization', error: 'access_denied' },
    cause: 'The person said no, or cancelled the login.',
    remedy: 'Ask again, once that is sorted out.',
  },
  {
    when: { endpoint: 'authorization', error: 'login_required' },
    cause: 'Nobody is signed in in this browser, and --prompt none allows no login.',
    remedy: 'Leave --prompt none out, or sign in with the same browser first.',
  },
  {
    when: { endpoint: 'authorization', error: 'consent_required' },
    cause: 'The person has not allowed this client anything yet, and --prompt none allows no question.',
    remedy: 'Go through it once without --prompt none.',
  },
  {
    when: { endpoint: 'authorization', error: 'interaction_required' },
    cause: 'The person has something to do on a page of the server, and --prompt none allows none.',
    remedy: 'Go through it once without --prompt none.',
  },
  {
    when: { description: /pushed authorization request is only allowed/i },
    cause: 'The client must push its authorization requests.',
    remedy: 'Add --par. On Keycloak "Pushed authorization request required" of the client decides.',
  },
  {
    when: { description: /code[_ ]challenge/i },
    cause:
      'The client must use PKCE, with the method that is set for it, and the challenge was missing or another one.',
    remedy: 'It is sent by itself: leave --omit and --param of code_challenge and code_challenge_method out.',
  },
  {
    when: { endpoint: 'token', description: /pkce|code[_ ]verifier/i },
    cause: 'The code verifier does not belong to the code challenge of the authorization request (PKCE).',
    remedy: 'Begin again, without --token-param and --token-omit of code_verifier.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /^(?:authorization )?code (?:is )?(?:not|no longer|invalid|expired)/i,
    },
    cause: 'The code was used before, has expired (Keycloak: after a minute), or is of another client.',
    remedy: 'Begin again: each code gives tokens once.',
  },
  {
    when: { endpoint: 'token', description: /redirect[_ ]uri/i },
    cause: 'The redirect URI is not the one that the code was sent to.',
    remedy: 'Leave --token-param and --token-omit of redirect_uri out.',
  },
  {
    when: { endpoint: 'pushed_authorization_request', description: /redirect[_ ]uri/i },
    cause: 'The redirect URI is not registered for this client.',
    remedy:
      'Register it, or choose a registered one with --redirect-uri. On Keycloak http://127.0.0.1/callback, without a ' +
      'port, stands for every port.',
  },
  {
    when: { endpoint: 'authorization', description: /implicit flow is disabled/i },
    cause: 'The implicit flow is switched off for this client.',
    remedy:
      'Switch on "Implicit flow" in the capability settings of the client, for a test only; or leave --response-type out.',
  },
  {
    when: { endpoint: 'authorization', description: /standard flow is disabled/i },
    cause: 'The authorization code flow is switched off for this client.',
    remedy: 'Switch on "Standard flow" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'authorization', error: 'unsupported_response_type' },
    cause: 'The server does not know this response type, or not for this client.',
    remedy: 'Leave --response-type out, or compare it with the types that "oauthctl discover" shows.',
  },
  {
    when: { endpoint: 'authorization', error: 'unauthorized_client' },
    cause: 'The client may not use this flow.',
    remedy: 'Allow the response type and the grant authorization_code in the registration of the client.',
  },
  {
    when: { endpoint: 'authorization', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { endpoint: 'pushed_authorization_request', error: 'invalid_scope' },
    cause: 'A scope is unknown to the server, or not assigned to the client.',
    remedy: "Compare --scope with the client's scopes.",
  },
  {
    when: { error: 'invalid_target' },
    cause: 'The server does not know the resource, or gives this client no tokens for it.',
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
    when: { endpoint: 'token', error: 'invalid_grant', description: /token reuse detected/i },
    cause: 'The assertion was used before: the server takes each jti once.',
    remedy: 'Make a new one; with --assertion-key every request gets its own.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /invalid token audience|multiple audiences not allowed/i,
    },
    cause:
      'The aud of the assertion is neither the issuer nor the token endpoint of this server, or it is more than one.',
    remedy: 'Leave --aud out, or set it to what the server calls itself ("oauthctl discover").',
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
    remedy:
      'Compare --client-id, --client-secret and --auth-method with the registration of the client; with --cert, the ' +
      'subject of the certificate as well.',
  },
  {
    when: {
      error: 'unauthorized_client',
      description: /invalid client(?: or invalid client)? (?:secret|credentials)/i,
    },
    cause:
      'Keycloak says so when the client secret or key is wrong, when the client authenticates by another method, or ' +
      'when it is unknown or disabled.',
    remedy:
      "Compare --client-id, --auth-method and --client-secret (or the key) with the client's Credentials tab. Keycloak 14 takes a " +
      'secret with special characters by --auth-method client_secret_post only.',
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
    when: { description: /client certification missing/i },
    cause: 'The tokens of this client are bound to a client certificate, and the server saw none.',
    remedy:
      'Give --cert FILE and --key FILE, and reach the server by https; a proxy in between has to pass the certificate on.',
  },
  {
    when: { description: /client certificate missing, or its thumbprint/i },
    cause: 'The token is bound to another client certificate, or the server saw none.',
    remedy: 'Use the --cert and --key that the token was issued for, or request new tokens.',
  },
  {
    when: { error: 'invalid_request_object', description: /request expired/i },
    cause: 'The request object has expired by the clock of the server.',
    remedy: 'Make a new request, and compare the clocks of both machines.',
  },
  {
    when: { description: /request not yet being processed|request issued in the future/i },
    cause: 'The request object is not valid yet by the clock of the server.',
    remedy: 'Compare the clocks of both machines.',
  },
  {
    when: { description: /request's available period is long/i },
    cause: 'A client policy of the realm (secure-request-object) wants the request object to live less long.',
    remedy: 'Let less time pass between its nbf and its exp, or allow more in the policy (available-period).',
  },
  {
    when: { description: /in the 'request' object: aud/i },
    cause: 'The aud of the request object is not the issuer, as the server calls itself.',
    remedy: 'Compare the issuer with what "oauthctl discover" prints.',
  },
  {
    when: { description: /in the 'request' object/i },
    cause:
      'A client policy of the realm (secure-request-object) wants a claim in the request object that is not there.',
    remedy: 'Add what the server names.',
  },
  {
    when: { description: /request object not encrypted/i },
    cause: 'A client policy of the realm (secure-request-object) wants request objects encrypted.',
    remedy: 'Add --request-object-encryption-alg RSA-OAEP, or change the policy (encryption-required).',
  },
  {
    when: { description: /parameters in 'request' object not matching/i },
    cause: 'A parameter beside the request object differs from the one inside, or is not inside.',
    remedy: 'Send each parameter inside, and the same value outside or nothing.',
  },
  {
    when: {
      error: 'invalid_request',
      description: /^invalidRequestMessage$|missing parameter: 'request'|request object must be used/i,
    },
    cause: 'The client is registered to put its authorization request into a request object.',
    remedy:
      'Add --request-object, or relax the registration of the client (Keycloak: "Request object required").',
  },
  {
    when: {
      error: 'invalid_request_object',
      description: /unsupported signed request alg|preregistered alg must be used/i,
    },
    cause: 'The request object is signed with another algorithm than the client is registered for.',
    remedy: 'Give --request-object-alg what is registered as request_object_signing_alg.',
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
    when: { endpoint: 'token', description: /standard token exchange is not enabled/i },
    cause: 'Token exchange is switched off for this client.',
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
      'requested_subject and both issuers take one each.',
    remedy:
      'Give the client a policy on the permission "token-exchange" of the target client or identity provider, or on ' +
      '"impersonate" of the users, in the admin console.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_request', description: /^invalid issuer$/i },
    cause: 'The realm has no identity provider of the name that requested_issuer gave.',
    remedy: 'Give the alias of an identity provider, which is not its address.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_issuer' },
    cause:
      'The realm has no identity provider of the name that subject_issuer gave, or it takes no foreign tokens.',
    remedy: 'Give the alias of an identity provider, or its issuer where the realm knows that.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_token' },
    cause:
      'The identity provider does not confirm the subject token: wrong signature, expired, or not of its issuer.',
    remedy: 'Get a new token there, and compare its iss with the issuer of the identity provider.',
  },
  {
    when: { endpoint: 'token', error: 'not_linked' },
    cause: 'The user has no account linked at the identity provider that requested_issuer names.',
    remedy: 'Let the user link one: the answer has an account-link-url, which -v shows.',
  },
  {
    when: { endpoint: 'token', description: /not within the token audience|not the holder of the token/i },
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
    when: {
      endpoint: 'token',
      description: /supports access tokens only|must be access token|requested_token_type unsupported/i,
    },
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
    when: { endpoint: 'token', description: /public client not allowed to use authorization grant/i },
    cause: 'The client is public: a JWT authorization grant takes one that authenticates.',
    remedy: 'Switch on "Client authentication" in the capability settings of the client.',
  },
  {
    when: { endpoint: 'token', description: /no identity provider for provided issuer/i },
    cause: 'The realm has no identity provider whose issuer is the iss of the assertion.',
    remedy: 'Compare --iss with the issuer of the identity provider, to the character.',
  },
  {
    when: { endpoint: 'token', description: /identity provider is not (?:enabled|allowed|configured)/i },
    cause:
      'The identity provider of the iss is switched off, not set up for JWT authorization grants, or not allowed to ' +
      'this client.',
    remedy:
      'Switch "JWT Authorization Grant" on at the identity provider, and choose the provider in the capability ' +
      'settings of the client (oauth2.jwt.authorization.grant.idp).',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^invalid signature$/i },
    cause:
      'No key of the identity provider has verified the assertion: its kid is unknown, or another key has signed.',
    remedy:
      'Publish what "oauthctl key jwks" prints for the file of --assertion-key where the provider looks for keys, or ' +
      'name a published one with --assertion-kid; a server may keep the old keys for a while.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^user not found$/i },
    cause: 'No user of the realm is linked to the sub of the assertion.',
    remedy: "Compare --sub with the user's id under Identity provider links, which is not the user name.",
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /claim is required|missing claim|not a valid jwt|missing parameter ?: ?assertion/i,
    },
    cause: 'What was sent is no JWT, or it lacks a claim that the server requires.',
    remedy: 'It takes iss, sub, aud, exp and jti; --assertion-key makes them all.',
  },
  {
    when: {
      endpoint: 'token',
      error: 'invalid_grant',
      description: /issued in the future|too far in the (?:past|future)/i,
    },
    cause: 'The assertion is not of this time by the clock of the server, or it is valid for too long.',
    remedy: 'Compare the clocks of both machines, and make the --lifetime shorter.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /^token is not active$/i },
    cause:
      'The refresh token is expired; or, if it was an assertion, that is expired or not valid yet by the clock of ' +
      'the server.',
    remedy: 'Sign in again, or make a new assertion and compare the clocks of both machines.',
  },
  {
    when: { endpoint: 'token', error: 'invalid_grant', description: /\bassertion\b/i },
    cause: 'The server refuses the assertion: its issuer, signature, audience or time.',
    remedy:
      'Compare iss, aud and exp of the assertion and the key it is signed with against what the server trusts; ' +
      '"oauthctl jwt decode" shows a ready-made one.',
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
    when: { endpoint: 'token', error: 'invalid_grant', description: /refresh token|session/i },
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
    when: { endpoint: 'token', description: /public client not allowed to retrieve service account/i },
    cause: 'The client is public: it has no secret, and so no tokens of its own.',
    remedy:
      'Switch on "Client authentication" and "Service accounts roles" in the capability settings of the client, or ' +
      'use another client.',
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
