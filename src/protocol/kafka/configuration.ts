import { UsageError } from '../../errors.ts';

/** Names and values of a properties file, in their order. Secrets stand in it as references, `${env:NAME}`. */
export type Properties = Readonly<Record<string, string>>;

/** What both sides have to know of the authorization server and of each other. */
export interface KafkaSetup {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint?: string | undefined;
  readonly jwksUri?: string | undefined;
  /** Of the application. */
  readonly clientId: string;
  readonly scope?: string | undefined;
  /** Of the broker, which introspects as this client and is in the `aud` of tokens for it. */
  readonly brokerClientId: string;
  /** The broker's listener, in any case. */
  readonly listener: string;
  readonly bootstrap: string;
  readonly isTls: boolean;
}

/** The environment variables that the configurations read secrets from. */
export const SECRET_VARIABLES = {
  client: 'KAFKA_CLIENT_SECRET',
  refreshToken: 'KAFKA_REFRESH_TOKEN',
  broker: 'KAFKA_BROKER_CLIENT_SECRET',
} as const;

/** Where a client reads a long-lived access token. */
const TOKEN_FILE = '/etc/kafka/access_token';

const LOGIN_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';
const OWN_LOGIN = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler';
const OWN_VALIDATOR = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler';
const STRIMZI_LOGIN = 'io.strimzi.kafka.oauth.client.JaasClientOauthLoginCallbackHandler';
const STRIMZI_VALIDATOR = 'io.strimzi.kafka.oauth.server.JaasServerOauthValidatorCallbackHandler';

/** Lets `${env:NAME}` stand for the variable of that name. */
const FROM_ENVIRONMENT: Properties = {
  'config.providers': 'env',
  'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
};

/** How a client comes by its tokens. */
export type ClientTokenSource = 'client_credentials' | 'refresh_token' | 'access_token';

/** How a broker validates them. */
export type BrokerValidationMethod = 'introspection' | 'local' | 'local_without_strimzi';

/** One configuration, and what has to be done besides. */
export interface Configuration {
  readonly properties: Properties;
  readonly notes: readonly string[];
}

/**
 * Builds the properties of a client of Kafka's Java library.
 * @throws UsageError `property_unfit` for a value that would break the line that it stands in
 * @see https://kafka.apache.org/documentation/#security_sasl_oauthbearer
 */
