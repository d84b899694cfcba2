import { UsageError } from '../../errors.ts';
import { isKeycloakUrl } from '../oauth/server-product.ts';
import {
  buildAllowedUrls,
  buildEnvironmentReference,
  buildJaasEntry,
  type Configuration,
  checkProperties,
  FROM_ENVIRONMENT,
  type KafkaSetup,
  type Properties,
  SECRET_VARIABLES,
} from './properties.ts';

/** How a broker validates tokens. */
export type BrokerValidationMethod = 'introspection' | 'local' | 'local_without_strimzi';

const KAFKA_VALIDATOR = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler';
const STRIMZI_VALIDATOR = 'io.strimzi.kafka.oauth.server.JaasServerOauthValidatorCallbackHandler';

/** The login module requires a login of the broker itself, which is never used. */
const UNUSED_LOGIN = { unsecuredLoginStringClaim_sub: 'unused' };

const REVOCATION_NOTE =
  'A local check does not see that a token was revoked, its session logged out or its client disabled: each token is accepted until it expires. Use short-lived tokens.';

/**
 * Builds the properties of a broker's listener.
 * @throws UsageError `endpoint_missing` if the server lacks an endpoint that the method needs; `property_unfit` for a
 *   value that would break its line
 * @see https://github.com/strimzi/strimzi-kafka-oauth#configuring-the-kafka-broker
 */
export function buildBrokerListener(setup: KafkaSetup, method: BrokerValidationMethod): Configuration {
  switch (method) {
    case 'introspection':
      return buildIntrospection(setup);
    case 'local':
      return buildLocalCheck(setup);
    case 'local_without_strimzi':
      return buildLocalCheckWithoutStrimzi(setup);
  }
}

function buildIntrospection(setup: KafkaSetup): Configuration {
  return {
    properties: checkProperties({
      ...FROM_ENVIRONMENT,
      ...buildStrimziProperties(setup, {
        'oauth.introspection.endpoint.uri': requireEndpoint(
          setup.introspectionEndpoint,
          'introspection_endpoint',
        ),
        'oauth.client.id': setup.brokerClientId,
        'oauth.client.secret': buildEnvironmentReference(SECRET_VARIABLES.broker),
      }),
    }),
    notes: [describeAudience(setup)],
  };
}

/** Says that the tokens need the client of the broker in their `aud`. */
function describeAudience({ issuer, brokerClientId, clientId }: KafkaSetup): string {
  return isKeycloakUrl(issuer)
    ? `Keycloak 26 introspects a token only for a client in its aud: add an audience mapper for ${brokerClientId} to ${clientId}.`
    : `A server may call a token inactive whose aud lacks the client that introspects it: let it put ${brokerClientId} into the aud of the tokens of ${clientId}.`;
}

function buildLocalCheck(setup: KafkaSetup): Configuration {
  return {
    properties: checkProperties(
      buildStrimziProperties(setup, {
        'oauth.jwks.endpoint.uri': requireEndpoint(setup.jwksUri, 'jwks_uri'),
        'oauth.jwks.refresh.seconds': '300',
        'oauth.jwks.expiry.seconds': '360',
        'oauth.check.audience': 'true',
        'oauth.client.id': setup.brokerClientId,
      }),
    ),
    notes: [REVOCATION_NOTE],
  };
}

function buildLocalCheckWithoutStrimzi(setup: KafkaSetup): Configuration {
  const prefix = buildListenerPrefix(setup);
  const jwksUri = requireEndpoint(setup.jwksUri, 'jwks_uri');
  return {
    properties: checkProperties({
      ...buildCommonProperties(setup, KAFKA_VALIDATOR),
      // Strimzi's principal builder may be set for the whole broker; it fails for tokens of other validators.
      [`${prefix}.principal.builder.class`]:
        'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
      [`${prefix}.sasl.oauthbearer.jwks.endpoint.url`]: jwksUri,
      [`${prefix}.sasl.oauthbearer.expected.issuer`]: setup.issuer,
      [`${prefix}.sasl.oauthbearer.expected.audience`]: setup.brokerClientId,
      [`${prefix}.oauthbearer.sasl.jaas.config`]: buildJaasEntry(UNUSED_LOGIN),
    }),
    notes: [
      REVOCATION_NOTE,
      `Start the JVM with -D${buildAllowedUrls(jwksUri)}.`,
      'It accepts a token for 30 s after it has expired, and does not tell clients why it refuses a token.',
    ],
  };
}

function buildStrimziProperties(setup: KafkaSetup, options: Readonly<Record<string, string>>): Properties {
  return {
    'principal.builder.class': 'io.strimzi.kafka.oauth.server.OAuthKafkaPrincipalBuilder',
    ...buildCommonProperties(setup, STRIMZI_VALIDATOR),
    [`${buildListenerPrefix(setup)}.oauthbearer.sasl.jaas.config`]: buildJaasEntry({
      ...UNUSED_LOGIN,
      'oauth.valid.issuer.uri': setup.issuer,
      'oauth.username.claim': 'preferred_username',
      'oauth.fallback.username.claim': 'client_id',
      ...options,
    }),
  };
}

function buildCommonProperties(setup: KafkaSetup, handler: string): Properties {
  const prefix = buildListenerPrefix(setup);
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'OAUTHBEARER',
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: handler,
    // Without it a connection stays open after its token has expired.
    [`${prefix}.oauthbearer.connections.max.reauth.ms`]: '3600000',
  };
}

function buildListenerPrefix({ listener }: KafkaSetup): string {
  return `listener.name.${listener.toLowerCase()}`;
}

function requireEndpoint(endpoint: string | undefined, name: string): string {
  if (endpoint !== undefined) return endpoint;
  throw new UsageError('endpoint_missing', `the server has no ${name} in its metadata`);
}
