import { UsageError } from '../../errors.ts';

/** Names and values of a properties file, in their order. A secret is a reference, `${env:NAME}`. */
export type Properties = Readonly<Record<string, string>>;

/** A configuration, and what else has to be done. */
export interface Configuration {
  readonly properties: Properties;
  readonly notes: readonly string[];
}

/** What the configurations of a client and a broker are built from. */
export interface KafkaSetup {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint?: string | undefined;
  readonly jwksUri?: string | undefined;
  /** The client of the application. */
  readonly clientId: string;
  readonly scope?: string | undefined;
  /** The client that the broker introspects as, and the `aud` of tokens for the broker. */
  readonly brokerClientId: string;
  /** The name of the broker's listener, in upper or lower case. */
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

/** Makes Kafka replace `${env:NAME}` by the environment variable of that name. */
export const FROM_ENVIRONMENT: Properties = {
  'config.providers': 'env',
  'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
};

const LOGIN_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

/** Builds a reference to an environment variable, for use with FROM_ENVIRONMENT. */
export function buildEnvironmentReference(variable: string): string {
  return `\${env:${variable}}`;
}

/** Builds the system property that allows Kafka's own classes to read a URL. */
export function buildAllowedUrls(url: string): string {
  return `org.apache.kafka.sasl.oauthbearer.allowed.urls=${url}`;
}

/**
 * Builds the JAAS entry of the OAUTHBEARER login module; options without a value are left out.
 * @throws UsageError `property_unfit` for a value with a quote or a backslash
 * @see https://kafka.apache.org/documentation/#security_sasl_oauthbearer
 */
export function buildJaasEntry(options: Readonly<Record<string, string | undefined>>): string {
  const written = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (/["\\]/.test(value)) throw createPropertyError(value);
    return [`${name}="${value}"`];
  });
  return `${[LOGIN_MODULE, 'required', ...written].join(' ')};`;
}

/**
 * Checks that every value stays on its line of a properties file.
 * @throws UsageError `property_unfit` for a value with a control character or a backslash
 */
export function checkProperties(properties: Properties): Properties {
  for (const value of Object.values(properties)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are refused
    if (/[\0-\x1f\x7f\\]/.test(value)) throw createPropertyError(value);
  }
  return properties;
}

function createPropertyError(value: string): UsageError {
  return new UsageError('property_unfit', `${JSON.stringify(value)} cannot be written to a properties file`, {
    hint: 'Quotes, backslashes and control characters are not escaped.',
  });
}