export function buildJavaClient(setup: KafkaSetup, way: ClientTokenSource): Configuration {
  const { client, refreshToken } = SECRET_VARIABLES;
  const common = { 'bootstrap.servers': setup.bootstrap, ...securityProperties(setup) };
  switch (way) {
    case 'client_credentials':
      return {
        properties: checked({
          ...common,
          ...FROM_ENVIRONMENT,
          'sasl.login.callback.handler.class': OWN_LOGIN,
          'sasl.oauthbearer.token.endpoint.url': setup.tokenEndpoint,
          'sasl.jaas.config': jaas({
            clientId: setup.clientId,
            clientSecret: fromEnvironment(client),
            scope: setup.scope,
          }),
        }),
        notes: [`Start the JVM with -D${allowedUrls(setup.tokenEndpoint)}.`],
      };
    case 'refresh_token':
      return {
        properties: checked({
          ...common,
          ...FROM_ENVIRONMENT,
          'sasl.login.callback.handler.class': STRIMZI_LOGIN,
          'sasl.jaas.config': jaas({
            'oauth.token.endpoint.uri': setup.tokenEndpoint,
            'oauth.client.id': setup.clientId,
            'oauth.client.secret': fromEnvironment(client),
            'oauth.refresh.token': fromEnvironment(refreshToken),
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
        properties: checked({
          ...common,
          'sasl.login.callback.handler.class': OWN_LOGIN,
          'sasl.oauthbearer.token.endpoint.url': `file://${TOKEN_FILE}`,
          'sasl.jaas.config': jaas({}),
        }),
        notes: [
          `Put the access token into ${TOKEN_FILE}, mode 0600; it is read again when it has changed.`,
          `Start the JVM with -D${allowedUrls(`file://${TOKEN_FILE}`)}, from Kafka 4.1 on also -Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${TOKEN_FILE}.`,
        ],
      };
  }
}

/**
 * Builds the properties of a client of librdkafka.
 * @see https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
 */
export function buildLibrdkafkaClient(setup: KafkaSetup, way: ClientTokenSource): Configuration {
  const common = { 'bootstrap.servers': setup.bootstrap, ...securityProperties(setup) };
  if (way !== 'client_credentials') {
    return {
      properties: checked(common),
      notes: [
        `librdkafka has no property for ${way === 'access_token' ? 'a token' : 'a refresh token'}: the application gives tokens in oauthbearer_token_refresh_cb, by rd_kafka_oauthbearer_set_token.`,
      ],
    };
  }
  return {
    properties: checked({
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

/**
 * Builds the properties of a broker's listener.
 * @throws UsageError `endpoint_missing` where the server has not what this way needs; `property_unfit`
 * @see https://github.com/strimzi/strimzi-kafka-oauth#configuring-the-kafka-broker
 */
export function buildBrokerListener(setup: KafkaSetup, way: BrokerValidationMethod): Configuration {
  const listener = setup.listener.toLowerCase();
  const prefix = `listener.name.${listener}`;
  const common = (handler: string) => ({
    [`${prefix}.sasl.enabled.mechanisms`]: 'OAUTHBEARER',
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: handler,
    // Without it a connection outlives its token.
    [`${prefix}.oauthbearer.connections.max.reauth.ms`]: '3600000',
  });
  // The module wants a login of its own, which is never used.
  const unused = { unsecuredLoginStringClaim_sub: 'unused' };
  const strimzi = (options: Record<string, string>) => ({
    'principal.builder.class': 'io.strimzi.kafka.oauth.server.OAuthKafkaPrincipalBuilder',
    ...common(STRIMZI_VALIDATOR),
    [`${prefix}.oauthbearer.sasl.jaas.config`]: jaas({
      ...unused,
      'oauth.valid.issuer.uri': setup.issuer,
      'oauth.username.claim': 'preferred_username',
      'oauth.fallback.username.claim': 'client_id',
      ...options,
    }),
  });
  switch (way) {
    case 'introspection':
      return {
        properties: checked({
          ...FROM_ENVIRONMENT,
          ...strimzi({
            'oauth.introspection.endpoint.uri': demanded(
              setup.introspectionEndpoint,
              'introspection_endpoint',
            ),
            'oauth.client.id': setup.brokerClientId,
            'oauth.client.secret': fromEnvironment(SECRET_VARIABLES.broker),
          }),
        }),
        notes: [
          `Keycloak 26 introspects a token only for a client in its aud: add an audience mapper for ${setup.brokerClientId} to ${setup.clientId}.`,
        ],
      };
    case 'local':
      return {
        properties: checked(
          strimzi({
            'oauth.jwks.endpoint.uri': demanded(setup.jwksUri, 'jwks_uri'),
            'oauth.jwks.refresh.seconds': '300',
            'oauth.jwks.expiry.seconds': '360',
            'oauth.check.audience': 'true',
            'oauth.client.id': setup.brokerClientId,
          }),
        ),
        notes: [REVOCATION],
      };
    case 'local_without_strimzi': {
      const jwksUri = demanded(setup.jwksUri, 'jwks_uri');
      return {
        properties: checked({
          ...common(OWN_VALIDATOR),
          // Strimzi's, which is set for the whole broker, knows its own tokens only.
          [`${prefix}.principal.builder.class`]:
            'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
          [`${prefix}.sasl.oauthbearer.jwks.endpoint.url`]: jwksUri,
          [`${prefix}.sasl.oauthbearer.expected.issuer`]: setup.issuer,
          [`${prefix}.sasl.oauthbearer.expected.audience`]: setup.brokerClientId,
          [`${prefix}.oauthbearer.sasl.jaas.config`]: jaas(unused),
        }),
        notes: [
          REVOCATION,
          `Start the JVM with -D${allowedUrls(jwksUri)}.`,
          'It accepts a token for another 30 s after it has expired, and does not tell clients why it refuses one.',
        ],
      };
    }
  }
}

/** What a local check does not see. */
const REVOCATION =
  'A local check does not see that a token was revoked, its session logged out or its client disabled: each token is good until it expires. It suits tokens that live briefly.';

function securityProperties({ isTls }: KafkaSetup): Properties {
  return { 'security.protocol': isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT', 'sasl.mechanism': 'OAUTHBEARER' };
}

function fromEnvironment(variable: string): string {
  return `\${env:${variable}}`;
}

function allowedUrls(url: string): string {
  return `org.apache.kafka.sasl.oauthbearer.allowed.urls=${url}`;
}

function jaas(options: Readonly<Record<string, string | undefined>>): string {
  const written = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${quoted(value)}"`],
  );
  return `${[LOGIN_MODULE, 'required', ...written].join(' ')};`;
}

function quoted(value: string): string {
  if (/["\\]/.test(value)) throw unfit(value);
  return value;
}

/** @throws UsageError where a value would not stay on its line */
function checked(properties: Properties): Properties {
  for (const value of Object.values(properties)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not get through
    if (/[\0-\x1f\x7f\\]/.test(value)) throw unfit(value);
  }
  return properties;
}

function unfit(value: string): UsageError {
  return new UsageError(
    'property_unfit',
    `${JSON.stringify(value)} cannot stand in a properties file as it is`,
    {
      hint: 'Quotes, backslashes and control characters are left to you.',
    },
  );
}

function demanded(endpoint: string | undefined, name: string): string {
  if (endpoint !== undefined) return endpoint;
  throw new UsageError('endpoint_missing', `the server has no ${name} in its metadata`);
}

/** What is known of the tokens that the server issues to the client. */
export interface IssuedToken {
  /** `encrypted` is a JWE. */
  readonly format: 'jwt' | 'opaque' | 'encrypted';
  /** Seconds; undefined where the server does not tell. */
  readonly expiresIn: number | undefined;
}

/** One of the four flows, and whether it suits. */
export interface KafkaFlow {
  readonly client: 'client_credentials' | 'access_token';
  readonly broker: 'introspection' | 'local';
  /** Undefined where there is no token to judge by. */
  readonly fits: boolean | undefined;
  /** Sentences; why not, or what to mind. */
  readonly remarks: readonly string[];
}

/** Seconds from which on an access token counts as long-lived. */
const LONG_LIVED = 3_600;

/** Weighs the four flows for the tokens of a realm. @param token undefined where none could be had */
export function weighFlows(
  setup: Pick<KafkaSetup, 'introspectionEndpoint' | 'jwksUri'>,
  token: IssuedToken | undefined,
): readonly KafkaFlow[] {
  return (['client_credentials', 'access_token'] as const).flatMap((client) =>
    (['introspection', 'local'] as const).map((broker) => {
      const obstacles = [...brokerObstacles(broker, setup, token), ...clientObstacles(client, token)];
      const mind = broker === 'local' ? [unseenRevocation(token)] : [];
      const fits = obstacles.length > 0 ? false : token === undefined ? undefined : true;
      return { client, broker, fits, remarks: [...obstacles, ...mind] };
    }),
  );
}

function unseenRevocation(token: IssuedToken | undefined): string {
  const { expiresIn } = token ?? {};
  const until = expiresIn === undefined ? '' : `, which is up to ${expiresIn} s`;
  return `A revoked token stays good until it expires${until}: for tokens that live briefly.`;
}

function brokerObstacles(
  broker: KafkaFlow['broker'],
  { introspectionEndpoint, jwksUri }: Pick<KafkaSetup, 'introspectionEndpoint' | 'jwksUri'>,
  token: IssuedToken | undefined,
): string[] {
  if (broker === 'introspection')
    return introspectionEndpoint === undefined ? ['The server has no introspection endpoint.'] : [];
  return [
    ...(jwksUri === undefined ? ['The server publishes no keys.'] : []),
    ...(token?.format === 'opaque' ? ['An opaque token cannot be checked locally.'] : []),
    ...(token?.format === 'encrypted' ? ['The token is encrypted, and the broker has no key for it.'] : []),
  ];
}

function clientObstacles(client: KafkaFlow['client'], token: IssuedToken | undefined): string[] {
  const { expiresIn } = token ?? {};
  if (client !== 'access_token' || expiresIn === undefined || expiresIn >= LONG_LIVED) return [];
  return [
    `The token would end after ${expiresIn} s, and nobody renews it: the broker closes the connection then. It takes a client whose tokens live for an hour at least.`,
  ];
}
