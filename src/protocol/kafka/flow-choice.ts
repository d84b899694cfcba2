import type { KafkaSetup } from './properties.ts';

/** The kind of tokens that the server issues to the client. */
export interface IssuedToken {
  /** `encrypted` is a JWE. */
  readonly format: 'jwt' | 'opaque' | 'encrypted';
  /** Seconds; undefined if the server does not say. */
  readonly expiresIn: number | undefined;
}

/** One of the four flows, and whether it fits the tokens. */
export interface KafkaFlow {
  readonly client: 'client_credentials' | 'access_token';
  readonly broker: 'introspection' | 'local';
  /** Undefined if no token is known. */
  readonly fits: boolean | undefined;
  /** Sentences: why it does not fit, or what its limits are. */
  readonly remarks: readonly string[];
}

/** Seconds from which on an access token counts as long-lived. */
const LONG_LIVED = 3_600;

/**
 * Says of each of the four flows whether it fits the tokens of the server.
 * @param token undefined if none could be requested
 */
export function weighFlows(
  setup: Pick<KafkaSetup, 'introspectionEndpoint' | 'jwksUri'>,
  token: IssuedToken | undefined,
): readonly KafkaFlow[] {
  return (['client_credentials', 'access_token'] as const).flatMap((client) =>
    (['introspection', 'local'] as const).map((broker) => {
      const obstacles = [...findBrokerObstacles(broker, setup, token), ...findClientObstacles(client, token)];
      const limits = broker === 'local' ? [describeUnseenRevocation(token)] : [];
      const fits = obstacles.length > 0 ? false : token === undefined ? undefined : true;
      return { client, broker, fits, remarks: [...obstacles, ...limits] };
    }),
  );
}

function describeUnseenRevocation(token: IssuedToken | undefined): string {
  const { expiresIn } = token ?? {};
  const until = expiresIn === undefined ? '' : `, which is up to ${expiresIn} s`;
  return `A revoked token is accepted until it expires${until}: use short-lived tokens.`;
}

function findBrokerObstacles(
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

function findClientObstacles(client: KafkaFlow['client'], token: IssuedToken | undefined): string[] {
  const { expiresIn } = token ?? {};
  if (client !== 'access_token' || expiresIn === undefined || expiresIn >= LONG_LIVED) return [];
  return [
    `The token expires after ${expiresIn} s and is not renewed, and then the broker closes the connection. Use a client whose tokens live for at least an hour.`,
  ];
}
