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

/** How a client gets its tokens. */
export type ClientTokenSource = 'client_credentials' | 'refresh_token' | 'access_token';

/** The file that a client reads a long-lived access token from. */
const TOKEN_FILE = '/etc/kafka/access_token';

const KAFKA_LOGIN = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler';
const STRIMZI_LOGIN = 'io.strimzi.kafka.oauth.client.JaasClientOauthLoginCallbackHandler';

/**
 * Builds the properties of a client of Kafka's Java library.
 * @throws UsageError `property_unfit` for a value that would break its line
 * @see https://kafka.apache.org/documentation/#security_sasl_oauthbearer
 */
export function buildJavaClient(setup: KafkaSetup, source: ClientTokenSource): Configuration {
  const { client, refreshToken } = SECRET_VARIABLES;
  const common = buildCommonProperties(setup);
  switch (source) {
    case 'client_credentials':
      return {
        properties: checkProperties({
          ...common,
          ...FROM_ENVIRONMENT,
          'sasl.login.callback.handler.class': KAFKA_LOGIN,
          'sasl.oauthbearer.token.endpoint.url': setup.tokenEndpoint,
          'sasl.jaas.config': buildJaasEntry({
            clientId: setup.clientId,
            clientSecret: buildEnvironmentReference(client),
            scope: setup.scope,
          }),
        }),
        notes: [`Start the JVM with -D${buildAllowedUrls(setup.tokenEndpoint)}.`],
      };
    case 'refresh_token':
      return {
        properties: checkProperties({
          ...common,
          ...FROM_ENVIRONMENT,
          'sasl.login.callback.handler.class': STRIMZI_LOGIN,
          'sasl.jaas.config': buildJaasEntry({
            'oauth.token.endpoint.uri': setup.tokenEndpoint,
            'oauth.client.id': setup.clientId,
            'oauth.client.secret': buildEnvironmentReference(client),
            'oauth.refresh.token': buildEnvironmentReference(refreshToken),
            'oauth.scope': setup.scope,
          }),
        }),
        notes: [
          "Takes io.strimzi:kafka-oauth-client on the class path; Kafka's own library refreshes nothing.",
          'It keeps no new refresh token: a server that rotates them refuses the second use.',
        ],
      };
    case 'access_token':
      return {
        properties: checkProperties({
          ...common,
          'sasl.login.callback.handler.class': KAFKA_LOGIN,
          'sasl.oauthbearer.token.endpoint.url': `file://${TOKEN_FILE}`,
          'sasl.jaas.config': buildJaasEntry({}),
        }),
        notes: [
          `Put the access token into ${TOKEN_FILE}, mode 0600; it is read again when it has changed.`,
          `Start the JVM with -D${buildAllowedUrls(`file://${TOKEN_FILE}`)}, from Kafka 4.1 on also -Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${TOKEN_FILE}.`,
        ],
      };
  }
}

/**
 * Builds the properties of a client of librdkafka.
 * @throws UsageError `property_unfit` for a value that would break its line
 * @see https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
 */
export function buildLibrdkafkaClient(setup: KafkaSetup, source: ClientTokenSource): Configuration {
  const common = buildCommonProperties(setup);
  if (source !== 'client_credentials') {
    return {
      properties: checkProperties(common),
      notes: [
        `librdkafka has no property for ${source === 'access_token' ? 'a token' : 'a refresh token'}: the application gives tokens in oauthbearer_token_refresh_cb, by rd_kafka_oauthbearer_set_token.`,
      ],
    };
  }
  return {
    properties: checkProperties({
      ...common,
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.token.endpoint.url': setup.tokenEndpoint,
      'sasl.oauthbearer.client.id': setup.clientId,
      'sasl.oauthbearer.client.secret': `$${SECRET_VARIABLES.client}`,
      ...(setup.scope !== undefined && { 'sasl.oauthbearer.scope': setup.scope }),
    }),
    notes: [
      `librdkafka reads no variables: put the secret in place of $${SECRET_VARIABLES.client} when it is started.`,
    ],
  };
}

function buildCommonProperties({ bootstrap, isTls }: KafkaSetup): Properties {
  return {
    'bootstrap.servers': bootstrap,
    'security.protocol': isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': 'OAUTHBEARER',
  };
}
