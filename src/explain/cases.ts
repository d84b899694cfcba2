import type { Case } from './case.ts';
import { DPOP } from './dpop.ts';
import { GENERIC_ANY_ENDPOINT } from './generic/any-endpoint.ts';
import { GENERIC_AUTHORIZATION, GENERIC_AUTHORIZATION_PAGE } from './generic/authorization.ts';
import { GENERIC_BACKCHANNEL_REQUESTS } from './generic/backchannel-requests.ts';
import { GENERIC_PRESENTED_TOKEN } from './generic/presented-token.ts';
import { GENERIC_TOKEN } from './generic/token.ts';
import { KEYCLOAK_AUTHORIZATION } from './keycloak/authorization.ts';
import { KEYCLOAK_CERTIFICATE_BINDING } from './keycloak/certificate-binding.ts';
import { KEYCLOAK_CIBA } from './keycloak/ciba.ts';
import { KEYCLOAK_CLIENT_AUTHENTICATION } from './keycloak/client-authentication.ts';
import { KEYCLOAK_DEVICE_AUTHORIZATION } from './keycloak/device-authorization.ts';
import { KEYCLOAK_JWT_BEARER } from './keycloak/jwt-bearer.ts';
import { KEYCLOAK_PRESENTED_TOKEN } from './keycloak/presented-token.ts';
import { KEYCLOAK_REALM } from './keycloak/realm.ts';
import { KEYCLOAK_REQUEST_OBJECT } from './keycloak/request-object.ts';
import { KEYCLOAK_TOKEN } from './keycloak/token.ts';
import { KEYCLOAK_TOKEN_EXCHANGE } from './keycloak/token-exchange.ts';
import { OIDC_PROVIDER } from './oidc-provider.ts';

/**
 * Every explained answer, in the order in which they are tried: first what a product says in its own words, then the
 * error codes of the specifications, those of one endpoint before those of all.
 */
export const CASES: readonly Case[] = [
  ...KEYCLOAK_REALM,
  ...DPOP,
  ...KEYCLOAK_CERTIFICATE_BINDING,
  ...KEYCLOAK_JWT_BEARER,
  ...KEYCLOAK_CLIENT_AUTHENTICATION,
  ...KEYCLOAK_AUTHORIZATION,
  ...KEYCLOAK_REQUEST_OBJECT,
  ...KEYCLOAK_CIBA,
  ...KEYCLOAK_DEVICE_AUTHORIZATION,
  ...KEYCLOAK_TOKEN_EXCHANGE,
  ...KEYCLOAK_TOKEN,
  ...KEYCLOAK_PRESENTED_TOKEN,
  ...OIDC_PROVIDER,
  ...GENERIC_AUTHORIZATION,
  ...GENERIC_TOKEN,
  ...GENERIC_PRESENTED_TOKEN,
  ...GENERIC_BACKCHANNEL_REQUESTS,
  ...GENERIC_ANY_ENDPOINT,
  ...GENERIC_AUTHORIZATION_PAGE,
];
