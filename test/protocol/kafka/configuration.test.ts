import { describe, expect, it } from 'vitest';
import {
  buildBrokerListener,
  buildJavaClient,
  buildLibrdkafkaClient,
  type KafkaSetup,
  weighFlows,
} from '../../../src/protocol/kafka/configuration.ts';

const SETUP: KafkaSetup = {
  issuer: 'https://as.example/realms/R',
  tokenEndpoint: 'https://as.example/token',
  introspectionEndpoint: 'https://as.example/introspect',
  jwksUri: 'https://as.example/jwks',
  clientId: 'orders',
  scope: 'read write',
  brokerClientId: 'kafka-broker',
  listener: 'CLIENTS',
  bootstrap: 'broker.example:9093',
  isTls: true,
};

describe('a client', () => {
  it('has its secrets by reference, and the scope that is asked for', () => {
    const java = buildJavaClient(SETUP, 'client_credentials').properties;
    expect(java['security.protocol']).toBe('SASL_SSL');
    expect(java['sasl.jaas.config']).toMatch(
      / required clientId="orders" clientSecret="\$\{env:KAFKA_CLIENT_SECRET\}" scope="read write";$/,
    );
    expect(buildJavaClient(SETUP, 'refresh_token').properties['sasl.jaas.config']).toMatch(
      /oauth\.refresh\.token="\$\{env:KAFKA_REFRESH_TOKEN\}" oauth\.scope="read write";$/,
    );
    expect(buildLibrdkafkaClient(SETUP, 'client_credentials').properties).toMatchObject({
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.client.secret': '$KAFKA_CLIENT_SECRET',
      'sasl.oauthbearer.scope': 'read write',
    });
  });

  it('of librdkafka has no property for a token, and is told what to do', () => {
    const { properties, notes } = buildLibrdkafkaClient({ ...SETUP, isTls: false }, 'access_token');
    expect(properties).toEqual({
      'bootstrap.servers': 'broker.example:9093',
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'OAUTHBEARER',
    });
    expect(notes).toEqual([expect.stringContaining('oauthbearer_token_refresh_cb')]);
  });

  it.each(['a"b', 'a\\b'])('takes no value that would end the quotes: %s', (clientId) => {
    expect(() => buildJavaClient({ ...SETUP, clientId }, 'client_credentials')).toThrow(
      expect.objectContaining({ code: 'property_unfit', exitCode: 2 }),
    );
  });

  it.each(['a\nsasl.mechanism=PLAIN', 'a\r', 'a\u0000'])(
    'takes no value that would end the line: %j',
    (scope) => {
      expect(() => buildLibrdkafkaClient({ ...SETUP, scope }, 'client_credentials')).toThrow(
        expect.objectContaining({ code: 'property_unfit' }),
      );
    },
  );
});

describe('a listener of a broker', () => {
  it('is named in lower case, and ends connections with their tokens', () => {
    for (const way of ['introspection', 'local', 'local_without_strimzi'] as const) {
      expect(buildBrokerListener(SETUP, way).properties).toMatchObject({
        'listener.name.clients.sasl.enabled.mechanisms': 'OAUTHBEARER',
        'listener.name.clients.oauthbearer.connections.max.reauth.ms': '3600000',
      });
    }
  });

  it('that checks locally comes with the warning about revocation; one that introspects does not', () => {
    const warned = (way: Parameters<typeof buildBrokerListener>[1]) =>
      buildBrokerListener(SETUP, way).notes.some((note) =>
        note.includes('does not see that a token was revoked'),
      );
    expect([warned('introspection'), warned('local'), warned('local_without_strimzi')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('cannot introspect without an endpoint, or check without keys', () => {
    const bare = { ...SETUP, introspectionEndpoint: undefined, jwksUri: undefined };
    for (const way of ['introspection', 'local', 'local_without_strimzi'] as const) {
      expect(() => buildBrokerListener(bare, way)).toThrow(
        expect.objectContaining({ code: 'endpoint_missing' }),
      );
    }
  });
});

describe('which of the four flows suits', () => {
  const fits = (...args: Parameters<typeof weighFlows>) => weighFlows(...args).map((flow) => flow.fits);

  // Client credentials with introspection, and locally; a long-lived token likewise.
  it.each([
    ['JWTs of five minutes', { format: 'jwt', expiresIn: 300 }, [true, true, false, false]],
    ['JWTs of a day', { format: 'jwt', expiresIn: 86_400 }, [true, true, true, true]],
    ['opaque tokens of a day', { format: 'opaque', expiresIn: 86_400 }, [true, false, true, false]],
    ['JWEs', { format: 'encrypted', expiresIn: undefined }, [true, false, true, false]],
    ['tokens unknown', undefined, [undefined, undefined, undefined, undefined]],
  ] as const)('%s', (_, token, expected) => {
    expect(fits(SETUP, token)).toEqual(expected);
  });

  it('depends on what the server has', () => {
    const token = { format: 'jwt', expiresIn: 86_400 } as const;
    expect(fits({ jwksUri: 'https://as.example/jwks' }, token)).toEqual([false, true, false, true]);
    expect(fits({ introspectionEndpoint: 'https://as.example/i' }, token)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('warns of revocation wherever the broker checks locally', () => {
    const flows = weighFlows(SETUP, { format: 'jwt', expiresIn: 300 });
    const warned = flows.map(({ remarks }) =>
      remarks.some((remark) => remark.startsWith('A revoked token stays good')),
    );
    expect(warned).toEqual([false, true, false, true]);
  });
});
