import type { Case } from './case.ts';
import { DPOP } from './dpop.ts';
import { GENERIC_ANY_ENDPOINT, GENERIC_CREDENTIALS } from './generic/any-endpoint.ts';
import { GENERIC_AUTHORIZATION, GENERIC_AUTHORIZATION_PAGE } from './generic/authorization.ts';
import { GENERIC_BACKCHANNEL_REQUESTS } from './generic/backchannel-requests.ts';
import { GENERIC_CERTIFICATE_BINDING } from './generic/certificate-binding.ts';
import { GENERIC_PRESENTED_TOKEN } from './generic/presented-token.ts';
import { GENERIC_REQUEST_OBJECT } from './generic/request-object.ts';
import { GENERIC_RESULT_CALLBACK } from './generic/result-callback.ts';
import { GENERIC_TOKEN } from './generic/token.ts';
import { KEYCLOAK_AUTHORIZATION } from './keycloak/authorization.ts';
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

/** The answers of Keycloak, which name its settings. They are used only where Keycloak was recognised. */
const KEYCLOAK: readonly Case[] = [
  ...KEYCLOAK_REALM,
  ...KEYCLOAK_JWT_BEARER,
  ...KEYCLOAK_CLIENT_AUTHENTICATION,
  ...KEYCLOAK_AUTHORIZATION,
  ...KEYCLOAK_REQUEST_OBJECT,
  ...KEYCLOAK_DEVICE_AUTHORIZATION,
  ...KEYCLOAK_CIBA,
  ...KEYCLOAK_TOKEN_EXCHANGE,
  ...KEYCLOAK_TOKEN,
  ...KEYCLOAK_PRESENTED_TOKEN,
];

/**
 * Every explained answer, in the order in which they are tried: first the answers of a product, then the descriptions
 * that mean the same everywhere, then the error codes of the specifications, those of one endpoint before those of all.
 */
export const CASES: readonly Case[] = [
  ...KEYCLOAK.map((one) => ({ ...one, when: { ...one.when, product: 'keycloak' as const } })),
  ...DPOP,
  ...GENERIC_CERTIFICATE_BINDING,
  ...OIDC_PROVIDER,
  ...GENERIC_CREDENTIALS,
  ...GENERIC_REQUEST_OBJECT,
  ...GENERIC_AUTHORIZATION,
  ...GENERIC_TOKEN,
  ...GENERIC_PRESENTED_TOKEN,
  ...GENERIC_BACKCHANNEL_REQUESTS,
  ...GENERIC_RESULT_CALLBACK,
  ...GENERIC_ANY_ENDPOINT,
  ...GENERIC_AUTHORIZATION_PAGE,
];
