import type { Context } from '../../context.ts';
import { OauthctlError, RefusedError } from '../../errors.ts';
import { decodeUnverified, readEncryption } from '../../protocol/jose/jwt.ts';
import {
  type BrokerValidationMethod,
  buildBrokerListener,
} from '../../protocol/kafka/broker-configuration.ts';
import {
  buildJavaClient,
  buildLibrdkafkaClient,
  type ClientTokenSource,
} from '../../protocol/kafka/client-configuration.ts';
import { type IssuedToken, type KafkaFlow, weighFlows } from '../../protocol/kafka/flow-choice.ts';
import type { Configuration, KafkaSetup } from '../../protocol/kafka/properties.ts';
import { findEndpoint, requireEndpoint } from '../../protocol/oauth/metadata.ts';
import type { Target } from '../server/target.ts';
import { requestTokens, type TokenEvent } from '../token/token.ts';

export interface KafkaExplainOptions
  extends Pick<KafkaSetup, 'brokerClientId' | 'listener' | 'bootstrap' | 'isTls'> {
  readonly target: Target;
  readonly scope?: string | undefined;
  /** An access token to judge by; undefined requests one as the client. */
  readonly token?: string | undefined;
}

export type KafkaExplainEvent = TokenEvent | { readonly type: 'no_token'; readonly error: RefusedError };

/** The flows of an application to a broker, as they would be configured. */
export interface KafkaExplanation {
  readonly setup: KafkaSetup;
  /** Undefined where the server issued none. */
  readonly token: IssuedToken | undefined;
  readonly flows: readonly KafkaFlow[];
  readonly clients: Readonly<
    Record<ClientTokenSource, { readonly java: Configuration; readonly librdkafka: Configuration }>
  >;
  /** Undefined where the server has not what it needs. */
  readonly brokers: Readonly<Record<BrokerValidationMethod, Configuration | undefined>>;
}

/**
 * Builds the configurations of Kafka clients and brokers for a server and a client, and weighs which of the flows suits.
 * @throws ValidationError `endpoint_missing` for a server without a token endpoint; UsageError `property_unfit`;
 *   otherwise as requestTokens, but for a refusal
 */
export async function explainKafka(
  ctx: Context,
  options: KafkaExplainOptions,
  onEvent: (event: KafkaExplainEvent) => void,
): Promise<KafkaExplanation> {
  const { target, scope, brokerClientId, listener, bootstrap, isTls } = options;
  const { metadata, client } = target;
  const setup: KafkaSetup = {
    issuer: metadata.issuer,
    tokenEndpoint: requireEndpoint(metadata, 'token_endpoint'),
    introspectionEndpoint: findEndpoint(metadata, 'introspection_endpoint'),
    jwksUri: findEndpoint(metadata, 'jwks_uri'),
    clientId: client.client_id,
    ...{ scope, brokerClientId, listener, bootstrap, isTls },
  };
  const both = (source: ClientTokenSource) => ({
    java: buildJavaClient(setup, source),
    librdkafka: buildLibrdkafkaClient(setup, source),
  });
  const configurations = {
    clients: {
      client_credentials: both('client_credentials'),
      refresh_token: both('refresh_token'),
      access_token: both('access_token'),
    },
    brokers: {
      introspection: whereThereIs(() => buildBrokerListener(setup, 'introspection')),
      local: whereThereIs(() => buildBrokerListener(setup, 'local')),
      local_without_strimzi: whereThereIs(() => buildBrokerListener(setup, 'local_without_strimzi')),
    },
  };
  const token = await issuedToken(ctx, options, onEvent);
  return { setup, token, flows: weighFlows(setup, token), ...configurations };
}

function whereThereIs(build: () => Configuration): Configuration | undefined {
  try {
    return build();
  } catch (error) {
    if (error instanceof OauthctlError && error.code === 'endpoint_missing') return undefined;
    throw error;
  }
}

async function issuedToken(
  ctx: Context,
  { target, scope, token }: KafkaExplainOptions,
  onEvent: (event: KafkaExplainEvent) => void,
): Promise<IssuedToken | undefined> {
  if (token !== undefined) return describeIssuedToken(token, undefined);
  try {
    const { tokens } = await requestTokens(
      ctx,
      { target, grantType: 'client_credentials', values: { scope } },
      onEvent,
    );
    return describeIssuedToken(tokens.access_token, tokens.expires_in);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    onEvent({ type: 'no_token', error });
    return undefined;
  }
}

function describeIssuedToken(token: string, expiresIn: number | undefined): IssuedToken {
  const { exp, iat } = decodeUnverified(token)?.claims ?? {};
  const claimed = typeof exp === 'number' && typeof iat === 'number' ? exp - iat : undefined;
  const format =
    decodeUnverified(token) !== undefined
      ? 'jwt'
      : readEncryption(token) !== undefined
        ? 'encrypted'
        : 'opaque';
  return { format, expiresIn: expiresIn ?? claimed };
}
