import { UsageError } from '../errors.ts';
import { definedParameters, encodeForm, type FormParameters } from './form.ts';

/** The client authentication methods that are spoken, by their registered names. */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** A client as it is registered at the server. */
export interface RegisteredClient {
  readonly client_id: string;
  readonly client_secret?: string | undefined;
  readonly token_endpoint_auth_method: ClientAuthMethod;
}

export interface ClientAuthentication {
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: FormParameters;
}

/**
 * Builds what identifies the client in a request to the token endpoint and its like.
 * @throws UsageError when the method needs a secret and there is none
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 */
export function buildClientAuthentication(client: RegisteredClient): ClientAuthentication {
  const { client_id, client_secret, token_endpoint_auth_method: method } = client;
  if (method === 'none') return { headers: {}, parameters: [['client_id', client_id]] };
  if (client_secret === undefined) {
    throw new UsageError('client_secret_missing', `${method} needs a client secret, and none is configured`, {
      hint: 'Give --client-secret env:NAME (or file:PATH, cmd:COMMAND, -), or --auth-method none for a public client.',
    });
  }
  if (method === 'client_secret_post') {
    return { headers: {}, parameters: definedParameters({ client_id, client_secret }) };
  }
  // RFC 6749 wants both halves form-encoded before they are joined: a colon in the id would move the border.
  const credentials = `${formEncode(client_id)}:${formEncode(client_secret)}`;
  return { headers: { authorization: `Basic ${toBase64(credentials)}` }, parameters: [] };
}

function formEncode(value: string): string {
  return encodeForm([['', value]]).slice(1);
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
