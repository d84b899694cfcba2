import { describe, expect, it } from 'vitest';
import { buildBrokerListener } from '../../../src/protocol/kafka/broker-configuration.ts';
import { buildJavaClient, buildLibrdkafkaClient } from '../../../src/protocol/kafka/client-configuration.ts';
import type { KafkaSetup } from '../../../src/protocol/kafka/properties.ts';

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
