import { describe, expect, it } from 'vitest';
import { type Context, createContext } from '../../../src/context.ts';
import { explainKafka, type KafkaExplainEvent } from '../../../src/flows/kafka/explain.ts';
import type { ServerMetadata } from '../../../src/protocol/oauth/metadata.ts';
import { testParts } from '../../helpers/parts.ts';

const METADATA: ServerMetadata = {
  issuer: 'https://as.example',
  token_endpoint: 'https://as.example/token',
  introspection_endpoint: 'https://as.example/introspect',
  jwks_uri: 'https://as.example/jwks',
};

async function explain(answer: { status: number; json: unknown }, metadata = METADATA, token?: string) {
  const events: KafkaExplainEvent[] = [];
  const sent: string[] = [];
  const ctx: Context = {
    ...createContext(await testParts()),
    http: async () => ({
      async send({ url }) {
        sent.push(url);
        return { url, status: answer.status, headers: {}, body: JSON.stringify(answer.json), ms: 1 };
      },
    }),
  };
  const target = {
    metadata,
    client: {
      client_id: 'orders',
      client_secret: 'the-secret-of-orders',
      token_endpoint_auth_method: 'client_secret_basic' as const,
    },
    extraParameters: [],
    owner: undefined,
    keepTokens: false,
  };
  const setup = { brokerClientId: 'kafka-broker', listener: 'oauth', bootstrap: 'b:9093', isTls: true };
  const explanation = await explainKafka(ctx, { target, token, ...setup }, (event) => events.push(event));
  return { explanation, events, sent };
}

const ISSUED = { access_token: 'an-opaque-token', token_type: 'Bearer', expires_in: 7_200 };

describe('explaining Kafka', () => {
  it('judges by a token of the client, and by the lifetime that the server tells', async () => {
    const { explanation, sent } = await explain({ status: 200, json: ISSUED });
    expect(sent).toEqual([METADATA.token_endpoint]);
    expect(explanation.token).toEqual({ format: 'opaque', expiresIn: 7_200 });
    expect(explanation.flows.map(({ fits }) => fits)).toEqual([true, false, true, false]);
    expect(JSON.stringify(explanation)).not.toContain('the-secret-of-orders');
  });

  it('asks for none where one is given', async () => {
    const claims = Buffer.from(JSON.stringify({ iat: 1_000, exp: 1_060 })).toString('base64url');
    const { explanation, sent } = await explain({ status: 500, json: {} }, METADATA, `e30.${claims}.c2ln`);
    expect(sent).toEqual([]);
    expect(explanation.token).toEqual({ format: 'jwt', expiresIn: 60 });
  });

  it('leaves open what suits where the server refuses one', async () => {
    const { explanation, events } = await explain({ status: 401, json: { error: 'invalid_client' } });
    expect(events.at(-1)).toMatchObject({ type: 'no_token', error: { code: 'invalid_client' } });
    expect(explanation.flows.map(({ fits }) => fits)).toEqual(Array(4).fill(undefined));
    expect(explanation.clients.client_credentials.java.properties).toHaveProperty(['sasl.jaas.config']);
  });

  it('has no configuration for what the server cannot do', async () => {
    const { token_endpoint, issuer } = METADATA;
    const { explanation } = await explain(
      { status: 200, json: ISSUED },
      { issuer, token_endpoint: token_endpoint ?? '' },
    );
    expect(explanation.brokers).toEqual({
      introspection: undefined,
      local: undefined,
      local_without_strimzi: undefined,
    });
    expect(explanation.flows.every(({ fits }) => fits === false)).toBe(true);
  });
});
