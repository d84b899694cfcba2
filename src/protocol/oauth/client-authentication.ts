import type { JWK } from 'jose';
import { UsageError } from '../../errors.ts';
import type { DefinedHeaders } from '../definitions/answers.ts';
import { makeJti, type Random } from '../unguessable.ts';
import { buildParameters, type DeclaredParameters, encodeForm } from './form.ts';
import { findEndpoint, listedIn, type ServerMetadata } from './metadata.ts';

/** The client authentication methods that are supported, by their registered names. */
export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const;

export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** @see https://www.rfc-editor.org/rfc/rfc7523#section-2.2 */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A client as it is registered at the server. */
export interface RegisteredClient {
  readonly client_id: string;
  readonly client_secret?: string | undefined;
  readonly token_endpoint_auth_method: ClientAuthMethod;
  /** The private key of private_key_jwt; its `kid` is sent where it has one. */
  readonly client_key?: JWK | undefined;
  /** The algorithm of an assertion, if the user chooses it. */
  readonly token_endpoint_auth_signing_alg?: string | undefined;
  /** A ready-made assertion, sent as it is. */
  readonly client_assertion?: string | undefined;
  /** `aud` of an assertion: `issuer` (the default), `endpoint` for the token endpoint, or any other value. */
  readonly assertion_audience?: string | undefined;
}

/** What a client assertion needs, beside the client. */
export interface AuthenticationCircumstances {
  readonly metadata: ServerMetadata;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly random: Random;
}

export interface ClientAuthentication {
  readonly headers: DefinedHeaders;
  readonly parameters: DeclaredParameters;
}

/**
 * Builds the headers and parameters that authenticate the client at the token endpoint and similar endpoints.
 * @throws UsageError if the method needs a secret or key that is missing or does not fit
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-2
 */
export async function buildClientAuthentication(
  client: RegisteredClient,
  circumstances: AuthenticationCircumstances,
): Promise<ClientAuthentication> {
  const { client_id, token_endpoint_auth_method: method } = client;
  switch (method) {
    case 'none':
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      // The transport sends the certificate; the form names the client.
      return { headers: {}, parameters: buildParameters('client_authentication', { client_id }) };
    case 'client_secret_jwt':
    case 'private_key_jwt':
      return { headers: {}, parameters: await assertionParameters(client, circumstances) };
    case 'client_secret_post':
      return {
        headers: {},
        parameters: buildParameters('client_authentication', {
          client_id,
          client_secret: requireSecret(client),
        }),
      };
    case 'client_secret_basic': {
      // RFC 6749 §2.3.1: both are form-encoded before they are joined, so that an id may contain a colon.
      const credentials = `${formEncode(client_id)}:${formEncode(requireSecret(client))}`;
      return {
        headers: { authorization: `Basic ${toBase64(credentials)}` },
        parameters: buildParameters('client_authentication', {}),
      };
    }
  }
}

async function assertionParameters(
  client: RegisteredClient,
  { metadata, now, random }: AuthenticationCircumstances,
): Promise<DeclaredParameters> {
  const { client_id, client_assertion, token_endpoint_auth_method: method } = client;
  const parameters = (assertion: string) =>
    buildParameters('client_authentication', {
      client_id,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
    });
  if (client_assertion !== undefined) return parameters(client_assertion);
  const key = method === 'client_secret_jwt' ? requireSecret(client) : requireKey(client);
  // Loaded here, because most runs do not need jose.
  const { buildClientAssertion } = await import('./client-assertion.ts');
  return parameters(
    await buildClientAssertion({
      client_id,
      audience: chooseAudience(client, metadata),
      now,
      jti: makeJti(random),
      key,
      alg: client.token_endpoint_auth_signing_alg,
      supportedAlgs: listedIn(metadata, 'token_endpoint_auth_signing_alg_values_supported'),
    }),
  );
}

function chooseAudience({ assertion_audience: wanted }: RegisteredClient, metadata: ServerMetadata): string {
  if (wanted === undefined || wanted === 'issuer') return metadata.issuer;
  return wanted === 'endpoint' ? (findEndpoint(metadata, 'token_endpoint') ?? metadata.issuer) : wanted;
}

function requireSecret({ client_secret, token_endpoint_auth_method: method }: RegisteredClient): string {
  if (client_secret !== undefined) return client_secret;
  throw new UsageError(
    'client_secret_missing',
    `${method} requires a client secret, and none is configured`,
    {
      hint: 'Give --client-secret env:NAME (or file:PATH, cmd:COMMAND, -), or --auth-method none for a public client.',
    },
  );
}

function requireKey({ client_key, token_endpoint_auth_method: method }: RegisteredClient): JWK {
  if (client_key !== undefined) return client_key;
  throw new UsageError('client_key_missing', `${method} requires a private key, and none is configured`, {
    hint: 'Give --client-key FILE (PEM, JWK or JWK Set; "oauthctl key generate" makes one), or --client-assertion REF.',
  });
}

function formEncode(value: string): string {
  return encodeForm([['', value]]).slice(1);
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
